"""The smallest Flask application with experiments, for servers that are hurt."""

from __future__ import annotations

import json
import os
import time

from flask import Flask, request

from abmiddleware import Engine, Experiment, Journal
from abmiddleware_flask import Experiments, experiments

journal = Journal(
    os.environ["ABMIDDLEWARE_JOURNAL"], **json.loads(os.environ.get("JOURNAL_OPTIONS", "{}"))
)
engine = Engine([Experiment("button", ["control", "green"])], journal=journal, service="faults")

if "USE_BEFORE_FORK" in os.environ:
    with engine.client(id="master") as before_fork:
        before_fork.run("button")

app = Flask(__name__)
Experiments(app, engine=engine)


@app.get("/")
def page() -> dict[str, object]:
    """Run the experiment and tell the visitor's id, as its cookie has it."""
    button = experiments.run("button")
    experiments.track("seen", number=request.args["number"])
    time.sleep(0.002)  # some work, in which a worker may be killed
    return {"unit_id": button.hash_value, "pid": os.getpid()}


@app.get("/counts")
def counts() -> dict[str, object]:
    """Tell what became of this worker's records."""
    return {
        "written": journal.written,
        "lost": dict(journal.lost),
        "queued": journal.queued,
        "held": journal.held,
    }
