"""A sink that emits each record as a log record of the application's own OpenTelemetry SDK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import msgspec

from abmiddleware.exceptions import ConfigurationError
from abmiddleware.exposures.records import Record, encode
from abmiddleware.exposures.sinks.counting import Counts

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider

#: Integers beyond it have no place in OTLP.
_INT64: Final = 2**63


class OpenTelemetrySink(Counts):
    """Emits records as OpenTelemetry log records, named `abmiddleware.exposure` and so on.

    The attributes are the fields of the row in the journal, under their names; fields without a
    value are left out. Queue, time limits and delivery are those of the SDK's own processors,
    which tell nobody what they drop: give it beside the journal.

    `written` counts what was handed to the SDK. Without an SDK every record is lost, for the reason
    `no SDK`.

    Args:
        provider: the SDK's `LoggerProvider`; by default the one that is set globally.

    Raises:
        ConfigurationError: OpenTelemetry is not installed, or its logs are elsewhere.
    """

    def __init__(self, provider: LoggerProvider | None = None) -> None:
        super().__init__()
        # The underscore is OpenTelemetry's: its logs may still move.
        try:
            logs = import_module("opentelemetry._logs")
            get_logger, self._severity, _ = (
                logs.get_logger,
                logs.SeverityNumber.INFO,
                logs.Logger.enabled,
            )
        except (ImportError, AttributeError) as error:
            raise ConfigurationError(
                "OpenTelemetrySink: needs the logs of OpenTelemetry; install them with "
                f"pip install --upgrade opentelemetry-sdk ({error})"
            ) from None
        self._logger: Any = get_logger("abmiddleware", logger_provider=provider)

    def __repr__(self) -> str:
        return "OpenTelemetrySink()"

    def write(self, records: Sequence[Record], /) -> None:
        """Emit records."""
        for record in records:
            try:
                if self._emit(record):
                    self.written += 1
                else:
                    self._lose("no SDK")
            except Exception as error:  # noqa: BLE001  # processors are the application's
                self._lose("emit failed", 1, error)

    def _emit(self, record: Record) -> bool:
        # Written and read again, a value is what JSON and so OTLP can hold, whatever it was.
        fields = msgspec.json.decode(encode(record))
        name = f"abmiddleware.{fields.pop('type')}"
        if not self._logger.enabled(severity_number=self._severity, event_name=name):
            return False
        self._logger.emit(
            timestamp=record.ts_us * 1000,
            severity_number=self._severity,
            severity_text="INFO",
            event_name=name,
            attributes=_told(fields),
        )
        return True


def _told(value: Any) -> Any:
    """Return a JSON value as OTLP can hold it."""
    if isinstance(value, Mapping):
        return {name: _told(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_told(item) for item in value if item is not None]
    if type(value) is int and not -_INT64 <= value < _INT64:
        return str(value)
    return value
