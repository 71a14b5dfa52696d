"""Celery carries a request's client to a task of a real worker."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from abmiddleware import Engine, Experiment, JournalReader, MemorySink, OutcomeRow
from tests.backends import redis_server

BUTTON = Experiment("button", ["red", "green"], hash_version=2)

TASKS = """
import json, os
from celery import Celery
from abmiddleware import Engine, Experiment

engine = Engine([Experiment("button", ["red", "green"], hash_version=2)], journal="tasks.jsonl")
app = Celery("tasks", broker=os.environ["BROKER"], backend="file://results")
app.conf.broker_transport_options = json.loads(os.environ["OPTIONS"])

@app.task(bind=True)
def send_invoice(self, who=None):
    client = engine.client_from(who) if who else engine.client_of_task(self.request)
    with client as experiments:
        experiments.track("invoice-sent")
        return experiments.run("button").value
"""


@pytest.fixture(params=["filesystem", "redis"])
def broker(request: pytest.FixtureRequest) -> Iterator[tuple[str, dict[str, str]]]:
    """Return the URL of a broker, and its options."""
    if request.param == "filesystem":
        yield "filesystem://", {"data_folder_in": "queue", "data_folder_out": "queue"}
        return
    with redis_server() as url:
        yield url, {}


def test_a_worker_goes_on_with_it(
    broker: tuple[str, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an argument of a task or in its headers, in a process of its own."""
    monkeypatch.setenv("BROKER", broker[0])
    monkeypatch.setenv("OPTIONS", json.dumps(broker[1]))
    (tmp_path / "tasks_of_a_shop.py").write_text(TASKS)
    for folder in ("queue", "results"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)
    celery = [sys.executable, "-m", "celery", "--app", "tasks_of_a_shop"]
    engine = Engine([BUTTON], sink=MemorySink())
    clients = [engine.client(id=f"u{number}") for number in range(4)]
    shown = [str(client.run("button").value) for client in clients]
    with subprocess.Popen(  # noqa: S603  # our own command
        [*celery, "worker", "--pool", "solo"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as worker:
        try:
            told = subprocess.run(  # noqa: S603
                [
                    sys.executable,
                    "-c",
                    ASK,
                    json.dumps([client.task_headers() for client in clients]),
                ],
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
        finally:
            worker.terminate()

    assert json.loads(told.stdout or "null") == shown, told.stderr
    rows = list(JournalReader("tasks.jsonl"))
    assert {row.type for row in rows} == {"outcome"}
    units = [row.unit_ids["id"] for row in rows if isinstance(row, OutcomeRow)]
    assert sorted(units) == [f"u{number}" for number in range(4)]


ASK = """
import json, sys
from tasks_of_a_shop import send_invoice
results = [
    send_invoice.apply_async([who["abmiddleware"]] if number % 2 else [], headers=who)
    for number, who in enumerate(json.loads(sys.argv[1]))
]
print(json.dumps([result.get(timeout=90) for result in results]))
"""
