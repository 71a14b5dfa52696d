"""What the journal holds of what visitors saw and bought, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from abmiddleware import JournalReader
from abmiddleware.exposures.records import ExposureRow, OutcomeRow, Row
from example_apps.demo.traffic import Visit


@dataclass(slots=True)
class Tally:
    """A journal, counted."""

    #: Exposures by experiment key, unit and variation key.
    exposures: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    #: Purchases by unit type and unit.
    purchases: Counter[tuple[str, str]] = field(default_factory=Counter)
    records: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        """Count one row."""
        self.records[row.type] += 1
        if isinstance(row, ExposureRow):
            self.exposures[row.experiment_key, row.unit_id, row.variation_key] += 1
        elif isinstance(row, OutcomeRow) and row.event == "purchase":
            self.purchases.update(row.unit_ids.items())


def read_journal(reader: JournalReader) -> Tally:
    """Count all rows of a journal."""
    tally = Tally()
    for row in reader:
        tally.add(row)
    return tally


def missing_records(visits: Iterable[Visit], tally: Tally) -> int:
    """Return how many records of delivered responses the journal lacks."""
    exposures: Counter[tuple[str, str, str]] = Counter()
    purchases: Counter[tuple[str, str]] = Counter()
    for visit in visits:
        for key, count in visit.exposures.items():
            exposures[key, visit.unit(key), visit.shown[key]] += count
        if visit.purchases:
            purchases["id", visit.visitor_id] += visit.purchases
            if visit.company:
                purchases["company", visit.company] += visit.purchases
    return (exposures - tally.exposures).total() + (purchases - tally.purchases).total()
