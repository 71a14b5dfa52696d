"""Metrics that must not get worse by more than a margin."""

from __future__ import annotations

from scipy import stats

from abmiddleware.analysis.inference.comparison import Comparison
from abmiddleware.analysis.inference.sequential import p_value


def p_of_harm(comparison: Comparison, margin: float, direction: int) -> float:
    """Return the p-value of "it is worse than the margin": a small one shows that it is not.

    A one-sided test of non-inferiority, as of Schuirmann 1987, with the normal distribution; at one
    look of many by the confidence sequence, whose two sides make it a little strict. Where nothing
    is known of the spread, as without any events, nothing is shown to hold.

    Args:
        comparison: of the metric.
        margin: the largest loss that is accepted, as a share of the control's size.
        direction: 1 where more is better, -1 where less is.
    """
    error = comparison.standard_error
    if not error > 0:
        return 1.0
    allowed = margin * abs(comparison.control)
    distance = allowed + direction * comparison.effect.estimate
    if comparison.look is not None:
        return 1.0 if distance <= 0 else p_value(distance, error, comparison.look)
    return float(stats.norm.sf(distance / error))


def is_harmed(comparison: Comparison, direction: int) -> bool:
    """Tell whether the whole interval lies where things are worse, by however little."""
    effect = comparison.effect if direction > 0 else comparison.effect.negative()
    return effect.high < 0
