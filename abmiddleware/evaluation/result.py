"""What a decision says (specification, section 9)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from abmiddleware.evaluation.values import is_truthy

if TYPE_CHECKING:
    from abmiddleware.evaluation.definition import Definition

T = TypeVar("T")


class Reason(StrEnum):
    """Why a unit got its variation."""

    SPLIT = "split"  #: in the experiment, by the bucket of its hash
    STICKY = "sticky"  #: in the experiment, kept in the variation it had before
    FORCED = "forced"  #: a forced variation; never counted
    DISABLED = "disabled"  #: experiments are off, or this one is not active
    CONDITION = "condition"  #: the condition fails
    PREREQUISITE = "prerequisite"  #: a feature that must have a certain value has another
    CYCLE = "cycle"  #: the experiment's prerequisites lead back to itself
    URL = "url"  #: it does not run on this page
    GROUP = "group"  #: the unit is in none of its groups, or `include` says no
    BLOCKED = "blocked"  #: the unit was bucketed under a version that is kept out
    NO_UNIT = "no_unit"  #: the hash attribute has no value
    FILTERED = "filtered"  #: outside the namespace or a filter
    NOT_COVERED = "not_covered"  #: coverage, weights or ranges leave the bucket out
    QA_MODE = "qa_mode"  #: QA mode lets only forced variations through
    STOPPED = "stopped"  #: the experiment is over; only forced units get a variation
    INVALID = "invalid"  #: the definition cannot be used: one variation, an unknown hash version
    UNKNOWN = "unknown"  #: no configuration knows the key
    ERROR = "error"  #: the evaluation failed; logged


class Leaf(msgspec.Struct, frozen=True):
    """The context of a contextual bandit that weighed the variations (section 14)."""

    #: -1 where no context passed, so that the rule's own weights counted.
    leaf_id: object
    weights: Sequence[float]
    #: None where the bandit has no version.
    bandit_version: object = None


class Result(msgspec.Struct, Generic[T], frozen=True):
    """The variation that a unit gets in an experiment, and why.

    Outside the experiment it is variation 0, the control, with `in_experiment` false.
    """

    in_experiment: bool
    #: The variation's value. Outside of a known experiment None.
    value: T
    #: The variation's key: from `meta`, else its index as text.
    key: str
    variation_id: int
    hash_used: bool
    hash_attribute: str
    #: The raw value of the hash attribute; "" where it has none.
    hash_value: object
    #: The unit's bucket in [0, 1) where the hash decided, else None.
    bucket: float | None
    name: str
    passthrough: bool
    sticky_bucket_used: bool
    feature_id: str | None
    reason: Reason
    #: Of a contextual bandit's experiment; None for any other, and for who is not enrolled.
    leaf: Leaf | None = None

    def __bool__(self) -> bool:
        """Return true, as of any object, and warn: what was meant is a part of it."""
        _warn_misuse(f"the result of {self._told()} is always true: ask .in_experiment or .value")
        return True

    def __eq__(self, other: object) -> bool:
        """Compare with another result; with a variation's value it differs, and that is told."""
        if not isinstance(other, Result):
            _warn_misuse(f"the result of {self._told()} is compared as a whole: compare its .value")
            return NotImplemented
        return super().__eq__(other)

    __hash__ = msgspec.Struct.__hash__

    def _told(self) -> str:
        return f"an experiment, variation {self.key or self.variation_id!r}"


def _warn_misuse(problem: str) -> None:
    """Warn where a view stands: it would serve one page to everybody, and break none."""
    warnings.warn(problem, stacklevel=3)


class FeatureSource(StrEnum):
    """What decided the value of a feature (section 10.4)."""

    OVERRIDE = "override"  #: a forced value
    UNKNOWN = "unknownFeature"  #: no configuration knows the key
    CYCLE = "cyclicPrerequisite"  #: its prerequisites lead back to itself
    PREREQUISITE = "prerequisite"  #: a gating prerequisite failed
    FORCE = "force"  #: a rule that gives a value
    EXPERIMENT = "experiment"  #: a rule that runs an experiment
    DEFAULT = "defaultValue"  #: no rule matched
    ERROR = "error"  #: the evaluation failed; logged


class FeatureResult(msgspec.Struct, Generic[T], frozen=True):
    """The value of a feature for a unit, and what decided it."""

    key: str
    #: None where nothing gives a value.
    value: T | None
    source: FeatureSource
    #: The `id` of the rule that decided; "" where it has none, or no rule did.
    rule_id: str = ""
    #: What was run where an experiment decided.
    experiment: Definition[Any] | None = None
    experiment_result: Result[Any] | None = None

    @property
    def on(self) -> bool:
        """Whether the value is truthy as JSON sees it: 0, "", false and null are not."""
        return is_truthy(self.value)

    @property
    def off(self) -> bool:
        """The opposite of `on`."""
        return not is_truthy(self.value)


def unknown_result() -> Result[Any]:
    """Return the result of a key that no configuration knows: outside of any experiment."""
    return Result(False, None, "", 0, False, "", "", None, "", False, False, None, Reason.UNKNOWN)
