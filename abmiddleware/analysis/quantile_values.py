"""Quantiles of the values of all events, with errors that know that a unit's are alike."""

from __future__ import annotations

from typing import Any

from abmiddleware.analysis import queries
from abmiddleware.analysis.activity import Activity
from abmiddleware.analysis.aggregating import moments
from abmiddleware.analysis.inference.means import ratio_error
from abmiddleware.analysis.inference.quantiles import Quantile, ranks
from abmiddleware.analysis.moments import DIVISOR, VALUE
from abmiddleware.analysis.queries import number
from abmiddleware.analysis.unit_values import eligible, is_within
from abmiddleware.design.metrics import Metric

#: Units of a variation on either side of a quantile, as many as it expects; fewer tell too little.
_FEWEST = 10


def quantiles(metric: Metric, activity: Activity, alpha: float) -> dict[str, Quantile]:
    """Return the quantile of each variation that has units enough on either side of it.

    Raises:
        ConfigurationError: the source cannot be read.
    """
    rows = eligible(activity.of(metric.numerator), metric, activity.until_us)
    rows = (
        rows.filter(is_within(metric, rows, activity))
        .select("unit_id", "variation", "amount")
        .cache()
    )
    found = {
        key: _quantile(rows.filter(rows.variation == key), key, metric.level, values, alpha)
        for key, values in queries.counts(rows, "variation").items()
    }
    return {key: one for key, one in found.items() if one is not None}


def _quantile(rows: Any, key: str, level: float, values: int, alpha: float) -> Quantile | None:
    import ibis

    units = int(queries.scalar(rows.unit_id.nunique()))
    if units * min(level, 1 - level) < _FEWEST:
        return None
    estimate = queries.quantile(rows, "amount", level) or 0.0
    below = ibis.ifelse(rows.amount <= number(estimate), number(1), number(0))
    per_unit = rows.group_by(["unit_id", "variation"]).agg(
        **{VALUE: below.sum(), DIVISOR: rows.count().cast("float64")}
    )
    found = moments(per_unit, {key: units})
    low, high = (
        queries.quantile(rows, "amount", rank) or 0.0
        for rank in ranks(level, ratio_error(found[key]), alpha)
    )
    below_low = queries.scalar(rows.filter(rows.amount < number(low)).amount.max())
    above_high = queries.scalar(rows.filter(rows.amount > number(high)).amount.min())
    return Quantile(
        values,
        estimate,
        low if below_low is None else below_low,
        high if above_high is None else above_high,
    )
