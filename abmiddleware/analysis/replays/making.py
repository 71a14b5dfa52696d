"""Units that were recorded, and units that are made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from abmiddleware.analysis import population as populations
from abmiddleware.analysis.activity import Activity
from abmiddleware.analysis.aggregating import capped
from abmiddleware.analysis.moments import (
    BEFORE,
    COLUMNS,
    DIVISOR,
    DIVISOR_BEFORE,
    VALUE,
)
from abmiddleware.analysis.replays.units import Flags, Indices, Measured, Numbers, Units
from abmiddleware.analysis.subject import Subject
from abmiddleware.analysis.unit_values import eligible, unit_values
from abmiddleware.analysis.warehouse import Warehouse
from abmiddleware.design.designs import Designs
from abmiddleware.design.metrics import JOURNAL, Metric
from abmiddleware.design.power import check_question, question_of
from abmiddleware.design.record import ExperimentRecord
from abmiddleware.exceptions import ConfigurationError

#: Units below which nothing can be said.
_FEWEST_UNITS: Final = 100
#: What synthetic units are drawn by: each call draws the same.
_SOURCE: Final = 20_261_102


def recorded(
    subject: Subject,
    designs: Designs,
    warehouse: Warehouse,
    names: Sequence[str],
    until_us: int,
    by: str = "",
) -> Units:
    """Return the units that were exposed, with what each of them did; this leaves the warehouse.

    Args:
        subject: the experiment.
        designs: its record and its metrics.
        warehouse: where exposures and events are.
        names: of the metrics.
        until_us: the instant up to which records count, in microseconds since 1970.
        by: an id that outcomes have beside the unit's, which is hashed in its place; "" for none.

    Raises:
        ConfigurationError: there are too few units; no outcome has such an id; or the warehouse
            lacks a table or a column.
    """
    record = designs.experiments.get(subject.key, ExperimentRecord())
    found = populations.population(warehouse.exposures, subject.key, subject.phase, until_us)
    if record.activation:
        events = warehouse.events(JOURNAL, subject.unit_type)
        found = populations.activated(found, events, record.activation, until_us)
    # Values are told by variation: where the unit itself is its variation, by unit.
    alone = found.units.mutate(variation=found.units.unit_id).cache()
    rows = alone.select("unit_id", "first_us").to_pyarrow().to_pylist()
    rows.sort(key=lambda row: (row["first_us"], row["unit_id"]))
    ids = [str(row["unit_id"]) for row in rows]
    _check_count(subject.key, len(ids))
    metrics = {name: designs.metrics[name] for name in names}
    days = max((metric.cuped_days for metric in metrics.values()), default=0.0)
    activity = Activity(alone, warehouse, subject.unit_type, until_us, until_us, days)
    places = {unit: place for place, unit in enumerate(ids)}
    measured = {name: _measured(metric, activity, places) for name, metric in metrics.items()}
    return Units(ids, measured, _clusters(subject, warehouse, ids, by) if by else None)


def _check_count(key: str, count: int) -> None:
    if count < _FEWEST_UNITS:
        raise ConfigurationError(
            f"{key}: has {count} units, must have {_FEWEST_UNITS} or more to be replayed; "
            "make some up with --units 2000"
        )


def _measured(metric: Metric, activity: Activity, places: Mapping[str, int]) -> Measured:
    """Fetch what units did in a metric."""
    counts = np.zeros(len(places), dtype=bool)
    closed = eligible(activity.units, metric, activity.until_us).select("unit_id").to_pyarrow()
    counts[_places(closed["unit_id"], places)] = True
    values = capped(unit_values(metric, activity).cache(), metric)
    names = [name for name in COLUMNS if name in values.columns]
    amounts = {name: values[name].cast("float64") for name in names}
    table = values.select("variation", **amounts).to_pyarrow()
    at = _places(table["variation"], places)
    columns = {name: np.zeros(len(places)) for name in names}
    for name in names:
        columns[name][at] = np.nan_to_num(table[name].to_numpy())
    return Measured(metric, counts, columns)


def _places(column: Any, places: Mapping[str, int]) -> Indices:
    return np.array([places[str(unit)] for unit in column.to_pylist()], dtype=np.intp)


def _clusters(subject: Subject, warehouse: Warehouse, ids: Sequence[str], by: str) -> list[str]:
    """Return the cluster of each unit by outcomes that name both; a unit without is its own."""
    own = warehouse.events(JOURNAL, subject.unit_type).table.select("event_id", "unit_id")
    other = warehouse.events(JOURNAL, by).table
    both = own.join(other.select("event_id", cluster=other.unit_id), "event_id")
    rows = both.group_by("unit_id").agg(cluster=both.cluster.min()).to_pyarrow().to_pylist()
    known = {str(row["unit_id"]): str(row["cluster"]) for row in rows}
    if not any(unit in known for unit in ids):
        raise ConfigurationError(
            f"by: is {by!r}, must be an id that outcomes of units have: one that some experiment "
            "of the engine randomises by, or user_id"
        )
    return [known.get(unit, unit) for unit in ids]


def synthetic(
    name: str,
    metric: Metric,
    record: ExperimentRecord,
    count: int,
    *,
    drift: float = 0.0,
    cluster_size: int = 1,
    correlation: float = 0.0,
) -> Units:
    """Make up units as the record expects them, the same at each call.

    Args:
        name: of the metric.
        metric: a share or a mean.
        record: its baseline, and of a mean the standard deviation of a unit's value; values are
            of a gamma distribution, or of a normal one where the baseline is below 0.
        count: of the units.
        drift: by what share the baseline of the last units is above that of the first.
        cluster_size: units of each cluster, by which they are hashed; 1 for by themselves.
        correlation: how alike those of a cluster are (the intraclass correlation), 0 to 1.

    Raises:
        ConfigurationError: there are too few units, or no such clusters; or the metric cannot be
            made up.
        DefinitionError: the record has no baseline, or no deviation.
    """
    _check_made_up(name, metric, cluster_size, correlation)
    _check_count(name, count)
    check_question(question_of(record, metric, 2))
    source = np.random.default_rng(_SOURCE)
    cluster = np.arange(count) // cluster_size
    slope = 1 + drift * np.linspace(0, 1, count)
    draw = _shares if metric.is_share else _amounts
    values = draw(source, record, cluster, slope, correlation)
    measured = Measured(metric, np.ones(count, dtype=bool), {VALUE: values})
    return Units(
        [f"unit-{number}" for number in range(count)],
        {name: measured},
        [f"cluster-{number}" for number in cluster] if cluster_size > 1 else None,
    )


def _check_made_up(name: str, metric: Metric, cluster_size: int, correlation: float) -> None:
    if metric.kind == "ratio":
        raise ConfigurationError(
            f"metric: {name!r} is a ratio, of which units cannot be made up: must be a share or a "
            "mean, or leave --units out to take those of the journal"
        )
    if cluster_size < 1:
        raise ConfigurationError(f"cluster_size: is {cluster_size}, must be 1 or more")
    if not 0 <= correlation < 1:
        raise ConfigurationError(f"correlation: is {correlation:g}, must be 0 or more, and below 1")


def _shares(
    source: np.random.Generator,
    record: ExperimentRecord,
    cluster: Indices,
    slope: Numbers,
    correlation: float,
) -> Numbers:
    """Return 1 for each unit that has it; the shares of clusters are of a beta distribution."""
    share, clusters = record.baseline, int(cluster[-1]) + 1
    shares = np.full(clusters, share)
    if correlation:
        spread = (1 - correlation) / correlation
        shares = source.beta(share * spread, (1 - share) * spread, clusters)
    has_it: Flags = source.random(len(cluster)) < shares[cluster] * slope
    return has_it.astype(np.float64)


def _amounts(
    source: np.random.Generator,
    record: ExperimentRecord,
    cluster: Indices,
    slope: Numbers,
    correlation: float,
) -> Numbers:
    mean, deviation = record.baseline, record.deviation
    own = deviation * np.sqrt(1 - correlation)
    if mean > 0:
        values = source.gamma((mean / own) ** 2, own**2 / mean, len(cluster))
    else:
        values = source.normal(mean, own, len(cluster))
    shared = source.normal(0, deviation * np.sqrt(correlation), int(cluster[-1]) + 1)
    amounts: Numbers = (values + shared[cluster]) * slope
    return amounts


def whole_clusters(units: Units) -> Units:
    """Return clusters as units, each with the sums of its own: the ratio of two, by unit.

    That is how units are compared that are hashed by cluster: as many as were randomised.
    """
    texts = np.asarray(units.hashed)
    _, first, inverse = np.unique(texts, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    of = place[inverse]
    measured = {name: _summed(one, of, len(order)) for name, one in units.measured.items()}
    return Units([str(text) for text in texts[first[order]]], measured)


def _summed(measured: Measured, of: Indices, clusters: int) -> Measured:
    """Return a metric of clusters.

    Args:
        measured: that of units.
        of: the place of each unit's cluster.
        clusters: how many there are.
    """
    one = measured.counts.astype(np.float64)
    columns = dict(measured.columns)
    columns.setdefault(DIVISOR, one)
    if BEFORE in columns:
        columns.setdefault(DIVISOR_BEFORE, one)
    summed: dict[str, Numbers] = {
        name: np.bincount(of, columns[name] * one, clusters).astype(np.float64)
        for name in COLUMNS
        if name in columns
    }
    return Measured(measured.metric, np.bincount(of, one, clusters) > 0, summed)
