"""Workers that are killed under traffic lose no record of an answer that came whole."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults.conftest import Tell
from tests.faults.scale import LONG, times
from tests.faults.servers import Command, Server, gunicorn, serving, uvicorn
from tests.faults.traffic import Traffic, assert_all_recorded

KILLS = times(3, 20)

SERVERS: dict[str, Command] = {
    "gunicorn-sync": gunicorn(),
    "gunicorn-gthread": gunicorn("--worker-class", "gthread", "--threads", "4"),
    "gunicorn-gevent": gunicorn("--worker-class", "gevent"),
    "gunicorn-sync-preload": gunicorn("--preload"),
    "gunicorn-gthread-preload": gunicorn(
        "--preload", "--worker-class", "gthread", "--threads", "4"
    ),
    "gunicorn-gevent-preload": gunicorn("--preload", "--worker-class", "gevent"),
    "uvicorn-workers": uvicorn("--workers", "4"),
}


def wait_for_a_successor(server: Server, victim: int) -> None:
    deadline = time.monotonic() + 60
    while victim in (workers := server.workers()) or len(workers) != 4:
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.02)


SHORT = ("gunicorn-sync", "gunicorn-gevent", "gunicorn-gthread-preload", "uvicorn-workers")


@pytest.mark.parametrize("name", SERVERS if LONG else SHORT)
def test_killed_workers_lose_no_answered_request(tmp_path: Path, name: str, tell: Tell) -> None:
    """With `kill -9` of one worker after the other, each answer that came whole has its records."""
    journal = tmp_path / "journal.jsonl"
    with serving(journal, SERVERS[name]) as server, Traffic(server) as traffic:
        for _ in range(KILLS):
            traffic.wait_for(random.randint(30, 90))  # noqa: S311  # at any moment
            victim = random.choice(server.workers())  # noqa: S311  # any will do
            os.kill(victim, signal.SIGKILL)
            wait_for_a_successor(server, victim)
        traffic.wait_for(30)

    torn = assert_all_recorded(journal, traffic, torn=KILLS).torn
    tell(
        f"{KILLS} kills, {len(traffic.answered)} answers, 0 lost, {traffic.broken} answers broken, "
        f"{torn} lines torn"
    )
