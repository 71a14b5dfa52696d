"""What else runs Python: gevent patched late, uWSGI in its other ways, Celery."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.backends import redis_server
from tests.faults.conftest import Tell
from tests.faults.servers import ROOT, Command, gunicorn, serving, uwsgi
from tests.faults.traffic import Records

HOSTS: dict[str, Command] = {
    "gevent-patched-late": gunicorn("--worker-class", "gevent", app="tests.faults.gevent_app:app"),
    "uwsgi": uwsgi(),
    "uwsgi-lazy-apps": uwsgi("--lazy-apps", "--enable-threads"),
    "uwsgi-threads": uwsgi("--threads", "4"),
}


@pytest.mark.parametrize("name", HOSTS)
def test_every_host_records_all(tmp_path: Path, name: str, tell: Tell) -> None:
    """A hundred requests leave a hundred records, however the host makes its workers."""
    journal = tmp_path / "journal.jsonl"
    with serving(journal, HOSTS[name]) as server:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(server.get, range(100)))
        server.stop()

    records = Records.of(journal)
    assert records.numbers == Counter(range(100))
    assert records.exposed == Counter(str(answer["unit_id"]) for answer in answers)
    tell("100 of 100 records")


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    with redis_server() as url:
        yield url


def test_tasks_of_celery_record_all(tmp_path: Path, redis: str, tell: Tell) -> None:
    """A hundred tasks leave a hundred records, in workers that are forked and soon replaced."""
    journal = tmp_path / "journal.jsonl"
    environment = {**os.environ, "REDIS": redis, "ABMIDDLEWARE_JOURNAL": str(journal)}
    celery = [sys.executable, "-m", "celery", "--app", "tests.faults.celery_app"]
    options = ["--pool", "prefork", "--concurrency", "2", "--max-tasks-per-child", "20"]
    with subprocess.Popen(  # noqa: S603  # our own server
        [*celery, "worker", "--without-mingle", "--without-gossip", *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as worker:
        try:
            sent = subprocess.run(
                [sys.executable, "-m", "tests.faults.programs.tasks", "100"],
                cwd=ROOT,
                env={**environment, "ABMIDDLEWARE_JOURNAL": os.devnull},
                capture_output=True,
                text=True,
                timeout=120,
                check=True,
            )
        finally:
            worker.send_signal(signal.SIGTERM)
            try:
                worker.wait(timeout=60)
            finally:
                worker.kill()

    records = Records.of(journal)
    assert records.numbers == Counter(range(100))
    assert records.exposed == Counter(["master", *(f"visitor {one}" for one in range(100))])
    assert int(sent.stdout) > 2
    tell(f"100 of 100 records, by {int(sent.stdout)} workers one after the other")
