"""Metrics that must not get worse by more than a margin."""

from __future__ import annotations

import math

from scipy import stats

from abmiddleware.analysis.inference.comparison import Comparison
from abmiddleware.analysis.inference.sequential import p_value
from abmiddleware.design.sequence import half_width


def p_of_harm(comparison: Comparison, margin: float, direction: int) -> float:
    """Return the p-value of "it is worse than the margin": a small one shows that it is not.

    It is below alpha just where the interval lies on the right side of the margin (non-inferiority
    by the two-sided interval, as ICH E9 of 1998 has it, which is one side at half of alpha). So the
    interval of the lift is asked, whose error knows that the margin is a share of the control, and
    where there is no lift, that of the difference. Where nothing is known of the spread, as without
    any events, nothing is shown to hold.

    Args:
        comparison: of the metric.
        margin: the largest loss that is accepted, as a share of the control's size.
        direction: 1 where more is better, -1 where less is.
    """
    if not comparison.standard_error > 0:
        return 1.0
    distance, error = _of_lift(comparison, margin, direction) or _of_effect(
        comparison, margin, direction
    )
    if distance <= 0:
        return 1.0
    if comparison.look is not None:
        return p_value(distance, error, comparison.look)
    return float(2 * stats.norm.sf(distance / error))


def is_harmed(comparison: Comparison, direction: int) -> bool:
    """Tell whether the whole interval lies where things are worse, by however little."""
    effect = comparison.effect if direction > 0 else comparison.effect.negative()
    return effect.high < 0


def _of_effect(comparison: Comparison, margin: float, direction: int) -> tuple[float, float]:
    """Return how far the difference is from the margin, and its standard error to that side."""
    allowed = margin * abs(comparison.control)
    effect = comparison.effect if direction > 0 else comparison.effect.negative()
    return allowed + effect.estimate, (effect.estimate - effect.low) / _widths(comparison)


def _of_lift(comparison: Comparison, margin: float, direction: int) -> tuple[float, float] | None:
    """Return the same of the logarithm of the quotient; None where it has no interval."""
    lift = comparison.lift
    if lift is None:
        return None
    quotient = lift if comparison.control > 0 else lift.negative()
    towards = direction if comparison.control > 0 else -direction
    limit = 1 - towards * margin
    if limit <= 0 or not quotient.low > -1:
        return None
    point = math.log1p(quotient.estimate)
    error = abs(point - math.log1p(quotient.low if towards > 0 else quotient.high))
    if not error > 0:
        return None
    return towards * (point - math.log(limit)), error / _widths(comparison)


def _widths(comparison: Comparison) -> float:
    """Return how many standard errors an interval reaches to each side."""
    look = comparison.look
    if look is None:
        return float(stats.norm.ppf(1 - comparison.alpha / 2))
    return half_width(1.0, look.units, look.tuning, look.alpha)
