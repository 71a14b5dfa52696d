"""Who gets what: the variations that units get by an engine's configuration, before any does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from scipy import stats

from abmiddleware.analysis.subject import Subject, Variation
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.result import Result
from abmiddleware.evaluation.values import unit_text

#: The p-value below which the assignments of two experiments are said to go together.
ALARM: Final = 0.001
#: Expected units of a cell below which the test says nothing.
_FEWEST: Final = 5.0
#: The place of a unit that is in no variation.
_OUTSIDE: Final = -1

Places = npt.NDArray[np.intp]


class Share(msgspec.Struct, frozen=True):
    """The units that get one variation."""

    key: str
    name: str
    units: int
    #: Of the units in the experiment, as it is and as it is configured; both add up to 1.
    share: float
    configured: float


class Spread(msgspec.Struct, frozen=True):
    """How one experiment spreads units."""

    key: str
    #: What it randomises by; units that are listed more often count once.
    unit_type: str
    units: int
    shares: list[Share]
    #: Units that are not counted in it, by the reason of the evaluation.
    outside: dict[str, int]


class Overlap(msgspec.Struct, frozen=True):
    """The units that are in two experiments."""

    one: str
    two: str
    units: int
    #: By the variation's key of the first, then of the second.
    table: dict[str, dict[str, int]]
    #: The chance of a table like this, or less even, where assignments are independent; None where
    #: there are too few units to tell.
    p_value: float | None
    #: Whether who gets a variation of one gets a variation of the other more often.
    is_alarming: bool


class Simulation(msgspec.Struct, frozen=True):
    """What a configuration does with units."""

    #: Those that were evaluated, in or out.
    units: int
    experiments: list[Spread]
    overlaps: list[Overlap]


class _Evaluated(msgspec.Struct, frozen=True, eq=False):
    """One experiment, evaluated for each unit in their order."""

    subject: Subject
    #: A number for each unit of what is hashed; of units without an id one of its own.
    units: Places
    #: The variation of each, or `_OUTSIDE`, and why it is outside.
    variations: Places
    reasons: Sequence[str]


def simulate(
    plans: Mapping[str, Plan],
    peeking: Callable[[Mapping[str, object]], Callable[[str], Result[Any]]],
    units: Iterable[Mapping[str, object]],
) -> Simulation:
    """Evaluate experiments for units, as a script's client does; nothing is recorded.

    Attributes that an engine computes from a request are missing, unless a unit has them.

    Args:
        plans: the experiments, by key.
        peeking: returns what decides the experiment of a key for a unit's attributes, and exposes
            nobody: `lambda attributes: engine.client(**attributes).peek`.
        units: the attributes of each.
    """
    found: dict[str, list[tuple[str | None, int, str]]] = {key: [] for key in plans}
    count = 0
    for attributes in units:
        count += 1
        peek = peeking(attributes)
        for key in plans:
            result = peek(key)
            unit = unit_text(result.hash_value)
            variation = result.variation_id if result.hash_used else _OUTSIDE
            found[key].append((unit, variation, result.reason))
    evaluated = [_evaluated(Subject.of(plans[key]), rows) for key, rows in found.items()]
    return Simulation(
        count,
        [_spread(one) for one in evaluated],
        [_overlap(one, two) for one, two in combinations(evaluated, 2)],
    )


def _evaluated(subject: Subject, rows: Sequence[tuple[str | None, int, str]]) -> _Evaluated:
    numbers: dict[object, int] = {}
    units = [
        numbers.setdefault((place,) if unit is None else unit, len(numbers))
        for place, (unit, _, _) in enumerate(rows)
    ]
    return _Evaluated(
        subject,
        np.array(units, dtype=np.intp),
        np.array([variation for _, variation, _ in rows], dtype=np.intp),
        [reason for _, _, reason in rows],
    )


def _spread(evaluated: _Evaluated) -> Spread:
    variations, subject = evaluated.variations, evaluated.subject
    rows = zip(evaluated.units.tolist(), variations.tolist(), evaluated.reasons, strict=True)
    once = {(unit, variation, reason) for unit, variation, reason in rows}
    counts = Counter(variation for _, variation, _ in once if variation != _OUTSIDE)
    outside = Counter(reason for _, variation, reason in once if variation == _OUTSIDE)
    total = counts.total()
    whole = sum(one.weight for one in subject.variations) or 1.0
    shares = [
        Share(
            one.key,
            one.name,
            counts[place],
            counts[place] / total if total else 0.0,
            one.weight / whole,
        )
        for place, one in enumerate(subject.variations)
    ]
    told = {str(reason): units for reason, units in sorted(outside.items())}
    return Spread(subject.key, subject.unit_type, total, shares, told)


def _overlap(one: _Evaluated, two: _Evaluated) -> Overlap:
    """Count the units of both by their variations, each pair of units once.

    Rows that are of one unit in both experiments have the same variations: they say no more than
    one does, and would make any table look uneven.
    """
    both = (one.variations != _OUTSIDE) & (two.variations != _OUTSIDE)
    pairs = one.units[both] * (len(two.units) + 1) + two.units[both]
    _, first = np.unique(pairs, return_index=True)
    of_one, of_two = one.subject.variations, two.subject.variations
    cells = one.variations[both][first] * len(of_two) + two.variations[both][first]
    shape = (len(of_one), len(of_two))
    table = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    p_value = _p_value(table)
    return Overlap(
        one.subject.key,
        two.subject.key,
        int(table.sum()),
        _named(table, of_one, of_two),
        p_value,
        p_value is not None and p_value < ALARM,
    )


def _named(
    table: Places, rows: Sequence[Variation], columns: Sequence[Variation]
) -> dict[str, dict[str, int]]:
    return {
        row.key: {column.key: int(table[i, j]) for j, column in enumerate(columns)}
        for i, row in enumerate(rows)
    }


def _p_value(table: Places) -> float | None:
    """Return that of Pearson's chi-square test, of the variations that anybody gets."""
    seen = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(seen.shape) < 2:
        return None
    result = stats.chi2_contingency(seen, correction=False)
    return float(result.pvalue) if result.expected_freq.min() >= _FEWEST else None
