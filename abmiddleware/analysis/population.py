"""Who takes part in an analysis: each unit once, at its first exposure."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import msgspec

from abmiddleware.analysis import queries
from abmiddleware.analysis.events import Events
from abmiddleware.design.metrics import Measure

#: Microseconds of a day, and the day that they are counted from.
DAY: Final = 86_400_000_000
EPOCH: Final = dt.date(1970, 1, 1)


class Population(msgspec.Struct, frozen=True):
    """The units of an experiment, and those that were left out."""

    #: A table of Ibis: `unit_id`, `variation`, and the instants from which events count, and of
    #: the first exposure: `first_us`, `exposed_us`.
    units: Any
    #: By variation key, how many units were first exposed on each day since 1970.
    daily: dict[str, dict[int, int]]
    #: Units that met more than one variation; they are left out.
    crossovers: int = 0
    #: Exposures that somebody forced; they are left out.
    forced: int = 0
    #: Exposures without a unit or a variation; they are left out.
    broken: int = 0
    #: Exposures in all, of one phase, and records of units that were only assigned.
    exposures: int = 0
    assigned: int = 0
    #: The first and the last exposure, in microseconds since 1970; 0 for none.
    first_us: int = 0
    last_us: int = 0
    #: The definitions that decided, by the exposures of each.
    definitions: dict[str, int] = {}
    #: What was randomised by, by the exposures of each.
    unit_types: dict[str, int] = {}

    @property
    def counts(self) -> dict[str, int]:
        """The units of each variation."""
        return {key: sum(of.values()) for key, of in self.daily.items()}


def microseconds(days: float) -> int:
    """Return days in microseconds."""
    return round(days * DAY)


def day_of(instant_us: int) -> dt.date:
    """Return the day of an instant in microseconds since 1970, in UTC."""
    return EPOCH + dt.timedelta(days=instant_us // DAY)


def population(
    exposures: Any, key: str, phase: int, until_us: int, kind: str = "exposed"
) -> Population:
    """Return the units that were exposed before an instant.

    Args:
        exposures: the table.
        key: of the experiment.
        phase: phases are never pooled.
        until_us: the instant, in microseconds since 1970.
        kind: of the records, "exposed" or "assigned".
    """
    everything = exposures.mutate(forced=exposures.forced.fill_null(False)).filter(
        exposures.experiment_key == key,
        exposures.phase == phase,
        exposures.ts_us < until_us,
    )
    rows = everything.filter(everything.kind == kind)
    counted = rows.filter(~rows.forced & rows.unit_id.notnull() & rows.variation_key.notnull())
    seen = counted.group_by("unit_id").agg(
        variation=counted.variation_key.min(),
        other=counted.variation_key.max(),
        first_us=counted.ts_us.min(),
        exposed_us=counted.ts_us.min(),
    )
    seen = seen.mutate(is_crossover=seen.variation != seen.other).drop("other").cache()
    units = seen.filter(~seen.is_crossover).drop("is_crossover")
    of_crossovers = queries.counts(seen, "is_crossover")
    return msgspec.structs.replace(
        _facts(everything, kind),
        units=units,
        daily=_daily(units),
        crossovers=of_crossovers.get("True", 0),
    )


def _facts(rows: Any, kind: str) -> Population:
    """Return what is known of exposures, without their units, by one look at them."""
    rows = rows.mutate(is_broken=rows.unit_id.isnull() | rows.variation_key.isnull())
    groups = rows.group_by(["kind", "config_hash", "unit_type", "forced", "is_broken"]).agg(
        rows=rows.count(), first_us=rows.ts_us.min(), last_us=rows.ts_us.max()
    )
    found = queries.rows(groups)
    assigned = sum(group["rows"] for group in found if group["kind"] == "assigned")
    found = [group for group in found if group["kind"] == kind]
    counted = [group for group in found if not group["forced"] and not group["is_broken"]]
    return Population(
        None,
        {},
        forced=sum(group["rows"] for group in found if group["forced"]),
        broken=sum(group["rows"] for group in found if group["is_broken"]),
        exposures=sum(group["rows"] for group in found),
        assigned=assigned,
        first_us=min((group["first_us"] for group in counted), default=0),
        last_us=max((group["last_us"] for group in counted), default=0),
        definitions=_summed(counted, "config_hash"),
        unit_types=_summed(counted, "unit_type"),
    )


def _summed(groups: list[dict[str, Any]], name: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for group in sorted(groups, key=lambda group: str(group[name])):
        sums[str(group[name])] = sums.get(str(group[name]), 0) + group["rows"]
    return sums


def activated(population: Population, events: Events, event: str, until_us: int) -> Population:
    """Return the units that had an event since their exposure, from that event on.

    Args:
        population: who was exposed.
        events: the journal's.
        event: the name.
        until_us: the instant before which it must have happened, in microseconds since 1970.
    """
    units = population.units
    happened = events.measured(Measure(event=event, aggregate="count"))
    joined = happened.join(units, "unit_id")
    joined = joined.filter(joined.ts_us >= joined.exposed_us, joined.ts_us < until_us)
    reached = joined.group_by(["unit_id", "variation", "exposed_us"])
    reached = reached.agg(first_us=joined.ts_us.min()).cache()
    return msgspec.structs.replace(population, units=reached, daily=_daily(reached))


def left_out(suppressions: Any, key: str, phase: int, until_us: int) -> dict[str, int]:
    """Return how many exposures were not recorded before an instant, by reason.

    Args:
        suppressions: the table; None where there is none.
        key: of the experiment.
        phase: its phase.
        until_us: the instant, in microseconds since 1970.
    """
    if suppressions is None:
        return {}
    found = suppressions.filter(
        suppressions.experiment_key == key,
        suppressions.phase == phase,
        suppressions.ts_us < until_us,
    )
    # What is shipped at least once may be there twice.
    each = found.group_by(["event_id", "reason"]).agg(requests=found["count"].max())
    sums = each.group_by("reason").agg(requests=each.requests.sum())
    return {row["reason"]: int(row["requests"]) for row in queries.rows(sums.order_by("reason"))}


def _daily(units: Any) -> dict[str, dict[int, int]]:
    days = units.mutate(day=(units.first_us / DAY).floor().cast("int64"))
    table = queries.rows(days.group_by(["variation", "day"]).agg(units=days.count()))
    found: dict[str, dict[int, int]] = {}
    for row in sorted(table, key=lambda row: (row["variation"], row["day"])):
        found.setdefault(row["variation"], {})[row["day"]] = row["units"]
    return found
