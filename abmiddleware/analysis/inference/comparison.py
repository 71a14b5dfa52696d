"""What is said of a variation beside the control."""

from __future__ import annotations

import math
from enum import StrEnum

import msgspec


class Interval(msgspec.Struct, frozen=True):
    """An estimate and the values that the data do not speak against; each side may be open."""

    estimate: float
    low: float
    high: float

    def negative(self) -> Interval:
        """Return it with the opposite sign."""
        return Interval(-self.estimate, -self.high, -self.low)

    @property
    def is_whole(self) -> bool:
        """Whether its three numbers are numbers."""
        return all(map(math.isfinite, (self.estimate, self.low, self.high)))


class NoLift(StrEnum):
    """Why there is no relative effect."""

    NO = ""
    NEAR_ZERO = "the control's mean is too near to zero to divide by"
    SIGN = "the control and the variation have different signs"
    UNDEFINED = "it cannot be computed"


class Look(msgspec.Struct, frozen=True):
    """One of any number of looks."""

    #: Of both variations, by now.
    units: int
    #: The units at which the interval is narrowest, and one minus its level.
    tuning: int
    alpha: float


class Comparison(msgspec.Struct, frozen=True):
    """A variation beside the control, in one metric."""

    #: As measured, adjusted by what the units did before if that was asked.
    control: float
    treatment: float
    #: The difference of the two.
    effect: Interval
    #: The difference by the control's size, so that its sign is that of the effect; None where
    #: `no_lift` says why.
    lift: Interval | None
    #: The chance of a difference like this, or a larger one, where there is none; two-sided.
    p_value: float
    #: The standard error of the difference.
    standard_error: float
    #: How it was tested, such as "Welch's t-test".
    method: str
    no_lift: NoLift = NoLift.NO
    #: One minus the level of the intervals.
    alpha: float = 0.05
    #: Of intervals that hold at every look; None for one look, at the planned end.
    look: Look | None = None
