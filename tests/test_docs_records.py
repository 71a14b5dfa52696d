"""The page on records says what the rows are."""

from __future__ import annotations

import json
import re
import types
import typing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from abmiddleware import Exposure, Link
from abmiddleware.exposures.journal import MAX_ID, MAX_RECORD
from abmiddleware.exposures.records import (
    ExposureRow,
    LinkRow,
    OutcomeRow,
    Row,
    SuppressionRow,
    decode,
)

PAGE = (Path(__file__).parents[1] / "docs" / "records.md").read_text()
FORMS: dict[str, type[Row]] = {
    "Exposure": ExposureRow,
    "Outcome": OutcomeRow,
    "Link": LinkRow,
    "Suppression": SuppressionRow,
}
JSON_TYPES = {
    int: "integer",
    str: "string",
    bool: "boolean",
    float: "number",
    dict: "object",
    types.NoneType: "null",
}


def section(title: str) -> str:
    match = re.search(rf"^## {title}\n(.*?)(?=^## )", PAGE, re.DOTALL | re.MULTILINE)
    assert match is not None
    return match[1]


def table(title: str) -> list[list[str]]:
    """Return the cells of a row type's table, without the head."""
    lines = [line for line in section(title).splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def sample(title: str) -> str:
    match = re.search(r"```json\n(.*?)\n```", section(title), re.DOTALL)
    assert match is not None
    return match[1]


def json_type(annotation: object) -> str:
    is_choice = typing.get_origin(annotation) in (types.UnionType, typing.Union)
    choices = typing.get_args(annotation) if is_choice else (annotation,)
    return " or ".join(JSON_TYPES[typing.get_origin(one) or one] for one in choices)


@pytest.mark.parametrize(("title", "form"), FORMS.items(), ids=FORMS)
def test_the_table_has_every_field_in_order(title: str, form: type[Row]) -> None:
    """A field that is added, removed or moved must be so on the page."""
    annotations = typing.get_type_hints(form)

    assert [name.strip("`") for name, *_ in table(title)] == list(form.__struct_fields__)
    assert [kind for _, kind, *_ in table(title)] == [
        json_type(annotations[name]) for name in form.__struct_fields__
    ]
    assert all(meaning for _, _, meaning, _ in table(title))


@pytest.mark.parametrize(("title", "form"), FORMS.items(), ids=FORMS)
def test_the_sample_is_a_row(title: str, form: type[Row]) -> None:
    """The line that is shown is read, and written again, as it stands."""
    row = decode(sample(title).encode())

    assert type(row) is form
    assert msgspec.json.encode(row).decode() == sample(title)


def test_the_samples_are_what_the_code_above_them_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but the times and the ids that are made of them, and in the order that is told."""
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code is not None
    exec(compile(code[1], "records.md", "exec"), {})  # noqa: S102  # our own text
    lines = (tmp_path / "var" / "experiments.jsonl").read_text().split()

    assert [timeless(line) for line in lines] == [
        timeless(sample(title)) for title in ("Link", "Exposure", "Suppression", "Outcome")
    ]


def timeless(line: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(line)
    assert row.keys() >= {"event_id", "ts_us", "ts"}
    return {name: value for name, value in row.items() if name not in ("event_id", "ts_us", "ts")}


@pytest.mark.parametrize("title", FORMS)
def test_the_examples_are_those_of_the_sample(title: str) -> None:
    """Each example in the table is the value in the line above it."""
    examples = {name.strip("`"): json.loads(shown.strip("`")) for name, _, _, shown in table(title)}

    assert examples == json.loads(sample(title))


@pytest.mark.parametrize(("title", "record"), [("Exposure", Exposure), ("Link", Link)])
def test_the_ids_of_samples_are_those_of_their_events(title: str, record: type[Any]) -> None:
    """The id in a sample is the one that its record has."""
    row = msgspec.structs.asdict(decode(sample(title).encode()))
    fields = {name: row[name] for name in record.__struct_fields__}

    assert record(**fields).event_id == row["event_id"]


def test_the_limits_are_those_of_the_journal() -> None:
    """The sizes on the page are the ones that are enforced."""
    assert f"more than {MAX_ID} characters" in PAGE
    assert f"more than {MAX_RECORD // 1024} KiB" in PAGE
