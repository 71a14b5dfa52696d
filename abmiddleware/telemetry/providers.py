"""The parts of OpenTelemetry's API that change, or are slow to ask, behind one door."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from inspect import signature
from time import time_ns
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context, metrics

from abmiddleware.exposures.records import SDK
from abmiddleware.notices import notices

if TYPE_CHECKING:
    from opentelemetry._logs import Logger, LoggerProvider, SeverityNumber
    from opentelemetry.context import Context
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


def always() -> bool:
    """Tell that what is told is heard."""
    return True


def _current() -> Callable[[], Context]:
    """Return what returns the current context; the API's own function takes four times as long."""
    variable = getattr(getattr(context, "_RUNTIME_CONTEXT", None), "_current_context", None)
    return variable.get if isinstance(variable, ContextVar) else context.get_current


#: Returns the current context, which is empty where nobody traces.
current_context: Final = _current()


def _hearing() -> Callable[[], object]:
    """Return what tells whether anybody may hear what is told.

    Each exposure asks. The API's own functions take ten times as long where no SDK is set; where
    it keeps providers elsewhere than it does now, everything is told.
    """
    try:
        import opentelemetry._logs._internal as logs
        import opentelemetry.metrics._internal as meters
    except ImportError:
        return always
    if not (hasattr(logs, "_LOGGER_PROVIDER") and hasattr(meters, "_METER_PROVIDER")):
        return always

    # Bound as defaults, since variables of the function around take twice as long.
    def is_heard(
        current: Callable[[], Context] = current_context, meters: Any = meters, logs: Any = logs
    ) -> object:
        return current() or meters._METER_PROVIDER or logs._LOGGER_PROVIDER

    return is_heard


#: Tells whether a provider is set, or a span or anything else is in the current context.
is_heard: Final = _hearing()
