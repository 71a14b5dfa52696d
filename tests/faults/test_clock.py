"""A clock that jumps, or that is of another zone, changes neither intervals nor records."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from abmiddleware import JournalReader
from abmiddleware.exposures.records import OutcomeRow
from tests.faults.conftest import Tell
from tests.faults.programs import run_program
from tests.faults.scale import LONG
from tests.sources.server import Server as Configurations
from tests.sources.server import flag, payload


@pytest.mark.parametrize("zone", ["America/New_York", "UTC"] if LONG else ["America/New_York"])
def test_a_jump_of_the_clock_is_no_storm(tmp_path: Path, zone: str, tell: Tell) -> None:
    """Polls keep their pace over jumps of an hour, files are still read, and records are in UTC."""
    journal, file = tmp_path / "journal.jsonl", tmp_path / "experiments.json"
    with Configurations() as configurations:
        configurations.api = payload(flag("there"))
        told = json.loads(
            run_program("clock", str(journal), configurations.url, str(file), TZ=zone)
        )

    assert told["seen"] == [0, 1, 2, 3]
    for count, seconds in zip(told["counts"], told["seconds"], strict=True):
        assert 1 <= count <= seconds / 0.08 + 2  # no two are closer
    rows = [row for row in JournalReader(journal) if isinstance(row, OutcomeRow)]
    assert len(rows) == 4
    for row in rows:
        assert abs(row.ts_us / 1e6 - row.properties["clock"]) < 5
        assert row.ts.endswith("Z")
        assert round(datetime.fromisoformat(row.ts).timestamp() * 1e6) == row.ts_us
    tell(f"polls in a second before, and after jumps of +1, -2 and +1 h: {told['counts']}")
