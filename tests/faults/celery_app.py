"""Tasks of Celery that record, with an engine that was used before the workers were forked."""

from __future__ import annotations

import os

from celery import Celery

from abmiddleware import Engine, Experiment

engine = Engine([Experiment("button", ["control", "green"])], service="tasks", strict=False)
with engine.client(id="master") as client:
    client.run("button")

app = Celery("tasks", broker=os.environ["REDIS"], backend=os.environ["REDIS"])
app.conf.worker_hijack_root_logger = False


@app.task  # type: ignore[untyped-decorator]
def work(number: int) -> int:
    """Record one task."""
    with engine.client(id=f"visitor {number}") as client:
        client.run("button")
        client.track("seen", number=number)
    return os.getpid()
