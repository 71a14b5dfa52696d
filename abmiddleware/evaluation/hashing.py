"""From a unit to a bucket: FNV-1a over UTF-16 code units (specification, section 3).

The hash spreads units evenly; it is no protection against somebody who picks an id on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fnv_hash_fast import fnv1a_32

from abmiddleware.evaluation.values import is_number

Bucket = Callable[[str], float]

#: Number of buckets of each hash version.
BUCKETS: Final = {1: 1000, 2: 10_000}


def fnv1a(text: str) -> int:
    """Return the 32-bit FNV-1a hash of the UTF-16 code units of a text."""
    if text.isascii():
        return fnv1a_32(text.encode("ascii"))
    units = text.encode("utf-16-le", "surrogatepass")
    state = 2166136261
    for low, high in zip(units[::2], units[1::2], strict=True):
        state = ((state ^ (low | high << 8)) * 16777619) & 0xFFFFFFFF
    return state


def bucket_of(seed: str, version: object) -> Bucket | None:
    """Return what takes a unit's text to its bucket in [0, 1); None for an unknown version."""
    if not is_number(version):
        return None
    if version == 2:
        return _second_version(seed)
    if version == 1:
        return _first_version(seed)
    return None


# What follows binds the seed as a default: that takes less memory than a closure, and less time.


def _first_version(seed: str) -> Bucket:
    if not seed.isascii():
        return lambda unit: fnv1a(unit + seed) % 1000 / 1000

    def bucket(unit: str, seed: str = seed) -> float:
        try:
            return fnv1a_32((unit + seed).encode("ascii")) % 1000 / 1000
        except UnicodeEncodeError:
            return fnv1a(unit + seed) % 1000 / 1000

    return bucket


def _second_version(seed: str) -> Bucket:
    if not seed.isascii():
        return lambda unit: fnv1a_32(b"%d" % fnv1a(seed + unit)) % 10_000 / 10_000

    def bucket(unit: str, seed: str = seed) -> float:
        try:
            return fnv1a_32(b"%d" % fnv1a_32((seed + unit).encode("ascii"))) % 10_000 / 10_000
        except UnicodeEncodeError:
            return fnv1a_32(b"%d" % fnv1a(seed + unit)) % 10_000 / 10_000

    return bucket
