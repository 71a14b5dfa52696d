"""A whole OpenTelemetry SDK that keeps what it is told in memory."""

from __future__ import annotations

from typing import Any

from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler
from opentelemetry.trace import SpanKind, Tracer

EVENT = "feature_flag.evaluation"


class Sdk:
    """Providers of its own, since a process can set the global ones only once."""

    def __init__(self, sampler: Sampler = ALWAYS_ON) -> None:
        self._spans = InMemorySpanExporter()
        self._logs = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        self._metrics = InMemoryMetricReader()
        self.tracer_provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self.logger_provider = LoggerProvider(shutdown_on_exit=False)
        self.logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        self.meter_provider = MeterProvider([self._metrics], shutdown_on_exit=False)

    @property
    def tracer(self) -> Tracer:
        return self.tracer_provider.get_tracer("application")

    def spans(self) -> list[ReadableSpan]:
        """The spans that have ended."""
        return list(self._spans.get_finished_spans())

    def server_span(self) -> dict[str, Any]:
        """The attributes of the one span of the server."""
        (span,) = (span for span in self.spans() if span.kind is SpanKind.SERVER)
        return dict(span.attributes or {})

    def events(self) -> list[dict[str, Any]]:
        """The attributes of the events in the log."""
        return [dict(e.attributes or {}) for e in self.log_records() if e.event_name == EVENT]

    def log_records(self) -> list[LogRecord]:
        """The records of the log."""
        return [each.log_record for each in self._logs.get_finished_logs()]

    def points(self, *names: str) -> list[tuple[dict[str, Any], Any]]:
        """The attributes and the measured points of a metric that has one of these names."""
        data = self._metrics.get_metrics_data()
        return [
            (dict(point.attributes or {}), point)
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name in names
            for point in metric.data.data_points
        ]

    def exposures(self) -> dict[tuple[str, str, str], int]:
        """What the counter of exposures says, by key, variation and reason."""
        return {
            (
                told["feature_flag.key"],
                told["feature_flag.result.variant"],
                told["feature_flag.result.reason"],
            ): point.value
            for told, point in self.points("experiment.exposures")
        }
