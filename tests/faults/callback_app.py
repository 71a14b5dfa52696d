"""Pages whose team's own functions raise, return nonsense or hang: `FAULT` says which."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from flask import Flask, request

from abmiddleware import Engine, Experiment, Journal
from abmiddleware_flask import Experiments, experiments

FAULT = os.environ["FAULT"]


class Nonsense:
    """Raises at whatever is done with it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("no text")


def faulty(*_: object) -> Any:
    """Do what `FAULT` says.

    Raises:
        RuntimeError: if it says so.
    """
    match FAULT.rpartition("-")[2]:
        case "raises":
            raise RuntimeError("a fault of the team's")
        case "overflows":
            sys.setrecursionlimit(200)
            return faulty()
        case "nonsense":
            return Nonsense()
        case "hangs":
            if "hang" in request.args:
                time.sleep(3)
    return "NL"


class FaultySink(Journal):
    """Does what `FAULT` says."""

    def write(self, records: Any, /) -> None:
        """Write, or not."""
        faulty()
        super().write(records)


engine = Engine(
    [
        Experiment("button", ["control", "green"]),
        Experiment("country", ["control", "green"], condition={"country": "NL"}),
    ],
    sink=(FaultySink if FAULT.startswith("sink") else Journal)(os.environ["ABMIDDLEWARE_JOURNAL"]),
    attributes={"country": faulty if FAULT.startswith("resolver") else "NL"},
    on_feature_usage=faulty if FAULT.startswith("usage") else None,
    strict=False,
)

app = Flask(__name__)
Experiments(app, engine=engine)


@app.get("/")
def page() -> dict[str, object]:
    """Run both experiments and a feature."""
    button = experiments.run("button")
    country = experiments.run("country")
    experiments.feature("unknown")
    return {
        "unit_id": button.hash_value,
        "country": country.in_experiment,
        "lost": dict(engine.lost),
    }
