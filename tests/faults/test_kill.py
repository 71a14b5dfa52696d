"""Workers that are killed or replaced under traffic lose no record of an answer that came whole."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from abmiddleware import JournalReader
from abmiddleware.exposures.records import ExposureRow, OutcomeRow
from tests.faults.servers import Server, Traffic, serving


def assert_all_recorded(journal: Path, traffic: Traffic, torn: int = 0) -> None:
    """Each whole answer has its exposure and its outcome, once; at most `torn` lines are torn."""
    reader = JournalReader(journal)
    rows = list(reader)
    exposed = Counter(row.unit_id for row in rows if isinstance(row, ExposureRow))
    seen = {
        int(row.properties["number"]): row.unit_ids["id"]
        for row in rows
        if isinstance(row, OutcomeRow)
    }

    assert {number: seen.get(number) for number in traffic.answered} == traffic.answered
    assert {exposed[str(unit_id)] for unit_id in traffic.answered.values()} == {1}
    assert reader.skipped <= torn


def replaced(server: Server, old: set[int]) -> bool:
    """Tell whether four workers run, none of them an old one."""
    workers = set(server.workers())
    return len(workers) == 4 and not workers & old


def wait_for_new_workers(server: Server, old: set[int]) -> None:
    deadline = time.monotonic() + 60
    while not replaced(server, old):
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.05)


def test_killed_workers_lose_no_answered_request(tmp_path: Path) -> None:
    """With `kill -9` of five workers, each answer that the client has whole has its records."""
    journal = tmp_path / "journal.jsonl"
    with serving(journal) as server:
        with Traffic(server) as traffic:
            for _ in range(5):
                traffic.wait_for(random.randint(50, 100))  # noqa: S311  # at any moment
                victim = random.choice(server.workers())  # noqa: S311  # any will do
                os.kill(victim, signal.SIGKILL)
                wait_for_new_workers(server, {victim})
            traffic.wait_for(50)
        assert server.stop() == 0

    assert_all_recorded(journal, traffic, torn=5)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_server_that_is_stopped_loses_nothing(tmp_path: Path, name: str) -> None:
    """A server that is told to stop amid traffic ends at once, with every answer recorded."""
    journal = tmp_path / "journal.jsonl"
    with serving(journal) as server, Traffic(server) as traffic:
        traffic.wait_for(100)
        begun = time.monotonic()
        server.stop(signal.Signals[name])
        took = time.monotonic() - begun

    assert took < 5
    assert_all_recorded(journal, traffic)


def test_a_reload_loses_nothing(tmp_path: Path) -> None:
    """`kill -HUP` replaces all workers under traffic, with every answer recorded."""
    journal = tmp_path / "journal.jsonl"
    with serving(journal) as server, Traffic(server) as traffic:
        traffic.wait_for(50)
        for _ in range(2):
            old = set(server.workers())
            server.process.send_signal(signal.SIGHUP)
            wait_for_new_workers(server, old)
            traffic.wait_for(50)

    assert_all_recorded(journal, traffic)


def test_workers_that_retire_lose_nothing(tmp_path: Path) -> None:
    """Workers that are replaced every fifty requests record every answer."""
    journal = tmp_path / "journal.jsonl"
    with serving(journal, "--max-requests", "50") as server, Traffic(server) as traffic:
        traffic.wait_for(10)
        first = set(server.workers())
        traffic.wait_for(300)
        assert first - set(server.workers())

    assert_all_recorded(journal, traffic)
