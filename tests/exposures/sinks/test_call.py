"""Records that a function takes: a client of some service, or a signal."""

from __future__ import annotations

from typing import Any

import pytest
from blinker import Namespace
from django.dispatch import Signal

from abmiddleware import CallableSink, ConfigurationError, CountingSink, Engine, Experiment
from abmiddleware.exposures.records import Exposure, Record
from tests.exposures.facts import exposure, link, outcome


def test_the_function_gets_each_record_once() -> None:
    """Records come one by one, in their order."""
    taken: list[Record] = []
    sink = CallableSink(taken.append)
    sink.write([exposure(), outcome(), link()])

    assert isinstance(sink, CountingSink)
    assert taken == [exposure(), outcome(), link()]
    assert (sink.written, sink.lost, sink.queued) == (3, {}, 0)


def test_an_error_costs_its_record_only(caplog: pytest.LogCaptureFixture) -> None:
    """What the function raises is counted by its name; the other records go on."""
    taken: list[Record] = []

    def take(record: Record) -> None:
        if not isinstance(record, Exposure):
            raise TimeoutError("service down")
        taken.append(record)

    sink = CallableSink(take)
    sink.write([outcome(), exposure(), link()])

    assert (sink.written, sink.lost) == (1, {"TimeoutError": 2})
    assert taken == [exposure()]
    assert caplog.text.count("service down") == 1


def test_djangos_signal_hears_of_exposures() -> None:
    """A signal of Django needs nothing but its `send`."""
    recorded, heard = Signal(), []

    def receive(record: Record, **_: object) -> None:
        heard.append(record)

    recorded.connect(receive)
    engine = Engine(
        [Experiment("button", ["a", "b"])],
        sink=CallableSink(lambda record: recorded.send(None, record=record)),
    )
    engine.client(id="u1").run("button")

    assert [record.experiment_key for record in heard if isinstance(record, Exposure)] == ["button"]


def test_blinkers_signal_hears_of_exposures() -> None:
    """A signal of blinker, and so of Flask, takes the record as its sender."""
    recorded, heard = Namespace().signal("recorded"), list[Any]()
    recorded.connect(heard.append, weak=False)
    sink = CallableSink(recorded.send)
    sink.write([exposure()])

    assert heard == [exposure()]
    assert sink.written == 1


def test_what_cannot_be_called_is_told() -> None:
    """A slip is an error at the start."""
    with pytest.raises(ConfigurationError, match="function: is 'send', must take a record"):
        CallableSink("send")  # type: ignore[arg-type]
