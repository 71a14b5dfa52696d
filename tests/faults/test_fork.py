"""An engine that was used before its process forked serves all the same."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Tell
from tests.faults.programs import run_program
from tests.faults.scale import times
from tests.faults.servers import Command, Server, gunicorn, serving, uwsgi
from tests.faults.traffic import Records
from tests.sources.server import Server as Configurations
from tests.sources.server import flag, payload

SERVERS: dict[str, Command] = {
    "gunicorn-sync": gunicorn("--preload"),
    "gunicorn-gthread": gunicorn("--preload", "--worker-class", "gthread", "--threads", "4"),
    "gunicorn-gevent": gunicorn("--preload", "--worker-class", "gevent"),
    "uwsgi": uwsgi("--enable-threads"),
}
FORKS = times(100, 1000)


def served_by_several(server: Server) -> list[dict[str, Any]]:
    """Ask 200 times, and on where one worker was so quick that it answered all alone."""
    answers: list[dict[str, Any]] = []
    with ThreadPoolExecutor(8) as pool:
        while len({answer["pid"] for answer in answers}) < 2:
            assert len(answers) < 10_000
            answers += pool.map(server.get, range(len(answers), len(answers) + 200))
    return answers


@pytest.mark.parametrize("name", SERVERS)
def test_workers_forked_after_use_lose_and_repeat_nothing(
    tmp_path: Path, name: str, tell: Tell
) -> None:
    """A server whose engine was used before the fork: each of 200 records, the master's once."""
    journal = tmp_path / "journal.jsonl"
    with serving(journal, SERVERS[name], USE_BEFORE_FORK="yes") as server:
        answers = served_by_several(server)
        server.stop()

    records = Records.of(journal)
    assert records.exposed == {"master": 1, **{str(one["unit_id"]): 1 for one in answers}}
    assert len(records.exposed) == len(answers) + 1
    assert records.numbers == Counter(range(-1, len(answers)))
    assert records.torn == 0
    tell(f"{len(answers)} of {len(answers)} records, 0 repeated")


@pytest.mark.parametrize("name", SERVERS)
def test_forked_workers_refresh_their_configuration(tmp_path: Path, name: str) -> None:
    """All four workers see a change, though the master asked the server before they were forked."""
    journal = tmp_path / "journal.jsonl"
    with Configurations() as configurations:
        configurations.api = payload(flag("old"))
        environment = {"GROWTHBOOK_HOST": configurations.url}
        if name != "uwsgi":  # where no thread may run before the fork, it tells Python too late
            environment["USE_BEFORE_FORK"] = "yes"
        with serving(journal, SERVERS[name], log=None, **environment) as server:
            for value in ("old", "new"):
                configurations.api = payload(flag(value))
                seen, deadline = set[object](), time.monotonic() + 30
                with ThreadPoolExecutor(8) as pool:
                    while len(seen) < 4:
                        assert time.monotonic() < deadline, server.log()
                        answers = pool.map(server.get, range(8))
                        seen |= {one["pid"] for one in answers if one["flag"] == value}


@pytest.mark.parametrize("way", ["os.fork", "fork", "spawn"])
def test_children_of_a_process_record_all(tmp_path: Path, way: str, tell: Tell) -> None:
    """Two children made by `os.fork` or multiprocessing write 200 of 200 records each."""
    journal = tmp_path / "journal.jsonl"
    run_program("children", str(journal), way)

    records = Records.of(journal)
    assert records.numbers == Counter([-1, *range(400)])
    assert set(records.exposed.values()) == {1}
    assert records.torn == 0
    tell("2 x 200 of 200 records, 0 repeated")


def test_forks_of_a_busy_process_never_deadlock(tmp_path: Path, tell: Tell) -> None:
    """Children forked amid threads that record, log and refresh work at once, every one of them."""
    journal = tmp_path / "journal.jsonl"
    with Configurations() as configurations:
        configurations.api = payload(flag("there"))
        told = run_program("busy_forks", str(journal), str(FORKS), configurations.url)

    records = Records.of(journal)
    children = {number: count for number, count in records.numbers.items() if number < 0}
    assert children == dict.fromkeys(range(-FORKS, 0), 1)
    parents = [number for number in records.numbers if number >= 0]
    assert len(parents) == int(told)
    assert set(records.numbers.values()) == {1}
    assert records.torn == 0
    tell(f"{FORKS} forks, 0 deadlocks, {len(parents)} records of the parent's threads, 0 repeated")
