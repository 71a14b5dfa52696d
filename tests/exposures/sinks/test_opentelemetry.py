"""Records as log records of OpenTelemetry, through the real SDK."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import msgspec
import pytest
from opentelemetry._logs import NoOpLoggerProvider
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider

from abmiddleware import CountingSink, OpenTelemetrySink
from abmiddleware.exposures.records import row
from tests.exposures.facts import NOON, exposure, link, outcome


@pytest.fixture(name="exporter")
def _exporter() -> InMemoryLogRecordExporter:
    """An exporter that keeps what it is given."""
    return InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]


@pytest.fixture
def sink(exporter: InMemoryLogRecordExporter) -> OpenTelemetrySink:
    """A sink that an application with an SDK has."""
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    return OpenTelemetrySink(provider)


def test_a_record_is_an_event_with_the_rows_fields(
    sink: OpenTelemetrySink, exporter: InMemoryLogRecordExporter
) -> None:
    """Event name, time and attributes are those of the row in the journal."""
    sink.write([exposure(), outcome(), link()])
    found = [data.log_record for data in exporter.get_finished_logs()]
    fields = msgspec.to_builtins(row(exposure()))

    assert isinstance(sink, CountingSink)
    assert [record.event_name for record in found] == [
        "abmiddleware.exposure",
        "abmiddleware.outcome",
        "abmiddleware.link",
    ]
    assert {record.timestamp for record in found} == {NOON * 1000}
    assert dict(found[0].attributes or {}) == {
        name: value for name, value in fields.items() if name != "type" and value is not None
    }
    assert (sink.written, sink.lost, sink.queued) == (3, {}, 0)


def test_a_record_belongs_to_the_trace_of_its_request(
    sink: OpenTelemetrySink, exporter: InMemoryLogRecordExporter
) -> None:
    """Within a span the event carries its ids."""
    with TracerProvider().get_tracer("test").start_as_current_span("GET /") as span:
        sink.write([exposure()])
    (data,) = exporter.get_finished_logs()

    assert data.log_record.trace_id == span.get_span_context().trace_id
    assert data.log_record.span_id == span.get_span_context().span_id


def test_whatever_a_record_holds_can_be_exported(
    sink: OpenTelemetrySink, exporter: InMemoryLogRecordExporter
) -> None:
    """No value spoils the batch that it is exported with: OTLP can hold each."""
    odd = {
        "huge": 10**30,
        "half": "\ud83d",
        "none": None,
        "nan": float("nan"),
        "deep": {"list": [1, None, {"x": Decimal("1.5")}]},
        "object": object,
    }
    sink.write([outcome(properties=odd), exposure(unit_id="\udc00")])
    encoded = encode_logs(exporter.get_finished_logs())

    assert sink.written == 2
    assert str(10**30).encode() in encoded.SerializeToString()


class BrokenProcessor(LogRecordProcessor):
    """A processor with a mistake in it."""

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Fail."""
        raise RuntimeError("processor broken")

    def shutdown(self) -> None:
        """Do nothing."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Do nothing."""
        return True


def test_what_the_sdk_raises_is_counted() -> None:
    """A broken processor costs the records, by reason, and no request."""
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(BrokenProcessor())
    sink = OpenTelemetrySink(provider)
    sink.write([exposure(), outcome()])

    assert (sink.written, sink.lost) == (0, {"emit failed": 2})


def test_without_an_sdk_records_are_lost_and_counted() -> None:
    """An application that forgot to set up its SDK is told."""
    sink = OpenTelemetrySink(NoOpLoggerProvider())
    sink.write([exposure(), outcome()])

    assert (sink.written, sink.lost) == (0, {"no SDK": 2})


def test_the_global_provider_may_come_later() -> None:
    """The sink is made with the engine, often before the application sets its SDK up."""
    script = """
from abmiddleware import Outcome, OpenTelemetrySink
sink = OpenTelemetrySink()
def write(): sink.write([Outcome(1, "e", "e", None, {}, {}, "")])
write()
from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
provider, exporter = LoggerProvider(), InMemoryLogRecordExporter()
provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
set_logger_provider(provider)
write()
print(len(exporter.get_finished_logs()), sink.written, dict(sink.lost))
"""
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "1 1 {'no SDK': 1}\n"
