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

#: Fewer values say nothing of their spread.
_FEWEST = 20


def quantiles(metric: Metric, activity: Activity, alpha: float) -> dict[str, Quantile]:
    """Return the quantile of each variation that has values enough.

    Raises:
        ConfigurationError: the source cannot be read.
    """
    rows = eligible(activity.of(metric.numerator), metric, activity.until_us)
    rows = (
        rows.filter(is_within(metric, rows, activity))
        .select("unit_id", "variation", "amount")
        .cache()
    )
    return {
        key: _quantile(rows.filter(rows.variation == key), key, metric.level, values, alpha)
        for key, values in queries.counts(rows, "variation").items()
        if values >= _FEWEST
    }


def _quantile(rows: Any, key: str, level: float, values: int, alpha: float) -> Quantile:
    import ibis

    estimate = queries.quantile(rows, "amount", level) or 0.0
    below = ibis.ifelse(rows.amount <= number(estimate), number(1), number(0))
    per_unit = rows.group_by(["unit_id", "variation"]).agg(
        **{VALUE: below.sum(), DIVISOR: rows.count().cast("float64")}
    )
    found = moments(per_unit, {key: int(queries.scalar(per_unit.count()))})
    error = ratio_error(found[key]) if found else 1.0
    low, high = (
        queries.quantile(rows, "amount", rank) or 0.0 for rank in ranks(level, error, alpha)
    )
    return Quantile(values, estimate, low, high)
