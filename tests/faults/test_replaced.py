"""Servers that are stopped, reloaded or renewed under traffic lose no record."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.faults.conftest import Tell
from tests.faults.scale import LONG, times
from tests.faults.servers import Command, Server, gunicorn, serving, uvicorn
from tests.faults.traffic import Traffic, assert_all_recorded

ROUNDS = times(1, 10)
SHORT = ("gunicorn-gthread", "uvicorn-workers")

SERVERS: dict[str, Command] = {
    "gunicorn-sync": gunicorn(),
    "gunicorn-gthread": gunicorn("--worker-class", "gthread", "--threads", "4"),
    "gunicorn-gevent": gunicorn("--worker-class", "gevent"),
    # A new worker on a busy machine may need longer than five seconds: then the old one stays.
    "uvicorn-workers": uvicorn("--workers", "4", "--timeout-worker-healthcheck", "15"),
}
RETIRING: dict[str, Command] = {
    "gunicorn-sync": gunicorn("--max-requests", "20"),
    "gunicorn-gthread": gunicorn(
        "--max-requests", "20", "--worker-class", "gthread", "--threads", "4"
    ),
    "gunicorn-gevent": gunicorn("--max-requests", "20", "--worker-class", "gevent"),
    "uvicorn-workers": uvicorn("--workers", "4", "--limit-max-requests", "20"),
}


def wait_for_new_workers(server: Server, old: set[int], count: int = 4) -> None:
    """Wait until that many run, none of them an old one."""
    deadline = time.monotonic() + 60
    while len(workers := set(server.workers())) != count or workers & old:
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.05)


@pytest.mark.parametrize("signal_name", ["SIGTERM", "SIGINT"] if LONG else ["SIGTERM"])
@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_is_stopped_loses_nothing(
    tmp_path: Path, name: str, signal_name: str, tell: Tell
) -> None:
    """A server that is told to stop amid traffic ends soon, with every answer recorded."""
    answers, longest = 0, 0.0
    for number in range(ROUNDS):
        journal = tmp_path / f"journal-{number}.jsonl"
        with serving(journal, SERVERS[name]) as server, Traffic(server) as traffic:
            traffic.wait_for(60)
            begun = time.monotonic()
            server.stop(signal.Signals[signal_name])
            longest = max(longest, time.monotonic() - begun)
        assert_all_recorded(journal, traffic)
        answers += len(traffic.answered)

    assert longest < 5
    tell(f"{ROUNDS} stops, {answers} answers, 0 lost, the longest stop took {longest:.2f} s")


@pytest.mark.parametrize("name", SERVERS if LONG else SHORT)
def test_a_hang_up_loses_nothing(tmp_path: Path, name: str, tell: Tell) -> None:
    """`kill -HUP` replaces all workers under traffic, with every answer recorded."""
    journal = tmp_path / "journal.jsonl"
    with serving(journal, SERVERS[name]) as server, Traffic(server) as traffic:
        traffic.wait_for(30)
        for _ in range(ROUNDS):
            old = set(server.workers())
            server.process.send_signal(signal.SIGHUP)
            wait_for_new_workers(server, old)
            traffic.wait_for(30)

    assert_all_recorded(journal, traffic)
    tell(f"{ROUNDS} times, {len(traffic.answered)} answers, 0 lost")


@pytest.mark.parametrize("name", RETIRING if LONG else SHORT)
def test_workers_that_retire_lose_nothing(tmp_path: Path, name: str, tell: Tell) -> None:
    """Workers that are replaced every few requests record every answer."""
    journal = tmp_path / "journal.jsonl"
    with serving(journal, RETIRING[name]) as server, Traffic(server) as traffic:
        traffic.wait_for(10)
        first = set(server.workers())
        traffic.wait_for(150 * ROUNDS)
        wait_for_new_workers(server, first)

    assert_all_recorded(journal, traffic)
    tell(f"{len(traffic.answered)} answers, 0 lost")


def test_a_changed_file_loses_nothing(tmp_path: Path, tell: Tell) -> None:
    """`uvicorn --reload` begins anew when a file changes, with every answer recorded."""
    journal, code = tmp_path / "journal.jsonl", tmp_path / "code"
    code.mkdir()
    changed = code / "changed.py"
    changed.touch()
    command = uvicorn("--reload", "--reload-dir", str(code))
    with serving(journal, command) as server, Traffic(server) as traffic:
        traffic.wait_for(30)
        for number in range(ROUNDS):
            old = set(server.workers())
            changed.write_text(f"number = {number}")
            later = time.time() + 10 * (number + 1)  # whatever the disk's clock counts in
            os.utime(changed, (later, later))
            wait_for_new_workers(server, old, count=1)
            traffic.wait_for(30)

    assert_all_recorded(journal, traffic)
    tell(f"{ROUNDS} times, {len(traffic.answered)} answers, 0 lost")
