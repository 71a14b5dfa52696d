"""Differences of means and of ratios, adjusted by what was before: tea-tasting's on aggregates.

It has no types and names its arguments otherwise in each major version, so that they are given by
their place, here and nowhere else.
"""

from __future__ import annotations

import math
from typing import Any, Final

from scipy import stats

from abmiddleware.analysis.inference.comparison import Comparison, Interval, NoLift
from abmiddleware.analysis.inference.lifts import lift_of
from abmiddleware.analysis.moments import (
    BEFORE,
    COLUMNS,
    DIVISOR,
    DIVISOR_BEFORE,
    VALUE,
    Moments,
)

#: The level that standard errors are computed back from; any would do.
_LEVEL: Final = 0.95
#: Beyond it the squares of squares, which are needed, are no numbers.
_LARGEST: Final = 1e70
#: Standard errors from zero where every lift has bounds.
_FAR: Final = 1_000.0


def compare(control: Moments, treatment: Moments, alpha: float = 0.05) -> Comparison:
    """Compare the means of a variation and the control, or their ratios where there is a divisor.

    Welch's t-test; ratios by the delta method (Deng, Knoblich & Lu 2018), and with a column of
    what was before, the pooled adjustment of CUPED (Deng, Xu, Kohavi & Walker 2013). The lift's
    interval is that of the logarithm of the quotient.

    Args:
        control: of at least two units.
        treatment: of at least two units.
        alpha: one minus the level of the intervals.
    """
    if not all(map(_is_usable, (control, treatment))):
        return _unknown(control, treatment, "values that are too large, or nothing to divide by")
    if ratio_error(control) == ratio_error(treatment) == 0:
        return _unknown(control, treatment, "no spread")
    try:
        return _compared(control, treatment, alpha, 0.0)
    except OverflowError:
        # A mean is so near to zero that a lift has no bounds; what else there is, is the same far
        # from it.
        farther = max(control.ratio or 0.0, treatment.ratio or 0.0, key=abs)
        size = _FAR * (ratio_error(control) + ratio_error(treatment))
        away = math.copysign(size, farther)
        return _compared(_moved(control, away), _moved(treatment, away), alpha, away)


def _compared(control: Moments, treatment: Moments, alpha: float, away: float) -> Comparison:
    """Compare moments whose ratios were moved away from zero; by 0 where they were not."""
    used = _used(control, treatment)
    columns = [name if name in used else None for name in _ordered()]
    welch = _result(columns, control, treatment, 1 - alpha, use_t=True)
    normal = _result(columns, control, treatment, _LEVEL, use_t=False)
    width = 2 * stats.norm.ppf((1 + _LEVEL) / 2)
    error = float((normal.effect_size_ci_upper - normal.effect_size_ci_lower) / width)
    one, two = float(welch.control) - away, float(welch.treatment) - away
    ratio = Interval(
        float(welch.rel_effect_size),
        float(welch.rel_effect_size_ci_lower),
        float(welch.rel_effect_size_ci_upper),
    )
    if away:
        ratio = Interval(math.nan, math.nan, math.nan)
    lift, why = lift_of(one, two, ratio_error(control), ratio)
    p_value = float(welch.pvalue)
    return Comparison(
        one,
        two,
        Interval(
            float(welch.effect_size),
            float(welch.effect_size_ci_lower),
            float(welch.effect_size_ci_upper),
        ),
        lift,
        1.0 if math.isnan(p_value) else p_value,
        error,
        _method(columns),
        why,
        alpha,
    )


def _moved(moments: Moments, away: float) -> Moments:
    """Return the moments where each value is higher by so much for each of its divisor."""
    if DIVISOR not in moments.means:
        means = {**moments.means, VALUE: moments.means[VALUE] + away}
        return Moments(moments.units, means, moments.covariances)
    means = {**moments.means, VALUE: moments.means[VALUE] + away * moments.means[DIVISOR]}
    old, new = moments.covariances, dict(moments.covariances)
    for name in moments.means:
        if name != VALUE:
            key = (DIVISOR, name) if (DIVISOR, name) in old else (name, DIVISOR)
            new[VALUE, name] = old[VALUE, name] + away * old[key]
    new[VALUE, VALUE] = (
        old[VALUE, VALUE] + 2 * away * old[VALUE, DIVISOR] + away * away * old[DIVISOR, DIVISOR]
    )
    return Moments(moments.units, means, new)


def _is_usable(moments: Moments) -> bool:
    """Tell whether there is a mean or a ratio, of numbers that can be computed with."""
    means = all(abs(one) <= _LARGEST for one in moments.means.values())
    spreads = all(abs(one) <= _LARGEST**2 for one in moments.covariances.values())
    ratio = moments.ratio if means else None
    return spreads and ratio is not None and abs(ratio) <= _LARGEST


def _unknown(control: Moments, treatment: Moments, why: str) -> Comparison:
    """Return what can be said without an error: not much."""
    one, two = (math.nan if of.ratio is None else of.ratio for of in (control, treatment))
    effect = Interval(two - one, -math.inf, math.inf)
    return Comparison(one, two, effect, None, 1.0, 0.0, why, NoLift.UNDEFINED)


def _used(control: Moments, treatment: Moments) -> tuple[str, ...]:
    """Return the columns of units, without what was before if that has nothing to divide by."""
    names = tuple(name for name in COLUMNS if name in control.means)
    if all(of.means.get(DIVISOR_BEFORE, 1.0) for of in (control, treatment)):
        return names
    return tuple(name for name in names if name not in (BEFORE, DIVISOR_BEFORE))


def ratio_error(moments: Moments) -> float:
    """Return the standard error of a mean, or of a ratio by the delta method."""
    variance = moments.variance()
    if DIVISOR in moments.means:
        divisor, ratio = moments.mean(DIVISOR), moments.ratio
        if ratio is None:
            return math.inf
        covariance = moments.covariances[VALUE, DIVISOR]
        # By products, which overflow to infinity where powers raise.
        variance += ratio * ratio * moments.variance(DIVISOR) - 2 * ratio * covariance
        variance /= divisor * divisor
    return math.sqrt(max(0.0, variance) / moments.units)


def _ordered() -> tuple[str, ...]:
    """Return the columns in the order of tea-tasting's arguments."""
    return (VALUE, DIVISOR, BEFORE, DIVISOR_BEFORE)


def _result(
    columns: list[str | None], control: Moments, treatment: Moments, level: float, *, use_t: bool
) -> Any:
    from tea_tasting import RatioOfMeans

    metric = RatioOfMeans(*columns, confidence_level=level, use_t=use_t, equal_var=False)
    return metric.analyze_aggregates(_aggregates(control), _aggregates(treatment))


def _aggregates(moments: Moments) -> Any:
    from tea_tasting.aggr import Aggregates

    names = [name for name in COLUMNS if name in moments.means]
    pairs = {
        tuple(sorted((left, right))): moments.covariances[left, right]
        for place, left in enumerate(names)
        for right in names[place + 1 :]
    }
    return Aggregates(
        moments.units,
        {name: moments.mean(name) for name in names},
        {name: moments.variance(name) for name in names},
        pairs,
    )


def _method(columns: list[str | None]) -> str:
    words = ["Welch's t-test"]
    if columns[1]:
        words.append("delta method")
    if columns[2]:
        words.append("CUPED")
    return ", ".join(words)
