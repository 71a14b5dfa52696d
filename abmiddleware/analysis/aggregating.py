"""From units to moments, in the warehouse: the rows of units never leave it.

Units without events are in no row, and count as zeros by their number. Means come first, and sums
about them second: sums of squares lose the spread of large values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from abmiddleware.analysis.moments import COLUMNS, VALUE, Moments
from abmiddleware.analysis.queries import number, quantile, rows
from abmiddleware.design.metrics import Metric


def capped(values: Any, metric: Metric) -> Any:
    """Return values of units, none above the metric's cap."""
    import ibis

    limits = []
    if metric.cap_at:
        limits.append(metric.cap_at)
    if metric.cap:
        found = quantile(values.filter(values[VALUE] > 0), VALUE, metric.cap)
        if found is not None and found == found:
            limits.append(found)
    if not limits:
        return values
    return values.mutate(**{VALUE: ibis.least(values[VALUE], number(min(limits)))})


def moments(values: Any, counts: Mapping[str, int]) -> dict[str, Moments]:
    """Return the moments of each variation that has two units or more.

    Args:
        values: the columns of units that did something.
        counts: all units of each variation.
    """
    names = [name for name in COLUMNS if name in values.columns]
    known = {key: units for key, units in counts.items() if units > 1}
    sums = _by_variation(values, {name: values[name].sum() for name in names}, known)
    means = {
        key: {name: float(sums[key].get(name) or 0.0) / units for name in names}
        for key, units in known.items()
    }
    pairs = [(left, right) for i, left in enumerate(names) for right in names[i:]]
    centred = {name: values[name] - _of_variation(values, means, name) for name in names}
    products = {
        f"p{place}": (centred[left] * centred[right]).sum()
        for place, (left, right) in enumerate(pairs)
    }
    found = _by_variation(values, products, known)
    return {
        key: Moments(
            units,
            means[key],
            {
                (left, right): (
                    float(found[key].get(f"p{place}") or 0.0)
                    + (units - found[key].get("rows", 0)) * means[key][left] * means[key][right]
                )
                / (units - 1)
                for place, (left, right) in enumerate(pairs)
            },
        )
        for key, units in known.items()
    }


def _by_variation(
    values: Any, columns: Mapping[str, Any], known: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
    table = values.group_by("variation").agg(rows=values.count(), **columns)
    found = {row["variation"]: row for row in rows(table)}
    return {key: found.get(key, {}) for key in known}


def _of_variation(values: Any, means: Mapping[str, Mapping[str, float]], name: str) -> Any:
    """Return an expression of the mean of each row's variation."""
    import ibis

    if not means:
        return number(0)
    cases = [(values.variation == key, number(of[name])) for key, of in means.items()]
    return ibis.cases(*cases, else_=number(0))
