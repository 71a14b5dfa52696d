"""Rules that look at records: whether a plan can be measured on what is there (L5, L15, L20, L23).

What was recorded in the last four weeks stands for what will be: its units are spread by the hash
of the plan as if it had run.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from abmiddleware.analysis import queries
from abmiddleware.analysis.activity import Activity
from abmiddleware.analysis.aggregating import moments
from abmiddleware.analysis.inference import means
from abmiddleware.analysis.moments import VALUE
from abmiddleware.analysis.population import microseconds
from abmiddleware.analysis.subject import Subject
from abmiddleware.analysis.unit_values import unit_values
from abmiddleware.analysis.warehouse import Warehouse
from abmiddleware.design.lint.finding import Case, Finding
from abmiddleware.design.metrics import JOURNAL, Metric
from abmiddleware.evaluation.buckets import bucket_ranges, choose_variation
from abmiddleware.evaluation.hashing import bucket_of

#: Days that are looked at, and those in which outcomes must find their units.
_DAYS: Final = 28.0
_JOINED_DAYS: Final = 7.0
_LEAST_JOINED: Final = 0.95
#: The share of units that must not have more than this share of a sum.
_TOP: Final = 0.001
_MOST_OF_SUM: Final = 0.2
_BALANCE: Final = 0.001


class Past(msgspec.Struct, frozen=True, eq=False):
    """What the units of a plan did before it."""

    case: Case
    #: Without a window, so that all that is there counts.
    metrics: dict[str, Metric]
    activity: Activity
    #: By the variation that the plan would give them.
    counts: dict[str, int]


def readiness(case: Case, warehouse: Warehouse, now: dt.datetime) -> list[Finding]:
    """Return what in the records speaks against a plan.

    Args:
        case: the experiment, its record and all beside it.
        warehouse: where exposures and events are.
        now: the instant up to which records count.

    Raises:
        ConfigurationError: a source cannot be read.
    """
    until_us = round(now.timestamp() * 1_000_000)
    metrics = {
        name: msgspec.structs.replace(case.designs.metrics[name], window_days=0.0, cuped_days=0.0)
        for name in (*case.record.goals, *case.record.guardrails)
    }
    ids = _ids(case, warehouse, until_us)
    if not ids:
        problem = (
            f"cannot be tried: no unit by {case.plan.hash_attribute!r} was exposed in the last "
            f"{_DAYS:g} days"
        )
        return [case.warning("L15", "unit", problem)]
    variations = _spread(case, ids)
    units = _table(ids, variations, until_us - microseconds(_DAYS))
    activity = Activity(units, warehouse, case.plan.hash_attribute, until_us, until_us)
    past = Past(case, metrics, activity, dict(Counter(variations)))
    return [*_rows(past), *_joined(past), *_balance(past), *_tails(past)]


def _ids(case: Case, warehouse: Warehouse, until_us: int) -> list[str]:
    """Return the units of any experiment by the plan's attribute."""
    rows = warehouse.exposures
    rows = rows.filter(
        rows.unit_type == case.plan.hash_attribute,
        rows.kind == "exposed",
        rows.ts_us >= until_us - microseconds(_DAYS),
        rows.ts_us < until_us,
    )
    return [row["unit_id"] for row in queries.rows(rows.select("unit_id").distinct())]


def _spread(case: Case, ids: list[str]) -> list[str]:
    """Return the variation of each unit, by the real hash."""
    arms = [one.key for one in Subject.of(case.plan).variations]
    definition = case.plan.definition
    bucket = bucket_of(definition.seed or case.plan.key, definition.hash_version)
    ranges = bucket_ranges(len(arms), None, definition.weights)
    if bucket is None:
        return [arms[0]] * len(ids)
    return [arms[choose_variation(bucket(unit), ranges)] for unit in ids]


def _table(ids: list[str], variations: list[str], first_us: int) -> Any:
    import ibis

    columns = {"unit_id": ids, "variation": variations, "first_us": [first_us] * len(ids)}
    schema = ibis.schema({"unit_id": "string", "variation": "string", "first_us": "int64"})
    units = ibis.memtable(columns, schema=schema)
    return units.mutate(exposed_us=units.first_us)


def _rows(past: Past) -> Iterator[Finding]:
    """Ask for events of each metric (L5)."""
    for name, metric in past.metrics.items():
        measures = [metric.numerator] if metric.kind != "funnel" else []
        if metric.denominator is not None:
            measures.append(metric.denominator)
        for measure in measures:
            if not queries.scalar(past.activity.of(measure).count()):
                what = measure.event or measure.source
                yield past.case.error(
                    "L5", "metrics", f"{name!r} has no {what!r} of any unit in {_DAYS:g} days"
                )


def _joined(past: Past) -> Iterator[Finding]:
    """Ask whether outcomes and exposures name units alike (L15)."""
    activity = past.activity
    events = activity.warehouse.events(JOURNAL, activity.unit_type).table
    since = activity.until_us - microseconds(_JOINED_DAYS)
    recent = events.filter(events.ts_us >= since, events.ts_us < activity.until_us)
    ids = recent.select("unit_id").distinct()
    every = queries.scalar(ids.count())
    joined = queries.scalar(ids.semi_join(activity.units, "unit_id").count())
    if every and joined / every < _LEAST_JOINED:
        yield past.case.error(
            "L15",
            "unit",
            f"{every - joined:,} of {every:,} units by {activity.unit_type!r} with outcomes in the "
            f"last {_JOINED_DAYS:g} days have no exposure: their ids differ, or they meet no "
            f"experiment; must be {_LEAST_JOINED:.0%} or more",
        )


def _balance(past: Past) -> Iterator[Finding]:
    """Ask whether the seed spreads evenly what units did before (L20)."""
    control, *others = [one.key for one in Subject.of(past.case.plan).variations]
    tried = {
        name: metric
        for name, metric in past.metrics.items()
        if metric.kind in ("mean", "proportion", "ratio")
    }
    for name, metric in tried.items():
        found = moments(unit_values(metric, past.activity).cache(), past.counts)
        for key in others:
            if control not in found or key not in found:
                continue
            p_value = means.compare(found[control], found[key]).p_value
            if p_value < _BALANCE / len(tried):
                yield past.case.warning(
                    "L20",
                    "seed",
                    f"spreads {name!r} of the last {_DAYS:g} days unevenly (p = {p_value:.1g}), "
                    "should be another one",
                )


def _tails(past: Past) -> Iterator[Finding]:
    """Ask for a cap where a few units have most of a sum (L23)."""
    for name in past.case.record.goals:
        metric = past.metrics[name]
        if metric.kind != "mean" or metric.aggregate != "sum" or metric.cap or metric.cap_at:
            continue
        values = unit_values(metric, past.activity).cache()
        total = queries.scalar(values[VALUE].sum())
        count = max(1, round(_TOP * queries.scalar(past.activity.units.count())))
        top = values.order_by(values[VALUE].desc()).limit(count)
        share = queries.scalar(top[VALUE].sum()) / total if total else 0.0
        if share > _MOST_OF_SUM:
            yield past.case.warning(
                "L23",
                "goals",
                f"{name!r}: {count:,} units have {share:.0%} of the sum, should have a cap",
            )
