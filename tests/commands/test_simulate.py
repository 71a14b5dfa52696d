"""A team looks at who will get what, before anybody does."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from abmiddleware import Engine, Experiment, MemorySink
from abmiddleware.commands import simulate
from abmiddleware.exceptions import ConfigurationError, DefinitionError

EXPERIMENTS: list[Any] = [
    Experiment("button", ["old", "new"], hash_version=2, coverage=0.5),
    Experiment("colour", ["blue", "green"], hash_version=2, seed="button"),
    Experiment("adults", ["a", "b"], condition={"age": {"$gte": 18}, "member": True}),
    Experiment("terms", [0, 30], hash_attribute="company"),
]
TABLE = [
    "2 units",
    "",
    "adults: 1 unit by id",
    "  variation             units     share    configured",
    "  a                         0      0.0%         50.0%",
    "  b                         1    100.0%         50.0%",
    "  not in it: no_unit        1",
]
Command = Callable[..., tuple[int, str]]


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


@pytest.fixture
def command(sink: MemorySink, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command, and returns its exit code and what it printed."""
    engine = Engine(EXPERIMENTS, sink=sink)

    def call(*arguments: str) -> tuple[int, str]:
        parser = argparse.ArgumentParser()
        simulate.add_arguments(parser)
        options = parser.parse_args(arguments)
        options.engine = lambda: engine
        code = simulate.run(options)
        return code, capsys.readouterr().out

    return call


def outside(said: str) -> dict[str, dict[str, int]]:
    """Return who is not in each experiment, of what was told as JSON."""
    return {one["key"]: one["outside"] for one in json.loads(said)["experiments"]}


def test_units_that_are_made_up_get_variations(command: Command, sink: MemorySink) -> None:
    """All experiments are told, and each pair; nobody is exposed."""
    code, said = command("adults", "button", "--count", "1000")

    assert code == 0
    assert said.startswith("1,000 units\n\nadults: 0 units by id\n")
    assert "not in it: condition" in said
    assert "button: 5" in said or "button: 4" in said
    assert "adults and button: 0 units in both\n" in said
    assert not sink.records


def test_experiments_that_go_together_are_flagged(command: Command) -> None:
    """Those of one seed; the exit code is 1."""
    code, said = command("button", "colour", "--count", "2000")

    assert code == 1
    assert "wrong: button and colour: who gets a variation of one gets a variation of the" in said
    code, said = command("button", "colour", "--json")
    told = json.loads(said)
    assert (code, told["units"]) == (1, 10_000)
    assert told["overlaps"][0]["is_alarming"]
    assert told["overlaps"][0]["table"]["0"].keys() == {"0", "1"}


def test_lines_of_json_have_attributes(command: Command, tmp_path: Path) -> None:
    """Of the types that they are written with; empty lines are none."""
    file = tmp_path / "units.jsonl"
    rows = [{"id": "v1", "age": 20, "member": True}, {"age": 30, "member": True}]
    file.write_text("\n\n".join(map(json.dumps, rows)) + "\n")
    code, said = command("adults", "--units", str(file))

    lines = [line.rstrip() for line in said.splitlines()]
    assert (code, lines) == (0, TABLE)


def test_csv_has_numbers_and_truths_and_ids_that_are_texts(
    command: Command, tmp_path: Path
) -> None:
    """An id is hashed as it is written; what is empty is missing."""
    file = tmp_path / "units.csv"
    file.write_text(
        'id,age,member,company,name\n1.0,18,true,007,"Ann\nB"\n2,17,true,8,\n3,,true,,x\n4,40,x,9,x\n'
    )
    code, said = command("--units", str(file), "--json")

    told = json.loads(said)
    assert (code, told["units"]) == (0, 4)
    assert outside(said)["adults"] == {"condition": 3}
    assert outside(said)["terms"] == {"no_unit": 1}


def test_a_text_has_an_id_in_each_line(command: Command, tmp_path: Path) -> None:
    """Of whatever attribute is named."""
    file = tmp_path / "companies.txt"
    file.write_text("acme\r\nglobex\r\n")
    _, said = command("terms", "button", "--units", str(file), "--unit-attribute", "company")
    assert "terms: 2 units by company" in said

    _, said = command("terms", "button", "--units", str(file), "--json")
    assert outside(said)["terms"] == {"no_unit": 2}


@pytest.mark.parametrize(
    ("name", "raw", "problem"),
    [
        ("units.jsonl", b'{"id": "v1"}\n{"id": v2}\n', "line 2 of {} is '{{\"id\": v2}}', must be"),
        ("units.jsonl", b'\n["v1"]\n', "line 2 of {} is '[\"v1\"]', must be an object of JSON"),
        ("units", b'{"id": 1}\nv2\n', "line 2 of {} is 'v2', must be an object of JSON"),
        ("units.csv", b"id,age\nv1,3\nv2\n", "line 3 of {} has 1 values, must have 2"),
        ("units.csv", b'id,age\n"v1"x,3\n', "line 2 of {} cannot be read"),
        ("units.txt", b"v1\nv2\n\xff\n", "line 3 of {} is not in UTF-8"),
        ("units.txt", b" \n", "{} is empty, must have a unit in each line"),
    ],
    ids=["json", "array", "text", "columns", "quotes", "bytes", "empty"],
)
def test_a_unit_that_cannot_be_read_is_told_with_its_line(
    command: Command, tmp_path: Path, name: str, raw: bytes, problem: str
) -> None:
    """And what it must be."""
    file = tmp_path / name
    file.write_bytes(raw)
    with pytest.raises(ConfigurationError) as raised:
        command("--units", str(file))
    assert str(raised.value).startswith(f"units: {problem.format(file)}")


def test_what_is_not_there_is_told(command: Command, tmp_path: Path) -> None:
    """An experiment, a file, or units."""
    with pytest.raises(DefinitionError, match="buton: is no experiment of the engine"):
        command("buton")
    with pytest.raises(FileNotFoundError):
        command("--units", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="count: is 0, must be 1 or more"):
        command("--count", "0")
