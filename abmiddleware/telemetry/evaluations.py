"""Evaluations in the terms of OpenTelemetry's conventions for feature flags.

https://opentelemetry.io/docs/specs/semconv/feature-flags/feature-flags-events/
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.result import FeatureResult, FeatureSource, Reason, Result

EVENT: Final = "feature_flag.evaluation"

KEY: Final = "feature_flag.key"
VARIANT: Final = "feature_flag.result.variant"
REASON: Final = "feature_flag.result.reason"
_PROVIDER: Final = "feature_flag.provider.name"
_CONTEXT_ID: Final = "feature_flag.context.id"
_SET_ID: Final = "feature_flag.set.id"
_VERSION: Final = "feature_flag.version"
_ERROR_TYPE: Final = "error.type"

#: The conventions' reason; whoever is outside for another reason gets the default.
_REASONS: Final = {
    Reason.SPLIT: "split",
    Reason.STICKY: "cached",
    Reason.FORCED: "targeting_match",
    Reason.DISABLED: "disabled",
    Reason.STOPPED: "disabled",
    Reason.QA_MODE: "disabled",
    Reason.INVALID: "error",
    Reason.CYCLE: "error",
    Reason.UNKNOWN: "error",
    Reason.ERROR: "error",
}
_SOURCES: Final = {
    FeatureSource.OVERRIDE: "targeting_match",
    FeatureSource.FORCE: "targeting_match",
    FeatureSource.UNKNOWN: "error",
    FeatureSource.CYCLE: "error",
    FeatureSource.ERROR: "error",
}
_ERRORS: Final[dict[Reason | FeatureSource, str]] = {
    Reason.INVALID: "parse_error",
    Reason.UNKNOWN: "flag_not_found",
    FeatureSource.UNKNOWN: "flag_not_found",
}


class Evaluation(msgspec.Struct, frozen=True):
    """What was asked for, and what came of it; never a value."""

    key: str
    reason: str
    #: "" where there are no variations.
    variant: str = ""
    error: str = ""
    unit: object = ""
    #: The namespace of the experiment, and what tells its definition from others.
    set_id: str = ""
    version: str = ""

    def attributes(self, provider: str, context_id: str) -> dict[str, str]:
        """Return the attributes of the event; what is not known is left out."""
        told = {
            KEY: self.key,
            VARIANT: self.variant,
            REASON: self.reason,
            _ERROR_TYPE: self.error,
            _PROVIDER: provider,
            _CONTEXT_ID: context_id,
            _SET_ID: self.set_id,
            _VERSION: self.version,
        }
        return {name: value for name, value in told.items() if value}


def reason_of(result: Result[Any]) -> str:
    """Return the conventions' reason of an experiment's result."""
    return _REASONS.get(result.reason, "default")


def of_experiment(plan: Plan, result: Result[Any]) -> Evaluation:
    """Return the evaluation of an experiment."""
    reason = reason_of(result)
    namespace = plan.definition.namespace
    return Evaluation(
        plan.key,
        reason,
        result.key,
        _ERRORS.get(result.reason, "general") if reason == "error" else "",
        result.hash_value,
        str(namespace[0]) if namespace else "",
        plan.config_hash,
    )


def of_feature(result: FeatureResult[Any]) -> Evaluation:
    """Return the evaluation of a feature; the experiment that decided it lends its variation."""
    ran = result.experiment_result if result.source is FeatureSource.EXPERIMENT else None
    if ran is not None:
        return Evaluation(result.key, reason_of(ran), ran.key, unit=ran.hash_value)
    reason = _SOURCES.get(result.source, "default")
    error = _ERRORS.get(result.source, "general") if reason == "error" else ""
    return Evaluation(result.key, reason, error=error)
