"""What a part of a pattern costs a search, and how such costs are bounded."""

from __future__ import annotations

from typing import Final, NamedTuple

from abmiddleware.evaluation.patterns.growth import ONE, ZERO, Growth, least


class Line(NamedTuple):
    """Steps of a part that leaves one way: at once, and for each unit that this takes."""

    once: float
    rate: float


class Spend(NamedTuple):
    """What a part costs from one place: ways left open behind it, steps of all, one way's.

    `apart` tells that no two of the ways end at the same place.
    """

    ways: Growth
    steps: Growth
    line: Line | None
    apart: bool = False


NOTHING: Final = Spend(ONE, ZERO, Line(0, 0))


def fixed_value(growth: Growth) -> float | None:
    """Return the number that this is however long the text, if there is one."""
    return growth[0] if growth[1:] == (0, 0, 0) else None


def one_way(growth: Growth) -> bool:
    """Tell whether this is one at most."""
    return growth[1:] == (0, 0, 0) and growth[0] <= 1


def bounded(ways: Growth, steps: Growth, line: Line | None) -> Spend:
    """Return the cost of a part of which the steps and those of its one way are known."""
    return Spend(ways, least(steps, (line.once, line.rate, 0, 0)) if line else steps, line)
