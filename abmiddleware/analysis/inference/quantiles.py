"""Quantiles, such as the 95th percentile of a latency, whose values are not spread evenly."""

from __future__ import annotations

import math

import msgspec
from scipy import stats

from abmiddleware.analysis.inference.comparison import Comparison, Interval
from abmiddleware.analysis.inference.lifts import lift_of


class Quantile(msgspec.Struct, frozen=True):
    """A quantile of one variation's values, and those a little below and above it."""

    values: int
    estimate: float
    #: The values at the ranks that `ranks` says.
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

    Each one's standard error is the width of its interval by Woodruff; the difference of the two is
    taken for normal (Liu, Sun, Varshney & Xu 2019). Where both intervals are points, as of values
    that are mostly alike, all that is known of the p-value is that each interval has its level.
    """
    width = float(stats.norm.ppf(1 - alpha / 2))
    errors = [(one.high - one.low) / (2 * width) for one in (control, treatment)]
    error = math.hypot(*errors)
    effect = treatment.estimate - control.estimate
    distance = abs(effect) / error if error > 0 else math.sqrt(2) * width * (effect != 0)
    p_value = float(2 * stats.norm.sf(distance))
    lift, why = lift_of(
        control.estimate,
        treatment.estimate,
        errors[0],
        _ratio(control.estimate, treatment.estimate, errors, width),
    )
    return Comparison(
        control.estimate,
        treatment.estimate,
        Interval(effect, effect - width * error, effect + width * error),
        lift,
        p_value,
        error,
        "difference of quantiles",
        why,
        alpha,
    )


def _ratio(control: float, treatment: float, errors: list[float], width: float) -> Interval:
    """Return the quotient less one, by the delta method on its logarithm."""
    if control == 0 or treatment / control <= 0:
        return Interval(math.nan, math.nan, math.nan)
    quotient = treatment / control
    half = width * math.hypot(errors[0] / control, errors[1] / treatment)
    return Interval(quotient - 1, quotient * math.exp(-half) - 1, quotient * math.exp(half) - 1)
