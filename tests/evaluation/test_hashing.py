"""Hashing (specification, sections 3.1 to 3.3, 21.1 and 21.3)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abmiddleware.evaluation.hashing import bucket_of, fnv1a
from abmiddleware.evaluation.values import unit_text
from tests.evaluation.strategies import thorough


def reference(text: str) -> int:
    """FNV-1a over UTF-16 code units, as section 3.1 writes it."""
    state = 2166136261
    units = text.encode("utf-16-be", "surrogatepass")
    for at in range(0, len(units), 2):
        state = (state ^ int.from_bytes(units[at : at + 2], "big")) * 16777619 % 2**32
    return state


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 2166136261),
        ("a", 3826002220),
        ("abc", 440920331),
        ("\u00e9", 1812687940),
        ("\u7528\u6237", 3303804768),
        ("\U0001f98a", 3341541937),
        ("a\U0001f600b", 2412414209),
        ("\ud83d", 931276136),
    ],
    ids=ascii,
)
def test_fnv1a_of_the_specification(text: str, expected: int) -> None:
    """The hash takes UTF-16 code units, each as a whole number."""
    assert fnv1a(text) == expected


@pytest.mark.parametrize(
    ("seed", "value", "first", "second"),
    [
        ("exp", "user-1", 0.331, 0.3004),
        ("exp", 42, 0.082, 0.2521),
        ("exp", 1.5, 0.628, 0.2846),
        ("exp", 1e21, 0.928, 0.5893),
        ("exp", True, 0.352, 0.5548),
        ("exp", "\u00e9", 0.875, 0.976),
        ("exp", "\U0001f98a", 0.46, 0.6263),
        ("s\u00ebed", "\u7528\u623742", 0.265, 0.5398),
        ("", "x", 0.695, 0.9986),
    ],
    ids=ascii,
)
def test_buckets_of_the_specification(
    seed: str, value: object, first: float, second: float
) -> None:
    """Both versions give the exact bucket of every other SDK."""
    unit = unit_text(value)
    buckets = [bucket_of(seed, version) for version in (1, 2)]

    assert unit is not None
    assert [bucket(unit) for bucket in buckets if bucket] == [first, second]


ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.text("abc-09", max_size=20)


@thorough
@given(seed=ANY_TEXT, unit=ANY_TEXT)
def test_any_seed_and_unit_hash_as_the_specification_says(seed: str, unit: str) -> None:
    """Every mix of ASCII, other scripts and lone surrogates takes the same formula."""
    first, second = bucket_of(seed, 1), bucket_of(seed, 2)

    assert first is not None
    assert second is not None
    assert first(unit) == reference(unit + seed) % 1000 / 1000
    assert second(unit) == reference(str(reference(seed + unit))) % 10_000 / 10_000


@pytest.mark.parametrize("seed", ["exp", "s\u00ebed", "\ud83d"], ids=ascii)
@pytest.mark.parametrize("unit", ["a", "\u00e9", "\U0001f98a", "\ud83d", "\udd8a\ud83d"], ids=ascii)
@pytest.mark.parametrize("version", [1, 2])
def test_a_bucket_is_at_least_zero_and_below_one(seed: str, unit: str, version: int) -> None:
    """A bucket is one integer division, in [0, 1), whatever letters come in."""
    bucket = bucket_of(seed, version)

    assert bucket is not None
    assert 0 <= bucket(unit) < 1
    assert bucket(unit) == bucket(unit)


@pytest.mark.parametrize(
    "version",
    [0, 3, -1, 1.5, True, False, "1", "2", None, [], [2], {}, float("nan"), 10**400],
    ids=lambda version: repr(version)[:20],
)
def test_an_unknown_version_hashes_nobody(version: Any) -> None:
    """Only the numbers 1 and 2 are versions; a bool or a string is none."""
    assert bucket_of("exp", version) is None


def test_a_version_is_a_number_whatever_its_type() -> None:
    """JSON has one number type, so 2.0 is version 2."""
    whole, real = bucket_of("exp", 2), bucket_of("exp", 2.0)

    assert whole is not None
    assert real is not None
    assert whole("user-1") == real("user-1")


def test_numbers_and_their_text_share_a_bucket() -> None:
    """`1`, `1.0` and `"1"` are one unit."""
    assert {unit_text(value) for value in (1, 1.0, "1")} == {"1"}


def test_a_unit_is_hashed_as_it_is() -> None:
    """There is no trimming, case folding or Unicode normalisation."""
    bucket = bucket_of("exp", 2)
    units = ["a", "A", " a", "a ", "\u00e9", "e\u0301"]

    assert bucket is not None
    assert len({bucket(unit) for unit in units}) == len(units)
