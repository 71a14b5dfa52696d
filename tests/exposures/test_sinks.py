"""Sinks beside the journal, and what becomes of records when one fails."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Sequence

import pytest

from abmiddleware import ConfigurationError, Engine, LoggingSink, MemorySink, Sink
from abmiddleware.exposures.records import Record, decode, row
from tests.exposures.facts import exposure, link, outcome


class BrokenSink:
    """A sink whose service is down."""

    def write(self, records: Sequence[Record], /) -> None:
        """Fail."""
        raise ConnectionError("service down")


def test_memory_keeps_records_by_kind() -> None:
    """A test reads back what was recorded, all or by kind."""
    sink = MemorySink()
    sink.write([exposure(), outcome()])
    sink.write([link()])

    assert sink.records == [exposure(), outcome(), link()]
    assert sink.exposures == [exposure()]
    assert sink.outcomes == [outcome()]

    sink.clear()
    assert sink.records == []


def test_memory_is_bounded() -> None:
    """Past the limit the oldest records go."""
    sink = MemorySink(limit=10)
    for number in range(25):
        sink.write([outcome(event_id=str(number))])

    assert [one.event_id for one in sink.outcomes] == [str(number) for number in range(15, 25)]


def test_memory_is_read_while_others_write() -> None:
    """Looking at the records of a running server raises nothing."""
    sink, over = MemorySink(), threading.Event()

    def write() -> None:
        while not over.is_set():
            sink.write([exposure(), outcome()])

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(30):
            assert isinstance(sink.exposures, list)
            assert isinstance(sink.outcomes, list)
            sink.clear()
    finally:
        over.set()
        writer.join()
        sys.setswitchinterval(before)


def test_logged_lines_are_rows(caplog: pytest.LogCaptureFixture) -> None:
    """Each record is one line of the log, in the form of the journal's lines."""
    with caplog.at_level(logging.INFO, logger="abmiddleware.records"):
        LoggingSink().write([exposure(), outcome(), link()])

    assert [decode(line.encode()) for line in caplog.messages] == [
        row(exposure()),
        row(outcome()),
        row(link()),
    ]
    assert {record.levelname for record in caplog.records} == {"INFO"}


def test_the_logger_may_be_named(caplog: pytest.LogCaptureFixture) -> None:
    """Records go to the logger that the team says."""
    with caplog.at_level(logging.INFO, logger="shop.experiments"):
        LoggingSink("shop.experiments").write([link()])

    assert [record.name for record in caplog.records] == ["shop.experiments"]


@pytest.mark.parametrize("sink", [MemorySink(), LoggingSink(), BrokenSink()])
def test_a_sink_is_anything_that_writes(sink: object) -> None:
    """The protocol is told by its one method."""
    assert isinstance(sink, Sink)


def test_a_broken_sink_costs_its_records_only(caplog: pytest.LogCaptureFixture) -> None:
    """What a sink raises is counted by the engine and never reaches the request."""
    engine = Engine(sink=BrokenSink())
    with caplog.at_level(logging.WARNING, logger="abmiddleware"):
        for _ in range(10):
            with engine.client(id="one") as experiments:
                experiments.track("seen")
                experiments.track("bought", 3)

    assert engine.lost == {"sink failed": 20}
    assert len(caplog.records) == 1
    assert "service down" in caplog.text


def test_what_cannot_write_is_no_sink() -> None:
    """A wrong sink is told when the engine is made, with the mend."""
    with pytest.raises(ConfigurationError, match=r"must have a method write\(records\)"):
        Engine(sink=object())  # type: ignore[arg-type]
