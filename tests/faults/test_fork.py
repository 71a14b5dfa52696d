"""An engine that was used before its server forked serves all the same."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from abmiddleware import JournalReader
from abmiddleware.exposures.records import ExposureRow, OutcomeRow
from tests.faults.servers import serving


@pytest.mark.parametrize("worker", ["sync", "gthread"])
def test_workers_forked_after_use_lose_and_repeat_nothing(tmp_path: Path, worker: str) -> None:
    """`gunicorn --preload` with an engine in use: 200 of 200 records, the master's once."""
    journal = tmp_path / "journal.jsonl"
    options = ("--preload", "--worker-class", worker)
    with serving(journal, *options, USE_BEFORE_FORK="yes") as server:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(server.get, range(200)))
        assert server.stop() == 0
    reader = JournalReader(journal)
    rows = list(reader)

    exposed = Counter(row.unit_id for row in rows if isinstance(row, ExposureRow))
    assert exposed == {"master": 1, **{str(answer["unit_id"]): 1 for answer in answers}}
    assert len(exposed) == 201
    numbers = sorted(int(row.properties["number"]) for row in rows if isinstance(row, OutcomeRow))
    assert numbers == list(range(200))
    assert reader.skipped == 0
    assert len({answer["pid"] for answer in answers}) > 1
