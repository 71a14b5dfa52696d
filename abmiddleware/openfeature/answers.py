"""What a result of ours is in OpenFeature's words: reason, variant, metadata or error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagMetadata, FlagResolutionDetails, Reason

from abmiddleware.evaluation import result as ours
from abmiddleware.evaluation.result import FeatureResult, FeatureSource, Result
from abmiddleware.evaluation.values import shown

T = TypeVar("T")

_NOTHING: Final[FlagMetadata] = {}

#: Why somebody is outside an experiment; any other reason is that the unit does not take part.
_OFF: Final = frozenset({ours.Reason.DISABLED, ours.Reason.STOPPED, ours.Reason.QA_MODE})
_BROKEN: Final[Mapping[ours.Reason, ErrorCode]] = {
    ours.Reason.UNKNOWN: ErrorCode.FLAG_NOT_FOUND,
    ours.Reason.INVALID: ErrorCode.PARSE_ERROR,
    ours.Reason.CYCLE: ErrorCode.PARSE_ERROR,
    ours.Reason.ERROR: ErrorCode.GENERAL,
}
_SOURCES: Final[Mapping[FeatureSource, Reason]] = {
    FeatureSource.OVERRIDE: Reason.STATIC,
    FeatureSource.PREREQUISITE: Reason.DEFAULT,
    FeatureSource.FORCE: Reason.TARGETING_MATCH,
    FeatureSource.EXPERIMENT: Reason.SPLIT,
    FeatureSource.DEFAULT: Reason.DEFAULT,
}
_BROKEN_SOURCES: Final[Mapping[FeatureSource, ErrorCode]] = {
    FeatureSource.UNKNOWN: ErrorCode.FLAG_NOT_FOUND,
    FeatureSource.CYCLE: ErrorCode.PARSE_ERROR,
    FeatureSource.ERROR: ErrorCode.GENERAL,
}


class Answer(msgspec.Struct, frozen=True):
    """What was decided for a flag, of whatever type."""

    reason: Reason
    #: None where the caller's default is to be served.
    value: object = None
    variant: str | None = None
    metadata: FlagMetadata = _NOTHING
    error: ErrorCode | None = None
    message: str | None = None

    def details(self, default: T, convert: Callable[[Any], T]) -> FlagResolutionDetails[T]:
        """Return the answer in the type that the caller asked for."""
        if self.error is not None or self.value is None:
            return FlagResolutionDetails(
                default, self.error, self.message, self.reason, None, self.metadata
            )
        try:
            value = convert(self.value)
        except (TypeError, ValueError, OverflowError):
            message = f"the value is {shown(self.value)}, the default {shown(default)}"
            return FlagResolutionDetails(default, ErrorCode.TYPE_MISMATCH, message, Reason.ERROR)
        return FlagResolutionDetails(
            value, None, None, self.reason, self.variant, dict(self.metadata)
        )


def failed(error: ErrorCode, message: str) -> Answer:
    """Return the answer to a question that cannot be answered."""
    return Answer(Reason.ERROR, error=error, message=message)


def of_experiment(key: str, result: Result[Any]) -> Answer:
    """Return the answer that the result of an experiment is."""
    if result.in_experiment:
        is_forced = result.reason is ours.Reason.FORCED
        reason = Reason.STATIC if is_forced else Reason.SPLIT
        return Answer(reason, result.value, result.key, _told(key, result))
    if result.reason in _BROKEN:
        return failed(_BROKEN[result.reason], f"flag {key} {_PROBLEMS[_BROKEN[result.reason]]}")
    if result.reason is ours.Reason.NO_UNIT and result.hash_attribute == "id":
        return failed(
            ErrorCode.TARGETING_KEY_MISSING, f"flag {key} is randomised by the targeting key"
        )
    return Answer(Reason.DISABLED if result.reason in _OFF else Reason.DEFAULT)


def of_feature(
    result: FeatureResult[Any], names: Mapping[str, object], *, is_constant: bool
) -> Answer:
    """Return the answer that the result of a feature is.

    Args:
        result: the result.
        names: values of the feature by their names.
        is_constant: whether the feature has no rules.
    """
    if result.source in _BROKEN_SOURCES:
        error = _BROKEN_SOURCES[result.source]
        return failed(error, f"flag {result.key} {_PROBLEMS[error]}")
    reason = Reason.STATIC if is_constant else _SOURCES[result.source]
    if result.experiment_result is not None and result.source is FeatureSource.EXPERIMENT:
        key = result.experiment.key if result.experiment is not None else result.key
        told = _told(key, result.experiment_result)
        return Answer(reason, result.value, result.experiment_result.key, told)
    if result.value is None:
        return Answer(Reason.DEFAULT)
    metadata = {"rule_id": result.rule_id} if result.rule_id else _NOTHING
    return Answer(reason, result.value, _variant(result, names), metadata)


_PROBLEMS: Final[Mapping[ErrorCode, str]] = {
    ErrorCode.FLAG_NOT_FOUND: "not found",
    ErrorCode.PARSE_ERROR: "has a definition that cannot be used",
    ErrorCode.GENERAL: "could not be evaluated; the log has the error",
}


def _told(key: str, result: Result[Any]) -> FlagMetadata:
    return {"experiment_key": key, "variation_id": result.variation_id}


def _variant(result: FeatureResult[Any], names: Mapping[str, object]) -> str | None:
    for name, value in names.items():
        if type(value) is type(result.value) and value == result.value:
            return name
    if isinstance(result.value, bool):
        return "on" if result.value else "off"
    return result.rule_id or None


def as_boolean(value: object) -> bool:
    """Return a boolean.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, bool):
        return value
    raise TypeError


def as_string(value: object) -> str:
    """Return a text.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, str):
        return value
    raise TypeError


def as_integer(value: object) -> int:
    """Return a whole number; JSON makes no difference between 10 and 10.0.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise TypeError
    return int(value)


def as_float(value: object) -> float:
    """Return a number.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    return float(value)


def as_object(value: object) -> dict[str, Any] | list[Any]:
    """Return a dictionary or a list.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (list, tuple)):
        return list(value)
    raise TypeError
