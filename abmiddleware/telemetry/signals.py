"""Tells OpenTelemetry what happened when it happens; whatever an SDK does, nothing raises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from opentelemetry.trace import Span, get_current_span

from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.result import FeatureResult, Reason, Result
from abmiddleware.exposures.losses import count_loss
from abmiddleware.exposures.records import id_text
from abmiddleware.notices import notices
from abmiddleware.telemetry.evaluations import (
    EVENT,
    KEY,
    REASON,
    VARIANT,
    Evaluation,
    of_experiment,
    of_feature,
    reason_of,
)
from abmiddleware.telemetry.options import Telemetry
from abmiddleware.telemetry.providers import always, counter, event_logger, is_heard
from abmiddleware.telemetry.spans import Trace

R = TypeVar("R")


class Signals:
    """What the clients of an engine tell through."""

    __slots__ = ("_counter", "_has_span_events", "_logger", "_telemetry", "is_heard", "lost")

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        has_log = telemetry.events in ("log", "both")
        self._logger = event_logger(telemetry.logger_provider) if has_log else None
        self._has_span_events = telemetry.events in ("span", "both")
        self._counter = counter(telemetry.meter_provider) if telemetry.counter else None
        #: What OpenTelemetry was not told, by reason.
        self.lost: Counter[str] = Counter()
        own = telemetry.logger_provider is not None or telemetry.meter_provider is not None
        #: Tells, quickly, whether it is of any use to tell something.
        self.is_heard: Callable[[], object] = always if own else is_heard

    def exposed(self, trace: Trace, plan: Plan, result: Result[Any]) -> str | None:
        """Tell that a unit met a variation.

        Returns:
            The id of the trace, if there is one.
        """
        self._safely(self._show, trace, plan, result)
        self._safely(self._tell, trace, of_experiment, plan, result)
        self._safely(self._count, plan, result)
        return self._safely(trace.trace_id)

    def evaluated(self, trace: Trace, plan: Plan, result: Result[Any]) -> None:
        """Tell of an experiment that a unit is outside of, or forced into."""
        if result.reason is Reason.FORCED:
            self._safely(self._show_forced, trace, plan, result)
        self._safely(self._tell, trace, of_experiment, plan, result)

    def feature_evaluated(self, trace: Trace, result: FeatureResult[Any]) -> None:
        """Tell of a feature; the exposure of an experiment that has its key tells it already."""
        ran, experiment = result.experiment_result, result.experiment
        is_exposed = ran is not None and ran.hash_used
        if is_exposed and experiment is not None and experiment.key == result.key:
            return
        self._safely(self._tell, trace, of_feature, result)

    def response_starts(self, trace: Trace) -> None:
        """Show what was shown on a child, or on nothing, on the span of the server as well."""
        self._safely(self._show_again, trace)

    def _show(self, trace: Trace, plan: Plan, result: Result[Any]) -> None:
        span = trace.target()
        trace.where = where = span or trace.span or get_current_span()
        self._telemetry.measured.note(where, plan.key, result.key)
        self._write(trace, span, plan, result)

    def _show_forced(self, trace: Trace, plan: Plan, result: Result[Any]) -> None:
        """Show a variation that is nobody's own, with a mark, and on no metric."""
        span = trace.target()
        trace.where = span or trace.span or get_current_span()
        self._write(trace, span, plan, result)
        if self._telemetry.span_attribute is not None:
            trace.mark_forced(span)

    def _write(self, trace: Trace, span: Span | None, plan: Plan, result: Result[Any]) -> None:
        template = self._telemetry.span_attribute
        if template is not None and not trace.show(
            span, template.replace("{key}", plan.key), result.key
        ):
            count_loss(self.lost, "span attributes", 1)

    def _show_again(self, trace: Trace) -> None:
        before, span = trace.where, trace.late_target()
        if before is None or span is None:
            return
        self._telemetry.measured.copy(before, span)
        if trace.shown and span.is_recording():
            span.set_attributes(trace.shown)

    def _count(self, plan: Plan, result: Result[Any]) -> None:
        if self._counter is not None:
            self._counter.add(1, {KEY: plan.key, VARIANT: result.key, REASON: reason_of(result)})

    def _tell(
        self, trace: Trace, evaluation_of: Callable[..., Evaluation], *evaluated: object
    ) -> None:
        logger = self._logger
        if logger is not None and not logger.is_enabled(EVENT):
            logger = None
        span = trace.target() if self._has_span_events else None
        if logger is None and span is None:
            return
        evaluation = evaluation_of(*evaluated)
        telemetry = self._telemetry
        context_id = "" if telemetry.ids == "off" else telemetry.told_id(id_text(evaluation.unit))
        attributes = evaluation.attributes(telemetry.provider_name, context_id)
        if span is not None:
            span.add_event(EVENT, attributes)
        if logger is not None:
            logger.emit(EVENT, attributes)

    def _safely(self, step: Callable[..., R], *arguments: object) -> R | None:
        try:
            return step(*arguments)
        except Exception as error:  # noqa: BLE001  # processors and exporters are anybody's code
            count_loss(self.lost, "failed", 1)
            notices.warn("telemetry", "OpenTelemetry was not told: %r", error, error=error)
            return None
