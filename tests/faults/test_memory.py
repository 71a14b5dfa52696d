"""A process does not grow with the visitors that it has served."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults.conftest import Tell
from tests.faults.programs import run_program
from tests.faults.scale import LONG, times

BEFORE, AFTER = times(10_000, 100_000), times(60_000, 1_000_000)
FRAMEWORKS = ["script", "starlette", "flask", "django"]


@pytest.mark.parametrize("framework", FRAMEWORKS if LONG else FRAMEWORKS[:2])
def test_memory_does_not_grow_with_visitors(tmp_path: Path, framework: str, tell: Tell) -> None:
    """Memory grows by at most 5 MiB, and objects, threads and files stay, for distinct visitors."""
    journal = tmp_path / "journal.jsonl"
    told = run_program("visitors", framework, str(journal), str(BEFORE), str(AFTER)).splitlines()
    journal.unlink()  # it is large
    before, after = json.loads(told[0]), json.loads(told[1])

    assert int(told[2]) == AFTER * (2 if framework == "script" else 1)
    assert after["kib"] - before["kib"] <= 5 * 1024
    assert after["objects"] - before["objects"] <= 100
    # The journal has one thread as soon as a disk looks slow.
    assert after["threads"] - before["threads"] in (0, 1)
    assert after["descriptors"] == before["descriptors"]
    tell(
        f"{(after['kib'] - before['kib']) / 1024:+.2f} MiB and "
        f"{after['objects'] - before['objects']:+d} objects from {BEFORE:,} to {AFTER:,} visitors"
    )
