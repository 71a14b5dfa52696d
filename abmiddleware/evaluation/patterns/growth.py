"""Numbers that grow with the length of a text, as the cost of a search does."""

from __future__ import annotations

from bisect import bisect_right
from math import inf
from typing import Final, TypeAlias

from abmiddleware.evaluation.patterns.tree import SURE_LENGTH, TEXT_LIMIT

#: What is multiplied with nothing, with the places in a text, its pairs of places, its triples.
Growth: TypeAlias = tuple[float, float, float, float]

ZERO: Final[Growth] = (0, 0, 0, 0)
ONE: Final[Growth] = (1, 0, 0, 0)
PLACES: Final[Growth] = (0, 1, 0, 0)
_ENDLESS: Final[Growth] = (inf, 0, 0, 0)


def constant(value: float) -> Growth:
    """Return a number that is the same for every text."""
    return (value, 0, 0, 0)


def value(growth: Growth, length: int = SURE_LENGTH) -> float:
    """Return the number for a text of that length."""
    once, places, pairs, triples = growth
    more = pairs + triples * (length + 3) / 3
    return once + (length + 1) * (places + more * (length + 2) / 2)


def longest(growth: Growth, most: float) -> int:
    """Return the length of the longest text for which the number is at most that."""
    if value(growth, TEXT_LIMIT) <= most:
        return TEXT_LIMIT
    return bisect_right(range(TEXT_LIMIT), most, key=lambda length: value(growth, length)) - 1


def plus(one: Growth, two: Growth) -> Growth:
    """Add."""
    return (one[0] + two[0], one[1] + two[1], one[2] + two[2], one[3] + two[3])


def times(one: Growth, two: Growth) -> Growth:
    """Multiply; places chosen one behind another, so that k of them make a tuple of k."""
    if one == ONE:
        return two
    product = [0.0] * 4
    for degree, count in enumerate(one):
        for other, more in enumerate(two):
            if count and more:
                if degree + other > 3:
                    return _ENDLESS
                product[degree + other] += count * more
    return (product[0], product[1], product[2], product[3])


def most(one: Growth, two: Growth) -> Growth:
    """Return a bound of both."""
    return (
        max(one[0], two[0]),
        max(one[1], two[1]),
        max(one[2], two[2]),
        max(one[3], two[3]),
    )


def least(one: Growth, two: Growth) -> Growth:
    """Return the bound of two of the same that is the lower one for a text of the sure length."""
    return one if value(one) <= value(two) else two


def powers(base: Growth, rounds: int) -> Growth:
    """Return 1 + base + base² and so on, up to the power `rounds`."""
    power = total = ONE
    for _ in range(rounds):
        power = times(base, power)
        total = plus(total, power)
        if value(power) > 1e12:
            return _ENDLESS
    return total
