"""The API alone, in a process of its own; and an SDK that comes later."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

WITHOUT = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)


class NoSdk:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("opentelemetry.sdk", "opentelemetry.semconv")):
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, NoSdk())

from abmiddleware import Engine, Experiment, Feature, MemorySink
from opentelemetry import trace, propagate, context
from opentelemetry.context import attach, detach

sink = MemorySink()
engine = Engine([Experiment("button", [0, 1]), Feature("dark", False)], sink=sink)
client = engine.client(id="u1")
client.run("button")
client.is_on("dark")
assert sink.exposures[0].trace_id is None

# A trace that came in from elsewhere is known without an SDK, too.
parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
token = attach(propagate.extract({"traceparent": parent}))
engine.client(id="u2").run("button")
detach(token)
assert sink.exposures[1].trace_id == "0af7651916cd43dd8448eb211c80319c"
assert not engine.telemetry_lost
assert not [name for name in sys.modules if name.startswith("opentelemetry.sdk")]
print("fine")
"""

LATER = """
from abmiddleware import Engine, Experiment, MemorySink
from opentelemetry import _logs, metrics, trace
from tests.telemetry.sdk import Sdk

sink = MemorySink()
engine = Engine([Experiment("button", [0, 1], hash_version=2)], sink=sink)
engine.client(id="u0").run("button")

sdk = Sdk()
_logs.set_logger_provider(sdk.logger_provider)
engine.client(id="u1").run("button")
assert len(sdk.events()) == 1

metrics.set_meter_provider(sdk.meter_provider)
engine.client(id="u2").run("button")
assert sum(sdk.exposures().values()) == 1

trace.set_tracer_provider(sdk.tracer_provider)
with trace.get_tracer("work").start_as_current_span("work"):
    engine.client(id="u3").run("button")
assert "experiment.variation.button" in sdk.spans()[0].attributes
assert sum(sdk.exposures().values()) == 2
assert len(sdk.events()) == 3
print("fine")
"""

FORKED = """
import os
from abmiddleware import Engine, Experiment, MemorySink, Telemetry
from tests.telemetry.sdk import Sdk

engine = Engine([Experiment("button", [0, 1], hash_version=2)], sink=MemorySink())
engine.client(id="u0").run("button")
child = os.fork()
if child == 0:
    from opentelemetry import metrics

    sdk = Sdk()
    metrics.set_meter_provider(sdk.meter_provider)
    engine.client(id="u1").run("button")
    os._exit(0 if sum(sdk.exposures().values()) == 1 else 1)
_, status = os.waitpid(child, 0)
assert status == 0
print("fine")
"""


def run(script: str) -> str:
    done = subprocess.run(  # noqa: S603  # our own scripts
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_without_an_sdk_nothing_is_told_and_nothing_said() -> None:
    """The API is enough, and stays silent; the trace of a caller is still known."""
    assert run(WITHOUT) == "fine\n"


def test_an_sdk_that_is_set_up_later_is_told_from_then_on() -> None:
    """An application may make the engine first; each signal may come by itself."""
    assert run(LATER) == "fine\n"


def test_a_worker_that_sets_up_its_sdk_after_the_fork_is_told() -> None:
    """Servers that load the application before they fork do it there."""
    assert run(FORKED) == "fine\n"
