"""Shares of units that did something, such as those that bought."""

from __future__ import annotations

import math
from typing import Final

from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from abmiddleware.analysis.inference.comparison import Comparison, Interval
from abmiddleware.analysis.inference.lifts import lift_of

#: Where fewer are expected in any cell, the test is Fisher's exact one.
_FEWEST: Final = 5.0


def compare(
    control: tuple[int, int], treatment: tuple[int, int], alpha: float = 0.05
) -> Comparison:
    """Compare the shares of a variation and the control, each as successes and units.

    The two-proportion z-test, pooled and without a correction for continuity, or Fisher's exact
    test where a cell is expected to have fewer than five. Newcombe's interval of the difference;
    the lift's is that of the logarithm of the quotient (Katz). Where nobody or everybody of a
    variation has it, the standard error is that of Agresti & Caffo 2000, which is never zero.
    """
    (successes_a, units_a), (successes_b, units_b) = control, treatment
    share_a, share_b = successes_a / units_a, successes_b / units_b
    low, high = confint_proportions_2indep(
        successes_b, units_b, successes_a, units_a, compare="diff", method="newcomb", alpha=alpha
    )
    variance = share_a * (1 - share_a) / units_a
    p_value, method = _tested(control, treatment)
    lift, why = lift_of(share_a, share_b, math.sqrt(variance), _ratio(control, treatment, alpha))
    return Comparison(
        share_a,
        share_b,
        Interval(share_b - share_a, float(low), float(high)),
        lift,
        p_value,
        _error(control, treatment),
        method,
        why,
        alpha,
    )


def _tested(control: tuple[int, int], treatment: tuple[int, int]) -> tuple[float, str]:
    (successes_a, units_a), (successes_b, units_b) = control, treatment
    successes, units = successes_a + successes_b, units_a + units_b
    if successes in (0, units):  # all alike: nothing speaks for a difference
        return 1.0, "two-proportion z-test"
    rarer = min(successes, units - successes)
    if rarer * min(units_a, units_b) / units < _FEWEST:
        table = [[successes_a, units_a - successes_a], [successes_b, units_b - successes_b]]
        return float(stats.fisher_exact(table)[1]), "Fisher's exact test"
    _, p_value = proportions_ztest([successes_b, successes_a], [units_b, units_a])
    return float(p_value), "two-proportion z-test"


def _error(control: tuple[int, int], treatment: tuple[int, int]) -> float:
    """Return the standard error of the difference."""
    more = 0 if all(0 < successes < units for successes, units in (control, treatment)) else 1
    variance = 0.0
    for successes, units in (control, treatment):
        share = (successes + more) / (units + 2 * more)
        variance += share * (1 - share) / (units + 2 * more)
    return math.sqrt(variance)


def _ratio(control: tuple[int, int], treatment: tuple[int, int], alpha: float) -> Interval:
    """Return the quotient of the shares, less one."""
    (successes_a, units_a), (successes_b, units_b) = control, treatment
    if not successes_a or not successes_b:
        estimate = -1.0 if successes_a else math.nan
        return Interval(estimate, -1.0, math.nan)
    if successes_a == units_a and successes_b == units_b:
        return Interval(0.0, math.nan, math.nan)  # Katz would have no doubt
    low, high = confint_proportions_2indep(
        successes_b, units_b, successes_a, units_a, compare="ratio", method="log", alpha=alpha
    )
    quotient = (successes_b / units_b) / (successes_a / units_a)
    return Interval(quotient - 1, float(low) - 1, float(high) - 1)
