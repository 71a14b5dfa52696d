"""Section 3: hashing, and the value that identifies a user."""

from __future__ import annotations

from typing import Any

from .freedom import free
from .values import field, text, truthy, units

Json = Any


def fnv(string: str) -> int:
    """3.1: FNV-1a, 32 bit, over UTF-16 code units."""
    result = 2166136261
    for unit in units(string):
        result = ((result ^ unit) * 16777619) % 2**32
    return result


def hash(seed: str, value: Json, version: Json) -> float | None:  # noqa: A001  # the group's name
    """3.2: the bucket of a value; null for a version that does not exist."""
    if isinstance(version, bool):
        return None
    if version == 1:
        return fnv(text(value) + seed) % 1000 / 1000
    if version == 2:
        return fnv(str(fnv(seed + text(value)))) % 10000 / 10000
    return None


def attribute_name(name: Json) -> str:
    """3.3: an empty or missing name is `id`."""
    if name is not None and not isinstance(name, str):
        free("attribute name that is not a string")
        return "id"
    return name or "id"


def hash_value(name: Json, attributes: dict[str, Json]) -> Json:
    """3.3: the raw value of an attribute at the top level; null when it is no value."""
    value = attributes.get(attribute_name(name))
    return value if truthy(value) else None


def identity(holder: Json, attributes: dict[str, Json], sticky: bool) -> tuple[str, Json]:
    """3.4: the attribute that is used and its raw value, which is null when there is none."""
    name = attribute_name(field(holder, "hashAttribute"))
    value = hash_value(name, attributes)
    fallback = field(holder, "fallbackAttribute")
    if value is None and sticky and truthy(fallback):
        second = hash_value(fallback, attributes)
        if second is not None:
            return attribute_name(fallback), second
    return name, value


def version_or(default: int, version: Json) -> Json:
    """8.1, 11: the version of a hash; what an explicit 0 means is said for filters only."""
    if version is not None and not truthy(version):
        free("empty hash version")
    return version if truthy(version) else default


def seed_or(default: str, seed: Json) -> str:
    """8.1, 11: an empty or missing seed is the default."""
    if seed is not None and not isinstance(seed, str):
        free("seed that is not a string")
        return default
    return seed or default
