"""What the journal says: the units of each variation, their outcomes, and what is missing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from abmiddleware import Experiment, JournalReader
from abmiddleware.exposures.records import ExposureRow, OutcomeRow, Row
from example_apps.demo.chi_square import split_p_value
from example_apps.demo.traffic import Visit
from example_apps.demo.truth import variation_keys, weights


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


@dataclass(frozen=True, slots=True)
class Arm:
    """One variation of an experiment, as the journal has it."""

    key: str
    units: int
    #: Units with at least one purchase.
    buyers: int


def read_journal(reader: JournalReader) -> Tally:
    """Count all rows of a journal."""
    tally = Tally()
    for row in reader:
        tally.add(row)
    return tally


def arms_of(experiment: Experiment[Any], tally: Tally) -> list[Arm]:
    """Return the units and buyers of every variation."""
    units: Mapping[str, set[str]] = defaultdict(set)
    for key, unit, variation in tally.exposures:
        if key == experiment.key:
            units[variation].add(unit)
    kind = experiment.hash_attribute
    return [
        Arm(key, len(units[key]), sum((kind, unit) in tally.purchases for unit in units[key]))
        for key in variation_keys(experiment)
    ]


def split_chance(experiment: Experiment[Any], arms: Iterable[Arm]) -> float:
    """Return how likely a split this uneven is where all works as configured."""
    return split_p_value([arm.units for arm in arms], weights(experiment))


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
