"""The parts of OpenTelemetry's API that change, or are slow to ask, behind one door."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import signature
from time import time_ns
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import metrics
from opentelemetry.context import get_current

from abmiddleware.exposures.records import SDK
from abmiddleware.notices import notices

if TYPE_CHECKING:
    from opentelemetry._logs import Logger, LoggerProvider, SeverityNumber
    from opentelemetry.metrics import Counter, MeterProvider

#: The scope that spans, events and metrics come from.
SCOPE: Final = "abmiddleware"
_VERSION: Final = SDK.partition("/")[2]


def counter(provider: MeterProvider | None) -> Counter:
    """Return the counter of exposures.

    Args:
        provider: None for the global one; what is counted before it is set goes nowhere.
    """
    return _global_counter() if provider is None else _counter(provider)


@cache  # the API keeps what it hands out before a provider is set
def _global_counter() -> Counter:
    return _counter(metrics.get_meter_provider())


def _counter(provider: MeterProvider) -> Counter:
    return provider.get_meter(SCOPE, _VERSION).create_counter(
        "experiment.exposures",
        unit="{exposure}",
        description="Units that met a variation, once per experiment and request.",
    )


class EventLogger:
    """Emits events as log records."""

    def __init__(self, logger: Logger, severity: SeverityNumber) -> None:
        self._logger = logger
        self._severity = severity

    def is_enabled(self, name: str) -> bool:
        """Tell whether anybody takes an event; older versions of the API cannot tell."""
        enabled = getattr(self._logger, "enabled", None)
        return enabled is None or enabled(severity_number=self._severity, event_name=name)

    def emit(self, name: str, attributes: dict[str, str]) -> None:
        """Emit an event that happens now."""
        self._logger.emit(
            event_name=name,
            timestamp=time_ns(),
            severity_number=self._severity,
            attributes=attributes,
        )


def event_logger(provider: LoggerProvider | None) -> EventLogger | None:
    """Return what emits events; None where the API has no events, or other ones.

    Args:
        provider: None for the global one; what is emitted before it is set goes nowhere.
    """
    try:
        # Logs are a signal in development: they may go elsewhere.
        from opentelemetry._logs import Logger, SeverityNumber, get_logger

        if "event_name" in signature(Logger.emit).parameters:
            logger = get_logger(SCOPE, _VERSION, logger_provider=provider)
            return EventLogger(logger, SeverityNumber.INFO)
        problem = "Logger.emit() takes no event_name"
    except (ImportError, AttributeError, TypeError) as error:
        problem = str(error)
    notices.warn_once(
        "events",
        lambda: (
            "OpenTelemetry gets no events, since this version of opentelemetry-api has no way for "
            f'them ({problem}): upgrade it, or set Telemetry(events="span") or "off"'
        ),
    )
    return None


def _always() -> bool:
    return True


def _hearing() -> Callable[[], object]:
    """Return what tells whether anybody may hear what is told, in a tenth of a microsecond.

    The API's own functions take ten times as long where no SDK is set. Where it keeps providers
    elsewhere, it is told everything.
    """
    try:
        import opentelemetry._logs._internal as logs
        import opentelemetry.metrics._internal as meters
    except ImportError:
        return _always
    if not (hasattr(logs, "_LOGGER_PROVIDER") and hasattr(meters, "_METER_PROVIDER")):
        return _always
    told_logs: Any = logs
    told_meters: Any = meters

    def is_heard() -> object:
        return told_meters._METER_PROVIDER or told_logs._LOGGER_PROVIDER or get_current()

    return is_heard


#: Tells whether a provider is set, or a span or anything else is in the current context.
is_heard: Final = _hearing()
always: Final = _always
