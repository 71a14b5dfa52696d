"""Weights, coverage and ranges: which variation holds a bucket (specification, sections 4 and 5).

Every function takes what a payload may hold and never raises: what cannot be used includes nobody.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final, TypeGuard, cast

from abmiddleware.evaluation.hashing import bucket_of
from abmiddleware.evaluation.values import Attributes, is_number, is_truthy, unit_text

Range = tuple[float, float]
#: Cut points, and the variation of each piece between them, or -1.
Choice = tuple[tuple[float, ...], tuple[int, ...]]

#: Combinations of weights and coverage that are remembered: most experiments share a few.
_REMEMBERED: Final = 256


def equal_weights(count: int) -> list[float]:
    """Return `count` equal weights; none for zero or less."""
    return [1 / count] * count if count > 0 else []


def bucket_ranges(count: int, coverage: object = None, weights: object = None) -> list[Range]:
    """Return the range of each variation.

    Lower coverage shrinks every range from its right end, so nobody changes variation as it moves.
    The order of the floating-point operations is part of the contract (4.2).
    """
    return _weighted_ranges(_coverage(coverage), _usable_weights(count, weights))


def _weighted_ranges(coverage: float, weights: Iterable[float]) -> list[Range]:
    ranges, start = [], 0.0
    for weight in weights:
        ranges.append((start, start + coverage * weight))
        start += weight
    return ranges


def _coverage(coverage: object) -> float:
    if coverage is None:
        return 1.0
    if not is_number(coverage) or coverage != coverage:
        return 0.0
    # Limits first: an integer may be too large for a double.
    return float(max(0, min(1, cast(float, coverage))))


def are_usable(weights: object, count: int) -> TypeGuard[Sequence[float]]:
    """Tell whether weights count; else those of equal shares do (4.2)."""
    if not isinstance(weights, (list, tuple)) or len(weights) != count:
        return False
    return all(map(is_number, weights)) and sums_to_one(weights)


def _usable_weights(count: int, weights: object) -> Sequence[float]:
    return weights if are_usable(weights, count) else equal_weights(count)


def sums_to_one(weights: Sequence[float]) -> bool:
    """Tell whether weights sum to 0.99 to 1.01 by plain additions from left to right (4.2)."""
    total = 0.0
    for weight in weights:  # not sum(): from Python 3.12 on it compensates rounding
        try:
            total += weight
        except OverflowError:
            return False
    return 0.99 <= total <= 1.01


def usable_ranges(ranges: object) -> list[Range]:
    """Return ranges as pairs of numbers; one that cannot be used is empty and holds nobody."""
    if not isinstance(ranges, (list, tuple)):
        return []
    return [_usable_range(entry) for entry in ranges]


def _usable_range(entry: object) -> Range:
    if isinstance(entry, (list, tuple)) and len(entry) == 2 and all(map(is_number, entry)):
        start, end = entry
        return (start, end)
    return (0.0, 0.0)


def in_range(bucket: float, limits: Range) -> bool:
    """Tell whether a bucket lies in a range: its start belongs to it, its end does not."""
    return limits[0] <= bucket < limits[1]


def choose_variation(bucket: float, ranges: Sequence[Range]) -> int:
    """Return the index of the first range that holds the bucket, or -1."""
    for index, limits in enumerate(ranges):
        if in_range(bucket, limits):
            return index
    return -1


def compile_choice(ranges: Sequence[Range]) -> Choice:
    """Return cut points and the variation of each piece between them.

    `indices[bisect_right(cuts, bucket)]` equals `choose_variation(bucket, ranges)` for any bucket.
    """
    cuts = sorted({edge for limits in ranges for edge in limits if edge == edge})
    return tuple(cuts), (-1, *(choose_variation(cut, ranges) for cut in cuts))


def weighted_choice(count: int, coverage: object = None, weights: object = None) -> Choice:
    """Return `compile_choice` of `bucket_ranges`; equal ones are one object."""
    return _weighted_choice(_coverage(coverage), tuple(_usable_weights(count, weights)))


@lru_cache(_REMEMBERED)
def _weighted_choice(coverage: float, weights: tuple[float, ...]) -> Choice:
    return compile_choice(_weighted_ranges(coverage, weights))


def holds(ranges: Sequence[Range]) -> Callable[[float], bool]:
    """Return a function that tells whether a bucket lies in at least one range."""
    cuts, indices = compile_choice(ranges)
    return lambda bucket: indices[bisect_right(cuts, bucket)] >= 0


def compile_namespace(namespace: object) -> Callable[[str], bool]:
    """Return a function that tells whether a unit's text lies in a namespace `[id, start, end]`."""
    if not isinstance(namespace, (list, tuple)) or len(namespace) != 3:
        return _nobody
    identifier, *limits = namespace
    bucket = bucket_of("__" + identifier, 1) if isinstance(identifier, str) else None
    if bucket is None or not all(map(is_number, limits)):
        return _nobody
    start, end = limits
    return lambda unit: start <= bucket(unit) < end


def _nobody(_: object) -> bool:
    return False


def compile_filter(
    seed: object, ranges: object, hash_version: object, attribute: object
) -> Callable[[Attributes], bool]:
    """Return a function that tells whether attributes pass a filter (5.2)."""
    name = attribute if isinstance(attribute, str) and attribute else "id"
    version = hash_version if is_truthy(hash_version) else 2
    bucket = bucket_of(seed if isinstance(seed, str) else "", version)
    held = holds(usable_ranges(ranges))
    if bucket is None:
        return _nobody

    def passes(attributes: Attributes) -> bool:
        unit = unit_text(attributes[name])
        return unit is not None and held(bucket(unit))

    return passes
