"""The history of experiments: what may follow what, in a file that people read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from abmiddleware.design.ledger import Ledger, Step, now
from abmiddleware.exceptions import DefinitionError, DocumentError


def step(to: str, **fields: object) -> Step:
    return Step(at=now(), key="button", to=to, by="ana", **fields)  # type: ignore[arg-type]


WAY = [
    "draft",
    "ready",
    "running",
    "running",
    "paused",
    "running",
    "stopped",
    "decided",
    "archived",
]


def test_a_whole_life_is_written_and_read_again(tmp_path: Path) -> None:
    """A line for each step."""
    ledger = Ledger(tmp_path / "history" / "experiments.jsonl")
    for to in WAY:
        ledger.append(step(to, digest="d1" if to == "running" else ""))
    again = Ledger(ledger.path)

    assert [one.to for one in again.steps("button")] == WAY
    assert again.status("button") == "archived"
    assert again.keys() == ["button"]
    assert again.start("button") == again.steps("button")[2]
    assert len(ledger.path.read_text().splitlines()) == len(WAY)
    assert json.loads(ledger.path.read_text().splitlines()[0])["by"] == "ana"


@pytest.mark.parametrize(
    ("way", "to", "problem"),
    [
        ([], "running", "is idea, cannot become running: must be a draft and ready first"),
        (["draft"], "running", "must be ready first, which lint tells"),
        (WAY[:7], "running", "units keep what they met: begin a new experiment"),
        (WAY[:3], "decided", "must be stopped first"),
        (WAY, "draft", "it is at its end"),
        (["draft"], "flying", "cannot become 'flying', must be of idea, draft"),
        (["draft"], "paused", "it may become ready, abandoned"),
    ],
)
def test_no_step_is_skipped(tmp_path: Path, way: list[str], to: str, problem: str) -> None:
    """And nothing is written of one that may not follow."""
    ledger = Ledger(tmp_path / "experiments.jsonl")
    for one in way:
        ledger.append(step(one))
    before = ledger.path.read_bytes() if way else b""

    with pytest.raises(DefinitionError, match=problem):
        ledger.append(step(to))
    assert (ledger.path.read_bytes() if way else b"") == before
    assert ledger.status("button") == (way[-1] if way else "idea")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", r"experiments.jsonl:2: "),
        ('{"at":"x","key":"k","to":"draft","by":"a","colour":1}', "unknown field `colour`"),
        ('{"at":"x","key":"button","to":"decided","by":"a"}', "is draft, cannot become decided"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, line: str, problem: str) -> None:
    """By its file and its number."""
    path = tmp_path / "experiments.jsonl"
    Ledger(path).append(step("draft"))
    with path.open("a") as file:
        file.write(line + "\n")

    with pytest.raises(DocumentError, match=problem):
        Ledger(path)


def test_a_step_that_cannot_be_written_is_not_taken(tmp_path: Path) -> None:
    """Of a file that is a directory."""
    ledger = Ledger(tmp_path / "experiments.jsonl")
    ledger.path.mkdir()

    with pytest.raises(OSError, match="directory"):
        ledger.append(step("draft"))
    assert ledger.status("button") == "idea"
