"""Intervals that hold at every look: asymptotic confidence sequences.

Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, "Time-uniform central limit theory and asymptotic
confidence sequences", arXiv 2103.06476.
"""

from __future__ import annotations

import math

import msgspec
from scipy import stats

from abmiddleware.analysis.inference.comparison import Comparison, Interval, Look
from abmiddleware.design.sequence import half_width, rho_squared


def at_every_look(comparison: Comparison, units: int, tuning: int, alpha: float) -> Comparison:
    """Return a comparison whose intervals and p-value hold however often one looks.

    Args:
        comparison: by a fixed test.
        units: of both variations.
        tuning: the number of units at which the interval should be narrowest.
        alpha: one minus the level of the intervals.
    """
    error, method = comparison.standard_error, f"{comparison.method}, confidence sequence"
    if not error > 0:
        look = Look(units, tuning, alpha)
        effect = Interval(comparison.effect.estimate, -math.inf, math.inf)
        return msgspec.structs.replace(
            comparison, effect=effect, lift=None, method=method, p_value=1.0, look=look
        )
    half = half_width(error, units, tuning, alpha)
    estimate = comparison.effect.estimate
    lift = comparison.lift
    if lift is not None:
        factor = half / (error * stats.norm.ppf(1 - alpha / 2))
        quotient = lift if comparison.control > 0 else lift.negative()
        widened = _widened(quotient, float(factor))
        lift = widened if comparison.control > 0 else widened.negative()
    return msgspec.structs.replace(
        comparison,
        effect=Interval(estimate, estimate - half, estimate + half),
        lift=lift,
        p_value=p_value(estimate, error, Look(units, tuning, alpha)),
        method=method,
        look=Look(units, tuning, alpha),
    )


def p_value(estimate: float, error: float, look: Look) -> float:
    """Return the smallest level whose interval leaves zero out, with the tuning kept."""
    scaled = look.units * rho_squared(look.tuning, look.alpha)
    exponent = scaled * (estimate / error) ** 2 / (2 * (scaled + 1))
    return min(1.0, math.exp(min(700.0, 0.5 * math.log(scaled + 1) - exponent)))


def _widened(quotient: Interval, factor: float) -> Interval:
    """Return the interval of a quotient less one, wider by a factor in the logarithm."""
    if not quotient.low > -1:
        return quotient
    point, low, high = (math.log1p(one) for one in (quotient.estimate, quotient.low, quotient.high))
    return Interval(
        quotient.estimate,
        math.expm1(point + (low - point) * factor),
        math.expm1(point + (high - point) * factor),
    )
