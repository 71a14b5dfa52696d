"""Records for several sinks at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from abmiddleware import (
    CallableSink,
    ConfigurationError,
    CountingSink,
    Engine,
    Experiment,
    Journal,
    JournalReader,
    KafkaSink,
    LoggingSink,
    MemorySink,
    TeeSink,
)
from abmiddleware.exposures.records import Record
from tests.backends import free_port
from tests.exposures.facts import exposure, outcome


class BrokenSink:
    """A sink whose service is down."""

    def write(self, records: Sequence[Record], /) -> None:
        """Fail."""
        raise ConnectionError("service down")


def test_each_sink_gets_every_record(tmp_path: Path) -> None:
    """The journal and the copies beside it hold the same."""
    path, memory = tmp_path / "journal.jsonl", MemorySink()
    sink = TeeSink(Journal(path), memory)
    engine = Engine([Experiment("button", ["a", "b"])], sink=sink)
    with engine.client(id="u1") as experiments:
        experiments.run("button")
        experiments.track("purchase", 42.0)

    assert isinstance(sink, CountingSink)
    assert [line.event_id for line in JournalReader(path)] == [
        record.event_id for record in memory.records
    ]
    assert (sink.written, sink.lost, sink.queued) == (2, {}, 0)


@pytest.mark.parametrize("place", [0, 1], ids=["first", "second"])
def test_the_failure_of_one_is_its_own(place: int, caplog: pytest.LogCaptureFixture) -> None:
    """A sink that raises keeps the others from nothing, and is counted by its place and name."""
    memory = MemorySink()
    sinks = [memory]
    sinks.insert(place, BrokenSink())  # type: ignore[arg-type]
    sink = TeeSink(*sinks)
    engine = Engine(sink=sink)
    for _ in range(3):
        engine.client(id="u1").track("seen")

    assert len(memory.records) == 3
    assert sink.lost == {f"{place} BrokenSink: raised": 3}
    assert sink.written == (3 if place else 0)
    assert engine.lost == {}
    assert caplog.text.count("service down") >= 1


def test_losses_are_told_by_sink_and_reason() -> None:
    """Sinks that count for themselves are told apart, also two of one kind."""

    def fail(record: Record) -> None:
        raise TimeoutError

    sink = TeeSink(MemorySink(limit=1), CallableSink(fail), CallableSink(fail), LoggingSink())
    sink.write([exposure(), outcome()])

    assert sink.lost == {
        "0 MemorySink: oldest dropped": 1,
        "1 CallableSink: TimeoutError": 2,
        "2 CallableSink: TimeoutError": 2,
        "3 LoggingSink: level above INFO": 2,
    }
    assert sink.written == 1


def test_closing_closes_what_can_be_closed() -> None:
    """What waits in a sink is told, and given up when the time is over."""
    kafka = KafkaSink(f"127.0.0.1:{free_port()}")
    sink = TeeSink(MemorySink(), kafka)
    sink.write([exposure(), outcome()])
    waiting = sink.queued
    sink.close(0.2)

    assert waiting == 2
    assert (sink.queued, sink.lost) == (0, {"1 KafkaSink: _PURGE_QUEUE": 2})


@pytest.mark.parametrize(
    ("sinks", "problem"),
    [
        ((), "must have at least one"),
        ((MemorySink(), object()), r"sinks\[1\]: .* write\(records\)"),
    ],
    ids=["none", "no sink"],
)
def test_what_is_no_sink_is_told(sinks: tuple[MemorySink, ...], problem: str) -> None:
    """A mistake is an error at the start, with its place."""
    with pytest.raises(ConfigurationError, match=problem):
        TeeSink(*sinks)
