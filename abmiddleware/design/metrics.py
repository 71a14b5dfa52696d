"""What experiments are judged by: metrics over events, and where the events are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import DefinitionError

#: The source that is always there: the outcomes that `track` recorded.
JOURNAL: Final = "journal"
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


#: What a metric makes of a unit's events: whether there is one; their sum, count or largest value,
#: which is 0 without any; of two such the ratio over all units; a quantile of the values of all
#: events; whether there is one in a later time; whether there is one of each step, in their order.
Kind = Literal["proportion", "mean", "ratio", "quantile", "retention", "funnel"]
Direction = Literal["up", "down"]
#: How a unit's events become a number.
Aggregate = Literal["sum", "count", "max"]


class EventSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of events of the team's warehouse, or a query that makes one.

    Every row is an event: when it was, whose, and how much.
    """

    table: str = ""
    sql: str = ""
    #: The column of the time: integer microseconds since 1970, or a timestamp.
    time: str = "ts_us"
    #: By the attribute that an experiment randomises by, the column that holds its ids.
    ids: dict[str, str] = {}


class Measure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number of a unit: its events of one source, summed, counted, or the largest."""

    #: Of the journal, the name that `track` was given.
    event: str = ""
    source: str = JOURNAL
    aggregate: Aggregate = "sum"
    #: What is summed; the journal has `value`.
    column: str = "value"


class Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One metric.

        Metric(kind="proportion", event="purchase", window_days=7)

    Events count from the unit's first exposure to the end of the window, which is exclusive.
    Units without any count as 0, so that who did nothing is not left out.
    """

    kind: Kind
    event: str = ""
    source: str = JOURNAL
    aggregate: Aggregate = "sum"
    column: str = "value"
    #: What is good.
    direction: Direction = "up"
    #: Days from the first exposure within which an event counts; 0 for all up to the analysis.
    window_days: float = 0.0
    #: Of retention, the days from the first exposure after which an event counts.
    after_days: float = 0.0
    #: Of a ratio, what is divided by.
    denominator: Measure | None = None
    #: Of a quantile, which, such as 0.95.
    level: float = 0.0
    #: Of a funnel, the events of its steps.
    steps: tuple[str, ...] = ()
    #: Values of units above this quantile of those above 0 are lowered to it, such as 0.999.
    cap: float = 0.0
    #: Values of units above this are lowered to it.
    cap_at: float = 0.0
    #: Days before the first exposure whose events narrow the intervals (CUPED); 0 for none.
    cuped_days: float = 0.0
    #: As a guardrail, the largest loss that is accepted, as a share of the control.
    margin: float = 0.02
    #: The smallest relative effect that the experiment should find.
    mde: float = 0.0
    #: What is shown behind a value, such as "€".
    unit: str = ""
    description: str = ""

    @property
    def numerator(self) -> Measure:
        """What is measured."""
        aggregate: Aggregate = "count" if self.is_share else self.aggregate
        return Measure(self.event, self.source, aggregate, self.column)

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return 1 if self.direction == "up" else -1

    @property
    def is_share(self) -> bool:
        """Whether each unit has it or has not."""
        return self.kind in ("proportion", "retention", "funnel")


def check_metric(path: str, metric: Metric, sources: Mapping[str, EventSource]) -> None:
    """Check that a metric can be computed.

    Args:
        path: where it stands, such as `metrics.conversion`.
        metric: the metric.
        sources: by name, those that there are.

    Raises:
        DefinitionError: it cannot; the message tells where, what and the mend.
    """
    for name in ("window_days", "after_days", "cuped_days", "cap_at", "mde"):
        if not getattr(metric, name) >= 0:
            raise DefinitionError(
                f"{path}.{name}", f"is {getattr(metric, name)}, must be 0 or more"
            )
    for name in ("cap", "level", "margin"):
        if not 0 <= getattr(metric, name) < 1:
            raise DefinitionError(f"{path}.{name}", f"is {getattr(metric, name)}, must be 0 to 1")
    _check_kind(path, metric)
    measures = {path: metric.numerator}
    if metric.denominator is not None:
        measures[f"{path}.denominator"] = metric.denominator
    for place, measure in measures.items():
        _check_measure(place, measure, metric, sources)


def _check_kind(path: str, metric: Metric) -> None:
    kind = metric.kind
    needs = {
        "ratio": ("denominator", "a table, such as {event = 'visit', aggregate = 'count'}"),
        "quantile": ("level", "a share, such as 0.95"),
        "funnel": ("steps", "two events or more, such as ['cart', 'purchase']"),
        "retention": ("after_days", "days, such as 7"),
    }
    for owner, (name, must) in needs.items():
        value = getattr(metric, name)
        if owner == kind and not value:
            raise DefinitionError(f"{path}.{name}", f"is missing, must be {must}")
        if owner != kind and value:
            raise DefinitionError(
                f"{path}.{name}", f"is of a {owner}, must be left out of a {kind}"
            )
    if kind == "funnel" and len(metric.steps) < 2:
        raise DefinitionError(f"{path}.steps", f"is {list(metric.steps)}, must be two or more")
    if kind == "retention" and metric.window_days <= metric.after_days:
        raise DefinitionError(
            f"{path}.window_days",
            f"is {metric.window_days:g}, must be more than after_days, {metric.after_days:g}: "
            "until then a unit counts neither way",
        )
    if metric.cuped_days and kind in ("quantile", "retention", "funnel"):
        raise DefinitionError(f"{path}.cuped_days", f"must be left out of a {kind}")
    if (metric.cap or metric.cap_at) and kind != "mean":
        raise DefinitionError(f"{path}.cap", f"is of a mean, must be left out of a {kind}")


def _check_measure(
    path: str, measure: Measure, metric: Metric, sources: Mapping[str, EventSource]
) -> None:
    if measure.source != JOURNAL:
        if measure.source not in sources:
            known = ", ".join(map(repr, [JOURNAL, *sources]))
            raise DefinitionError(
                f"{path}.source", f"is {measure.source!r}, must be one of {known}"
            )
        if metric.kind == "funnel":
            raise DefinitionError(f"{path}.source", "must be left out: funnels are of the journal")
    elif not measure.event and metric.kind != "funnel":
        raise DefinitionError(
            f"{path}.event", "is missing, must be the name that track() was given"
        )


def check_source(path: str, source: EventSource) -> None:
    """Check that a source says where its events are.

    Raises:
        DefinitionError: it does not.
    """
    if bool(source.table) == bool(source.sql):
        raise DefinitionError(path, "has a table or a query, must have one of the two")
    if not source.ids:
        raise DefinitionError(
            f"{path}.ids",
            "is missing, must tell the columns of ids, such as {id = 'visitor_id'}",
        )


def check_name(path: str, name: str) -> None:
    """Check the name of a metric, a source or an experiment.

    Raises:
        DefinitionError: it has other characters, or too many.
    """
    if not _NAME.fullmatch(name):
        raise DefinitionError(path, f"is {shown(name)}, must be 1 to 64 of A-Z a-z 0-9 _ . and -")
