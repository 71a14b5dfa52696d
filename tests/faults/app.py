"""The smallest Flask application with experiments, for servers that are hurt."""

from __future__ import annotations

import os
import time

from flask import Flask, request

from abmiddleware import Engine, Experiment
from abmiddleware_flask import Experiments, experiments

engine = Engine([Experiment("button", ["control", "green"])], service="faults")

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
