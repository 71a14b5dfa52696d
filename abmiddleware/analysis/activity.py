"""What the units of an experiment did: their events, looked up once for all metrics."""

from __future__ import annotations

from typing import Any

import msgspec

from abmiddleware.analysis.population import microseconds
from abmiddleware.analysis.warehouse import Warehouse
from abmiddleware.design.metrics import JOURNAL, Measure


class Activity(msgspec.Struct, frozen=True, eq=False):
    """The events of units, up to an instant."""

    #: A table of Ibis: `unit_id`, `variation`, `first_us`, `exposed_us`.
    units: Any
    warehouse: Warehouse
    #: What the experiment randomises by.
    unit_type: str
    #: The instant up to which events count, in microseconds since 1970.
    until_us: int
    #: The instant after which nobody takes part any more, and up to which events count of metrics
    #: without a window.
    end_us: int
    #: Days before the first exposure whose events some metric looks at.
    days_before: float = 0.0
    #: Tables of events, each kept from the first question on.
    kept: dict[tuple[str, str, str], Any] = {}

    def of(self, measure: Measure) -> Any:
        """Return the events of a measure, each once, beside their unit.

        The columns are `unit_id`, `variation`, `first_us`, `exposed_us`, `ts_us` and `amount`; what
        is counted has any amount.

        Raises:
            ConfigurationError: the source has no table, no such column, or no such ids.
        """
        is_journal = measure.source == JOURNAL
        column = measure.column if is_journal or measure.aggregate != "count" else ""
        name = (measure.source, measure.event, column)
        if name not in self.kept:
            self.kept[name] = self._joined(measure).cache()
        return self.kept[name]

    def _joined(self, measure: Measure) -> Any:
        events = self.warehouse.events(measure.source, self.unit_type).measured(measure)
        events = events.filter(events.ts_us < self.until_us)
        rows = events.join(self.units, "unit_id")
        rows = rows.filter(rows.ts_us >= rows.exposed_us - microseconds(self.days_before))
        columns = ["unit_id", "variation", "first_us", "exposed_us", "ts_us", "amount"]
        if "event_id" in rows.columns:  # one that was delivered twice is there once
            rows = rows.select("event_id", *columns).distinct()
        return rows.select(*columns)
