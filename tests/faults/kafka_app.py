"""The smallest Flask application with a journal and a stream beside it."""

from __future__ import annotations

import os

from flask import Flask, request

from abmiddleware import Engine, Experiment, Journal, KafkaSink, TeeSink
from abmiddleware_flask import Experiments, experiments

journal = Journal(os.environ["ABMIDDLEWARE_JOURNAL"])
kafka = KafkaSink(os.environ["KAFKA"], "experiments", queue_records=int(os.environ["KAFKA_QUEUE"]))
engine = Engine(
    [Experiment("button", ["control", "green"])], sink=TeeSink(journal, kafka), service="faults"
)
app = Flask(__name__)
Experiments(app, engine=engine)


@app.get("/")
def page() -> dict[str, object]:
    """Run the experiment and tell the visitor's id, as its cookie has it."""
    button = experiments.run("button")
    experiments.track("seen", number=request.args["number"])
    return {"unit_id": button.hash_value}


@app.get("/counts")
def counts() -> dict[str, object]:
    """Tell what became of the stream's records."""
    return {"written": kafka.written, "lost": dict(kafka.lost), "queued": kafka.queued}
