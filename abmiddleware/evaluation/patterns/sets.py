"""Sets of UTF-16 code units: those of ECMAScript's escapes, their case variants, their text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import cache
from typing import Final

from abmiddleware.evaluation.patterns.tree import Ranges

LAST: Final = 0xFFFF
_ASCII: Final = 0x80
_LATIN: Final = 0x100

#: What Python's `re` spends on a set beyond Latin-1, in the time that it takes for one unit.
_WIDE: Final = 2_500


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Sort ranges and join those that overlap or touch."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


def others(ranges: Ranges) -> Ranges:
    """Return the units that are in none of the ranges."""
    starts = [0, *(high + 1 for _, high in ranges)]
    ends = [*(low - 1 for low, _ in ranges), LAST]
    return tuple((low, high) for low, high in zip(starts, ends, strict=True) if low <= high)


_DIGITS: Final = merged([(0x30, 0x39)])
_WORD: Final = merged([(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
_SPACES: Final = merged(
    (unit, unit)
    for unit in (
        *(*range(9, 14), 0x20, 0xA0, 0x1680, *range(0x2000, 0x200B)),
        *(0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF),
    )
)
ESCAPED: Final = {
    "d": _DIGITS,
    "D": others(_DIGITS),
    "w": _WORD,
    "W": others(_WORD),
    "s": _SPACES,
    "S": others(_SPACES),
}
DOT: Final = others(((0xA, 0xA), (0xD, 0xD), (0x2028, 0x2029)))


@cache
def _cased(limit: int) -> tuple[list[int], dict[int, list[int]]]:
    """Return the units below `limit` that have case variants, and all of these by each."""
    families: dict[int, list[int]] = {}
    for unit in range(limit):
        upper = chr(unit).upper()
        stays = len(upper) > 1 or (unit >= _ASCII and upper.isascii())
        families.setdefault(unit if stays else ord(upper), []).append(unit)
    cased = {unit: family for family in families.values() if len(family) > 1 for unit in family}
    return sorted(cased), cased


def variants(ranges: Ranges) -> int:
    """Return how many units of a set have case variants."""
    ordered, _ = _cased(_limit(ranges))
    return sum(bisect_left(ordered, high + 1) - bisect_left(ordered, low) for low, high in ranges)


def _limit(ranges: Ranges) -> int:
    return _ASCII if not ranges or ranges[-1][1] < _ASCII else LAST + 1


def with_variants(ranges: Ranges) -> Ranges:
    """Add to a set the units that differ from one of it by case only."""
    ordered, cased = _cased(_limit(ranges))
    found = [
        (other, other)
        for low, high in ranges
        for unit in ordered[bisect_left(ordered, low) : bisect_left(ordered, high + 1)]
        for other in cased[unit]
    ]
    return merged((*ranges, *found)) if found else ranges


def _size(ranges: Ranges) -> int:
    return sum(high - low + 1 for low, high in ranges)


def _negated(ranges: Ranges) -> bool:
    return bool(ranges) and ranges[-1][1] == LAST and _size(ranges) > LAST // 2


def weight(ranges: Ranges) -> int:
    """Return what it takes to read and compile a set, in units that are added one by one."""
    listed = others(ranges) if _negated(ranges) else ranges
    wide = bool(listed) and listed[-1][1] >= _LATIN
    return 20 * len(listed) + (_WIDE + _size(listed) if wide else 0)


def written(ranges: Ranges) -> str:
    """Write a set as Python does, where it lists the fewer units."""
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return f"\\u{ranges[0][0]:04x}"
    negated = _negated(ranges)
    inside = "".join(
        f"\\u{low:04x}" + (f"-\\u{high:04x}" if high > low else "")
        for low, high in (others(ranges) if negated else ranges)
    )
    if not inside:
        return r"[\u0000-\uffff]" if negated else r"[^\u0000-\uffff]"
    return f"[^{inside}]" if negated else f"[{inside}]"
