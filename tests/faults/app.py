"""The smallest Flask application with experiments, for servers that are hurt."""

from __future__ import annotations

import json
import os
import time

from flask import Flask, request

from abmiddleware import Engine, Experiment, Journal
from abmiddleware.sources import Deadlines, GrowthBook, Retry
from abmiddleware_flask import Experiments, experiments
from tests.faults import names

#: A server of configurations, if there is one.
SERVER = os.environ.get("GROWTHBOOK_HOST")

names.hang()


def sources() -> list[GrowthBook]:
    """Return a source that asks the server ten times a second, and waits long for an answer."""
    if SERVER is None:
        return []
    retry = Retry(first=0.02, most=0.2, refused=0.1, spread=0.05)
    deadlines = Deadlines(connect=60, read=60, total=600)
    return [
        GrowthBook("sdk-abc123", host=SERVER, poll_seconds=0.1, retry=retry, deadlines=deadlines)
    ]


journal = Journal(
    os.environ["ABMIDDLEWARE_JOURNAL"], **json.loads(os.environ.get("JOURNAL_OPTIONS", "{}"))
)
engine = Engine(
    [Experiment("button", ["control", "green"])],
    sources=sources(),
    journal=journal,
    service="faults",
    strict=False,
)

if "USE_BEFORE_FORK" in os.environ:
    with engine.client(id="master") as before_fork:
        before_fork.run("button")
        before_fork.track("seen", number=-1)

app = Flask(__name__)
Experiments(app, engine=engine)


@app.get("/")
def page() -> dict[str, object]:
    """Run the experiment and tell the visitor's id, as its cookie has it."""
    button = experiments.run("button")
    experiments.track("seen", number=request.args["number"])
    time.sleep(0.002)  # some work, in which a worker may be killed
    flag = experiments.value("flag", None) if SERVER else None
    return {"unit_id": button.hash_value, "pid": os.getpid(), "flag": flag}


@app.get("/counts")
def counts() -> dict[str, object]:
    """Tell what became of this worker's records."""
    return {
        "written": journal.written,
        "lost": dict(journal.lost),
        "queued": journal.queued,
        "held": journal.held,
    }
