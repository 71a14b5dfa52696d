"""Quantiles, such as the 95th percentile of a latency, whose values are not spread evenly."""

from __future__ import annotations

import math

import msgspec
from scipy import stats

from abmiddleware.analysis.inference.comparison import Comparison, Interval, NoLift
from abmiddleware.analysis.inference.lifts import lift_of

#: The logarithm of a quotient beyond which an interval is as good as unbounded.
_WIDEST = 100.0


class Quantile(msgspec.Struct, frozen=True):
    """A quantile of one variation's values, and those a little below and above it."""

    values: int
    estimate: float
    #: The values beside those at the ranks that `ranks` says.
    low: float
    high: float


def ranks(level: float, error: float, alpha: float) -> tuple[float, float]:
    """Return the levels whose quantiles bound the interval of a quantile (Woodruff 1952).

    Args:
        level: of the quantile, such as 0.95.
        error: the standard error of the share of values below it; where units have several
            values, that of a ratio, since theirs are alike.
        alpha: one minus the level of the interval.
    """
    half = stats.norm.ppf(1 - alpha / 2) * error
    return max(0.0, level - half), min(1.0, level + half)


def compare(control: Quantile, treatment: Quantile, alpha: float = 0.05) -> Comparison:
    """Compare the quantiles of a variation and the control.

    The interval of the difference, and of the quotient's logarithm, is made of both intervals by
    Woodruff (MOVER, Zou & Donner 2008), each side of the two sides that it depends on; the p-value
    is that of the side towards zero. The intervals of the quantiles reach to the next values that
    differ, so that values on a grid, such as whole milliseconds, have the doubt that they hide.
    Where both are points, as of values that are all alike, nothing is known.
    """
    effect = treatment.estimate - control.estimate
    below, above = _sides(control, treatment)
    width = float(stats.norm.ppf(1 - alpha / 2))
    side = (below if effect > 0 else above) or max(below, above)
    error = max(below, above) / width
    if not error > 0:
        bounds = Interval(effect, -math.inf, math.inf)
        return Comparison(
            control.estimate, treatment.estimate, bounds, None, 1.0, 0.0, "no spread",
            NoLift.UNDEFINED, alpha,
        )  # fmt: skip
    own_error = (control.high - control.low) / (2 * width)
    lift, why = lift_of(control.estimate, treatment.estimate, own_error, _ratio(control, treatment))
    return Comparison(
        control.estimate,
        treatment.estimate,
        Interval(effect, effect - below, effect + above),
        lift,
        float(2 * stats.norm.sf(abs(effect) / side * width)) if effect else 1.0,
        error,
        "difference of quantiles",
        why,
        alpha,
    )


def _sides(control: Quantile, treatment: Quantile) -> tuple[float, float]:
    """Return how far the interval of the difference reaches down and up."""
    return (
        math.hypot(treatment.estimate - treatment.low, control.high - control.estimate),
        math.hypot(treatment.high - treatment.estimate, control.estimate - control.low),
    )


def _ratio(control: Quantile, treatment: Quantile) -> Interval:
    """Return the quotient less one, by the same of logarithms; none where an end is below zero."""
    if control.estimate < 0:
        control, treatment = _negative(control), _negative(treatment)
    if min(control.low, treatment.low) <= 0:
        return Interval(math.nan, math.nan, math.nan)
    quotient = math.log(treatment.estimate / control.estimate)
    below, above = _sides(*(_logarithm(one) for one in (control, treatment)))
    ends = (math.expm1(quotient - below), math.expm1(min(_WIDEST, quotient + above)))
    return Interval(math.expm1(quotient), *ends)


def _negative(of: Quantile) -> Quantile:
    return Quantile(of.values, -of.estimate, -of.high, -of.low)


def _logarithm(of: Quantile) -> Quantile:
    return Quantile(of.values, *(math.log(one) for one in (of.estimate, of.low, of.high)))
