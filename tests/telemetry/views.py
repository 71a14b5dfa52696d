"""The views whose traces are looked at, the same for every framework."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from opentelemetry.trace import Tracer

from abmiddleware import Experiment, ExperimentClient

BUTTON = Experiment("checkout-button", ["control", "one-click"], weights=[0.0, 1.0], hash_version=2)
MANY = [Experiment(f"experiment-{number}", [0, 1], hash_version=2) for number in range(200)]
EXPERIMENTS: list[Experiment[Any]] = [BUTTON, *MANY]

#: Answers with a text, or with the parts of a streamed one.
View = Callable[[ExperimentClient], str | Iterator[str]]


def views(tracer: Tracer) -> Mapping[str, View]:
    """Return the views by their paths.

    Args:
        tracer: makes the spans of the application.
    """

    def child(experiments: ExperimentClient) -> str:
        with tracer.start_as_current_span("child"):
            return run(experiments)

    return {"run": run, "child": child, "many": many, "stream": stream, "quiet": quiet}


def run(experiments: ExperimentClient) -> str:
    return experiments.run(BUTTON).value


def many(experiments: ExperimentClient) -> str:
    return str(len([experiments.run(each) for each in EXPERIMENTS]))


def stream(experiments: ExperimentClient) -> Iterator[str]:
    experiments.ensure_identity()

    def parts() -> Iterator[str]:
        yield "a"
        yield experiments.run(BUTTON).value

    return parts()


def quiet(_: ExperimentClient) -> str:
    return "nothing asked"
