"""What one request asked and was answered, for people who look at it while they build a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from abmiddleware.evaluation.result import FeatureResult, FeatureSource, Reason, Result
from abmiddleware.evaluation.values import shown
from abmiddleware.policy import Suppressed

#: Why a unit got its variation, in words.
REASONS: Final[Mapping[Reason, str]] = {
    Reason.SPLIT: "in the experiment, by the bucket",
    Reason.STICKY: "in the experiment, kept in the variation of before",
    Reason.FORCED: "forced, by an override, the configuration or a calling service",
    Reason.DISABLED: "experiments are off, or this one is not active",
    Reason.CONDITION: "the condition fails",
    Reason.PREREQUISITE: "a feature that it depends on has another value",
    Reason.CYCLE: "its prerequisites lead back to itself",
    Reason.URL: "it does not run on this page",
    Reason.GROUP: "not in its groups",
    Reason.BLOCKED: "bucketed under a version that is kept out",
    Reason.NO_UNIT: "nothing to randomise by",
    Reason.FILTERED: "outside of the namespace or a filter",
    Reason.NOT_COVERED: "outside of the coverage",
    Reason.QA_MODE: "QA mode lets only forced variations through",
    Reason.STOPPED: "the experiment is stopped",
    Reason.INVALID: "the definition cannot be used",
    Reason.UNKNOWN: "no configuration knows the key",
    Reason.ERROR: "the evaluation failed: see the log",
}
#: What decided a feature, in words.
SOURCES: Final[Mapping[FeatureSource, str]] = {
    FeatureSource.OVERRIDE: "forced",
    FeatureSource.UNKNOWN: "no configuration knows the key",
    FeatureSource.CYCLE: "its prerequisites lead back to itself",
    FeatureSource.PREREQUISITE: "a feature that it depends on has another value",
    FeatureSource.FORCE: "a rule gives the value",
    FeatureSource.EXPERIMENT: "by an experiment",
    FeatureSource.DEFAULT: "no rule holds: the default",
    FeatureSource.ERROR: "the evaluation failed: see the log",
}
#: Why nothing of a request is recorded, in words.
SUPPRESSIONS: Final[Mapping[Suppressed, str]] = {
    Suppressed.NO: "",
    Suppressed.METHOD: "HEAD and OPTIONS show nothing to anybody",
    Suppressed.PREFETCH: "the page is loaded ahead",
    Suppressed.EXCLUDED: "a bot, or somebody who is excluded",
    Suppressed.EXEMPT_PATH: "the path is exempt",
    Suppressed.NO_CONSENT: "without consent",
    Suppressed.OVERRIDE: "an override is on",
}


class Answered(msgspec.Struct, frozen=True):
    """One experiment, or one feature, that a request asked about."""

    key: str
    kind: str
    #: The variation's key, and "" for a feature that no experiment decided.
    variation: str
    value: str
    reason: str
    #: What was hashed, such as "id = u1".
    unit: str
    bucket: float | None
    is_exposed: bool
    #: Why it is not exposed; "" where it is, or where there is nothing to expose.
    why_not: str


class Inspection(msgspec.Struct, frozen=True):
    """All that one request asked."""

    answers: list[Answered]
    #: "" where the request needed none.
    visitor: str
    #: Why nothing of the request is recorded, in words; "" where it may be.
    suppressed: str
    #: What an override asks for.
    override: dict[str, str]

    @property
    def exposures(self) -> int:
        """How many exposures were recorded."""
        return sum(answer.is_exposed for answer in self.answers)


def answered(
    key: str, result: Result[Any], suppressed: Suppressed, *, waits: bool = False
) -> Answered:
    """Return what a request was answered about an experiment.

    Args:
        key: of the experiment.
        result: of it.
        suppressed: why nothing of the request is recorded.
        waits: whether it was only peeked.
    """
    if not result.hash_used:
        why_not = "forced" if result.in_experiment else "not in the experiment"
    elif waits:
        why_not = "only peeked so far"
    else:
        why_not = SUPPRESSIONS[suppressed]
    return Answered(
        key,
        "experiment",
        result.key,
        shown(result.value),
        REASONS[result.reason],
        "" if result.hash_value == "" else f"{result.hash_attribute} = {result.hash_value}",
        result.bucket,
        not why_not,
        why_not,
    )


def evaluated(feature: FeatureResult[Any]) -> Answered:
    """Return what a request was answered about a feature; its experiment is told of apart."""
    decided = feature.experiment
    by = "" if decided is None else f" {decided.key}"
    return Answered(
        feature.key,
        "feature",
        "",
        shown(feature.value),
        SOURCES[feature.source] + by,
        "",
        None,
        False,
        "",
    )
