"""An engine belongs to no event loop."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from tests.faults.programs import run_program
from tests.faults.traffic import Records


def test_one_engine_serves_every_event_loop(tmp_path: Path) -> None:
    """Used at import, from loop after loop, from two at once and without one, it loses nothing."""
    journal = tmp_path / "journal.jsonl"
    told = json.loads(run_program("loops", str(journal)))

    records = Records.of(journal)
    assert records.numbers == Counter(range(-1, 50))
    assert records.exposed == Counter(f"visitor {number}" for number in range(-1, 40))
    assert told == {"lost": {}, "sticky": {}}
