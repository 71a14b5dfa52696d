"""Analyses one experiment, from its plan and the warehouse to what may be said of it."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any, Final

import msgspec

from abmiddleware.analysis import population as populations
from abmiddleware.analysis.activity import Activity
from abmiddleware.analysis.analysis import Analysis, Arm, MetricResult
from abmiddleware.analysis.deciding import status_of, untrusted
from abmiddleware.analysis.healthiness import health_of, surprises, under_way
from abmiddleware.analysis.history import History
from abmiddleware.analysis.population import DAY, EPOCH, Population, day_of, microseconds
from abmiddleware.analysis.results import Results
from abmiddleware.analysis.sentences import sentence_of
from abmiddleware.analysis.subject import Subject
from abmiddleware.analysis.warehouse import Warehouse
from abmiddleware.design.designs import Designs
from abmiddleware.design.metrics import JOURNAL
from abmiddleware.design.power import question_of, units_for
from abmiddleware.design.record import WEEK, ExperimentRecord
from abmiddleware.design.shares import effective
from abmiddleware.exceptions import DefinitionError

#: The share of the units that a plan expects of a day below which it will not come to its size.
_LEAST_TRAFFIC: Final = 0.5


def analyse(
    subject: Subject,
    designs: Designs,
    warehouse: Warehouse,
    *,
    history: History | None = None,
    now: dt.datetime | None = None,
) -> Analysis:
    """Analyse an experiment as of an instant.

    A plan with a fixed end shows no effect before it, and counts nobody who came after it. One
    without a plan, or with a sequential one, shows intervals that hold at every look.

    Args:
        subject: the experiment.
        designs: its record and its metrics; one without a record is analysed by all metrics.
        warehouse: where exposures and events are.
        history: what the ledger tells of it.
        now: the instant; records after it do not count.

    Raises:
        ConfigurationError: the warehouse lacks a table or a column.
    """
    now = now or dt.datetime.now(dt.UTC)
    return _Analysing(subject, designs, warehouse, history or History(), now).analysis()


class _Analysing:
    """One analysis under way."""

    def __init__(
        self,
        subject: Subject,
        designs: Designs,
        warehouse: Warehouse,
        history: History,
        now: dt.datetime,
    ) -> None:
        known = designs.experiments.get(subject.key)
        self._subject = subject
        self._metrics = designs.metrics
        self._record = known or ExperimentRecord(secondary=tuple(designs.metrics))
        self._warehouse = warehouse
        self._history = history
        self._until_us = int(now.timestamp() * 1_000_000)
        self._today = now.astimezone(dt.UTC).date()
        #: Whether intervals must hold at every look: so was it planned, or it was not planned.
        self._is_sequential = self._record.sequential or self._record.end is None
        #: The instant after which nobody takes part any more.
        self._end_us = self._end()

    def analysis(self) -> Analysis:
        """Ask the warehouse, and conclude."""
        subject, record = self._subject, self._record
        exposed = self._population()
        activated = self._activated(exposed)
        counted = activated or exposed
        arms = [
            Arm(one.key, one.name, one.weight, counted.counts.get(one.key, 0))
            for one in subject.variations
        ]
        health = health_of(
            subject,
            exposed,
            activated,
            self._assigned(exposed),
            populations.left_out(
                self._warehouse.suppressions, subject.key, subject.phase, self._end_us
            ),
            self._history,
            self._end_us,
        )
        health.warnings.extend(self._traffic(exposed))
        withheld = self._withheld()
        metrics = self._results(counted.units, withheld)
        metrics = metrics if health.is_good else untrusted(metrics)
        health.warnings.extend(surprises(arms, metrics, self._history))
        health.warnings.extend(under_way(arms, metrics, min(counted.last_us, self._end_us)))
        status, winner = status_of(record, arms, health, metrics, withheld)
        if status in ("waiting", "running") and self._history.stopped_us:
            status = "inconclusive"
        days = self._days(exposed)
        if status in ("ship", "roll back") and days < WEEK:
            health.warnings.append(
                f"it has run {days} of {WEEK} days, and people differ by the day of the week"
            )
        first_day, daily = self._daily(counted)
        made = Analysis(
            subject.key,
            self._until_us,
            subject.phase,
            subject.unit_type,
            record.hypothesis,
            record.owner,
            arms,
            health,
            metrics,
            status,
            winner,
            "",
            self._is_sequential,
            record.alpha,
            days,
            record.planned_days or 0,
            record.end.isoformat() if record.end else "",
            first_day,
            daily,
            withheld,
            self._planned_units(),
            [mark for mark in self._history.marks if mark.at_us < self._until_us],
        )
        return msgspec.structs.replace(made, sentence=sentence_of(made))

    def _population(self) -> Population:
        return populations.population(
            self._warehouse.exposures,
            self._subject.key,
            self._subject.phase,
            self._end_us,
        )

    def _assigned(self, exposed: Population) -> dict[str, int]:
        """Return the units that were assigned, by variation; none where no record tells."""
        if not exposed.assigned:
            return {}
        return populations.population(
            self._warehouse.exposures,
            self._subject.key,
            self._subject.phase,
            self._end_us,
            "assigned",
        ).counts

    def _end(self) -> int:
        ends = [self._until_us]
        end = self._record.end
        if not self._is_sequential and end is not None:
            ends.append(((end - EPOCH).days + 1) * DAY)
        if self._history.stopped_us:
            ends.append(self._history.stopped_us)
        return min(ends)

    def _planned_units(self) -> int:
        """Return the units that the plan asks for, of all variations; 0 where it does not tell."""
        record, goals = self._record, self._record.goals
        if not goals or not record.mde or not record.baseline:
            return 0
        weights = [one.weight for one in self._subject.variations]
        whole = sum(weights)
        share = effective([one / whole for one in weights]) if whole > 0 else 0.0
        if not share:
            return 0
        question = question_of(record, self._metrics[goals[0]], len(weights))
        try:
            return math.ceil(units_for(question, record.mde) / share - 1e-6)
        except DefinitionError:  # of which lint tells
            return 0

    def _activated(self, exposed: Population) -> Population | None:
        if not self._record.activation:
            return None
        events = self._warehouse.events(JOURNAL, self._subject.unit_type)
        return populations.activated(exposed, events, self._record.activation, self._end_us)

    def _results(self, units: Any, withheld: str) -> list[MetricResult]:
        of = [self._metrics[name] for name in self._record.metrics]
        activity = Activity(
            units,
            self._warehouse,
            self._subject.unit_type,
            self._until_us,
            self._end_us,
            max((metric.cuped_days for metric in of), default=0.0),
        )
        return Results(
            [one.key for one in self._subject.variations],
            self._metrics,
            self._record,
            activity,
            self._history,
            withheld,
            is_sequential=self._is_sequential,
        ).all()

    def _withheld(self) -> str:
        end, stopped_us = self._record.end, self._history.stopped_us
        if self._is_sequential or end is None:
            return ""
        if stopped_us and day_of(stopped_us) < end:
            day = day_of(stopped_us)
            return f"it was stopped on {day}, before its planned end, {end}, which alone decides"
        record = self._record
        names = (*record.goals, *record.guardrails)
        days = max((self._metrics[name].window_days for name in names), default=0.0)
        due_us = ((end - EPOCH).days + 1) * DAY + microseconds(days)
        if self._until_us >= due_us:
            return ""
        last = f", and when the {days:g} days of the last units are over" if days else ""
        return f"the plan is to decide at its end{last}: come back on {_first_day(due_us)}"

    def _days(self, exposed: Population) -> int:
        """Return the days that the experiment has run, the first one included."""
        start = self._record.start
        if start is None:
            if not exposed.first_us:
                return 0
            start = day_of(exposed.first_us)
        last = min(self._today, self._record.end or self._today)
        if self._history.stopped_us:
            last = min(last, day_of(self._history.stopped_us))
        return max(0, (last - start).days + 1)

    def _traffic(self, exposed: Population) -> list[str]:
        """Tell of less than half the units that the plan expects of the days that have passed."""
        planned, end = self._record.units_per_day, self._record.end
        is_over = bool(self._history.stopped_us) or (end is not None and self._today > end)
        days = self._days(exposed) - (not is_over)  # today is not over
        if not planned or days < 1:
            return []
        each = sum(exposed.counts.values()) / days
        if each >= planned * _LEAST_TRAFFIC:
            return []
        return [f"{each:,.0f} units come a day, where the plan expects {planned:,.0f}"]

    def _daily(self, counted: Population) -> tuple[int, dict[str, list[int]]]:
        days = counted.daily
        known = [day for of in days.values() for day in of]
        if not known:
            return 0, {}
        first, last = min(known), max(known)
        return first, {
            one.key: [days.get(one.key, {}).get(day, 0) for day in range(first, last + 1)]
            for one in self._subject.variations
        }


def _first_day(due_us: int) -> dt.date:
    """Return the first day that begins at an instant or later."""
    return day_of(due_us + DAY - 1)
