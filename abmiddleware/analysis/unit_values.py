"""What each unit did: the events of a metric within the time that counts."""

from __future__ import annotations

from typing import Any

from abmiddleware.analysis.activity import Activity
from abmiddleware.analysis.moments import BEFORE, DIVISOR, DIVISOR_BEFORE, VALUE
from abmiddleware.analysis.population import microseconds
from abmiddleware.analysis.queries import number
from abmiddleware.design.metrics import Measure, Metric


def eligible(units: Any, metric: Metric, until_us: int) -> Any:
    """Return the units whose window has closed: others have had less time than they."""
    if not metric.window_days:
        return units
    return units.filter(units.first_us + microseconds(metric.window_days) <= until_us)


def unit_values(metric: Metric, activity: Activity) -> Any:
    """Return a table of the units that did something: `variation` and the columns.

    Args:
        metric: any but a quantile.
        activity: the events of all units; those that are not eligible are left out.

    Raises:
        ConfigurationError: a source cannot be read.
    """
    if metric.kind == "funnel":
        return _funnel(metric, activity)
    rows = _rows(metric, metric.numerator, activity, VALUE, BEFORE)
    if metric.denominator is not None:
        others = _rows(metric, metric.denominator, activity, DIVISOR, DIVISOR_BEFORE)
        names = rows.columns + tuple(name for name in others.columns if name not in rows.columns)
        rows = _filled(rows, names).union(_filled(others, names))
    values = _shares(rows) if metric.is_share else _summed(rows, metric)
    return values.drop("unit_id")


def _rows(metric: Metric, measure: Measure, activity: Activity, after: str, before: str) -> Any:
    """Return the events of a measure, each with its unit and its amounts after and before."""
    import ibis

    rows = eligible(activity.of(measure), metric, activity.until_us)
    amount = number(1) if measure.aggregate == "count" else rows.amount
    within = is_within(metric, rows, activity)
    nothing = ibis.null("float64")  # and not 0, which is more than a negative value
    columns = {after: ibis.ifelse(within, amount, nothing)}
    wanted = within
    if metric.cuped_days:
        # Before the exposure, not the activation: between the two the treatment may have worked.
        since = rows.exposed_us - microseconds(metric.cuped_days)
        is_before = (rows.ts_us >= since) & (rows.ts_us < rows.exposed_us)
        columns[before] = ibis.ifelse(is_before, amount, nothing)
        wanted |= is_before
    kept = rows.mutate(**columns).filter(wanted)
    return kept.select("unit_id", "variation", *columns)


def is_within(metric: Metric, rows: Any, activity: Activity) -> Any:
    """Return whether each event of units is in the time that counts."""
    within = rows.ts_us >= rows.first_us + microseconds(metric.after_days)
    if metric.window_days:
        return within & (rows.ts_us < rows.first_us + microseconds(metric.window_days))
    return within & (rows.ts_us < activity.end_us)


def _shares(rows: Any) -> Any:
    """Return 1 for each unit that has an event, in time and before."""
    names = [name for name in (VALUE, BEFORE) if name in rows.columns]
    return rows.group_by(["unit_id", "variation"]).agg(
        **{name: rows[name].max().fill_null(number(0)) for name in names}
    )


def _summed(rows: Any, metric: Metric) -> Any:
    aggregates = {VALUE: metric.aggregate, BEFORE: metric.aggregate}
    if metric.denominator is not None:
        aggregates |= dict.fromkeys((DIVISOR, DIVISOR_BEFORE), metric.denominator.aggregate)
    return rows.group_by(["unit_id", "variation"]).agg(
        **{
            name: (rows[name].max() if how == "max" else rows[name].sum()).fill_null(number(0))
            for name, how in aggregates.items()
            if name in rows.columns
        }
    )


def _filled(rows: Any, names: tuple[str, ...]) -> Any:
    import ibis

    missing = {name: ibis.null("float64") for name in names if name not in rows.columns}
    return rows.mutate(**missing).select(*names)


def _funnel(metric: Metric, activity: Activity) -> Any:
    """Return the units that went through all steps, each not before the one that comes first."""
    units = eligible(activity.units, metric, activity.until_us)
    reached, before = units.select("unit_id", "variation", at_us=units.first_us), ""
    for step in metric.steps:
        happened = activity.of(Measure(event=step, aggregate="count"))
        rows = happened.join(reached.drop("variation"), "unit_id")
        # One event is not two steps.
        is_next = rows.ts_us > rows.at_us if step == before else rows.ts_us >= rows.at_us
        rows = rows.filter(is_next & is_within(metric, rows, activity))
        reached = rows.group_by(["unit_id", "variation"]).agg(at_us=rows.ts_us.min())
        before = step
    return reached.select("variation", **{VALUE: number(1)})
