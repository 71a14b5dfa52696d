"""Counts of exposures that are not recorded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from abmiddleware import Engine, Experiment, JournalReader, MemorySink, Suppression, SuppressionRow
from abmiddleware.exposures import suppressions
from abmiddleware.exposures.suppressions import INTERVAL, Suppressions

FORCED = Experiment("button", ["old", "new"], force=1, phase=2)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(suppressions, "monotonic", clock)
    return clock


def told(records: list[Suppression]) -> list[tuple[str, int, str, int]]:
    return [(one.experiment_key, one.phase, one.reason, one.count) for one in records]


def test_the_first_is_told_at_once_and_a_storm_once_a_minute(clock: Clock) -> None:
    """By experiment, phase and reason; none is lost in between."""
    counts = Suppressions("shop")
    assert told(counts.add("button", 0, "excluded")) == [("button", 0, "excluded", 1)]

    for _ in range(500):
        assert counts.add("button", 0, "excluded") == []
        assert counts.add("button", 1, "forced") == []
    clock.now += INTERVAL
    found = counts.add("page", 0, "prefetch")

    assert told(found) == [
        ("button", 0, "excluded", 500),
        ("button", 1, "forced", 500),
        ("page", 0, "prefetch", 1),
    ]
    assert len({one.event_id for one in found}) == 3
    assert counts.take() == []


def test_a_child_does_not_tell_what_its_parent_counted(clock: Clock) -> None:
    """A server that forks after it has answered would else count it twice."""
    counts = Suppressions("shop")
    for _ in range(4):
        counts.add("button", 0, "excluded")
    child = os.fork()
    if not child:
        clock.now += INTERVAL
        os._exit(sum(one.count for one in counts.add("button", 0, "excluded")))

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert [one.count for one in counts.take()] == [3]


def test_closing_writes_what_was_counted(tmp_path: Path) -> None:
    """So that a server that ends tells all of it."""
    engine = Engine([FORCED], journal=tmp_path / "journal.jsonl", service="shop")
    for number in range(7):
        engine.client(id=f"v{number}").run("button")
    engine.close()
    rows = list(JournalReader(tmp_path / "journal.jsonl"))

    assert all(isinstance(row, SuppressionRow) for row in rows)
    assert [(row.reason, row.phase, row.count) for row in rows] == [  # type: ignore[union-attr]
        ("forced", 2, 1),
        ("forced", 2, 6),
    ]


def test_a_count_names_nobody() -> None:
    """It has no id of a unit, and no attribute."""
    sink = MemorySink()
    Engine([FORCED], sink=sink).client(id="somebody", country="NL").run("button")

    assert "somebody" not in repr(sink.records)
    assert "NL" not in repr(sink.records)
