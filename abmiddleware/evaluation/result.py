"""What a decision says (specification, section 9)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Reason(StrEnum):
    """Why a unit got its variation."""

    SPLIT = "split"  #: in the experiment, by the bucket of its hash
    FORCED = "forced"  #: a forced variation; never counted
    DISABLED = "disabled"  #: experiments are off, or this one is not active
    CONDITION = "condition"  #: the condition fails
    NO_UNIT = "no_unit"  #: the hash attribute has no value
    FILTERED = "filtered"  #: outside the namespace or a filter
    NOT_COVERED = "not_covered"  #: coverage, weights or ranges leave the bucket out
    QA_MODE = "qa_mode"  #: QA mode lets only forced variations through
    INVALID = "invalid"  #: the definition cannot be used: one variation, an unknown hash version
    UNKNOWN = "unknown"  #: no configuration knows the key
    ERROR = "error"  #: the evaluation failed; logged


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


def unknown_result() -> Result[Any]:
    """Return the result of a key that no configuration knows: outside of any experiment."""
    return Result(False, None, "", 0, False, "", "", None, "", False, False, None, Reason.UNKNOWN)
