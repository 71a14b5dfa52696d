"""Sections 4 and 5: ranges of buckets, namespaces, filters."""

from __future__ import annotations

from typing import Any

from .freedom import free
from .hashing import hash, hash_value  # noqa: A004  # the specification's name
from .values import field, is_number, truthy

Json = Any


def get_equal_weights(n: int) -> list[float]:
    """4.1: n weights of 1/n."""
    return [1 / n] * n if n > 0 else []


def get_bucket_range(n: int, coverage: Json, weights: Json) -> list[list[float]]:
    """4.2: one range for each variation."""
    # 1
    if coverage is None:
        coverage = 1
    if not is_number(coverage):
        free("coverage that is not a number")
        coverage = 0
    coverage = min(max(coverage, 0), 1)
    # 2 (and section 20, bad-weights: non-numeric ones)
    if not isinstance(weights, list) or len(weights) != n or not all(map(is_number, weights)):
        weights = get_equal_weights(n)
    # 3
    total = 0.0
    for weight in weights:
        total = total + weight
    if not 0.99 <= total <= 1.01:
        weights = get_equal_weights(n)
    # 4
    ranges: list[list[float]] = []
    start = 0.0
    for weight in weights:
        ranges.append([start, start + coverage * weight])
        start = start + weight
    return ranges


def in_range(bucket: float, limits: Json) -> bool:
    """4.3: the end is exclusive. A range that cannot be read holds nobody (19)."""
    readable = isinstance(limits, list) and len(limits) == 2 and all(map(is_number, limits))
    if isinstance(limits, list) and len(limits) > 2:
        free("range of more than two numbers")
    return readable and bool(limits[0] <= bucket < limits[1])


def choose_variation(n: float, ranges: Json) -> int:
    """4.3: the first range that holds the bucket."""
    for index, limits in enumerate(ranges):
        if in_range(n, limits):
            return index
    return -1


def in_namespace(hash_value: Json, namespace: Json) -> bool:
    """5.1: one that cannot be read includes nobody (19)."""
    if not isinstance(namespace, list) or len(namespace) < 3:
        return False
    name, start, end = namespace[:3]
    if len(namespace) > 3 or not isinstance(name, str):
        free("odd namespace")
        return False
    bucket = hash(f"__{name}", hash_value, 1)
    return bucket is not None and in_range(bucket, [start, end])


def passes_filters(filters: Json, attributes: dict[str, Json]) -> bool:
    """5.2: all filters; what is not a list of filters passes nobody (19)."""
    return isinstance(filters, list) and all(_passes(entry, attributes) for entry in filters)


def _passes(entry: Json, attributes: dict[str, Json]) -> bool:
    if not isinstance(entry, dict):
        return False
    value = hash_value(field(entry, "attribute"), attributes)
    if value is None:
        return False
    seed = field(entry, "seed")
    if not isinstance(seed, str):
        free("filter-odd")
        return False
    version = field(entry, "hashVersion")
    bucket = hash(seed, value, version if truthy(version) else 2)
    ranges = field(entry, "ranges")
    if bucket is None or not isinstance(ranges, list):
        return False
    return any(in_range(bucket, limits) for limits in ranges)


def in_audience(holder: Json, hash_value: Json, attributes: dict[str, Json]) -> bool:
    """5.3: filters; a namespace only where there are none, not even an empty list."""
    if field(holder, "filters") is not None:
        return passes_filters(holder["filters"], attributes)
    namespace = field(holder, "namespace")
    return namespace is None or in_namespace(hash_value, namespace)
