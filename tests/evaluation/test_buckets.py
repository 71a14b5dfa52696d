"""Weights, coverage and ranges (specification, sections 4, 19 and 21.4)."""

from __future__ import annotations

from bisect import bisect_right
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abmiddleware.evaluation.buckets import (
    bucket_ranges,
    choose_variation,
    compile_choice,
    equal_weights,
    holds,
    in_range,
    sums_to_one,
    usable_ranges,
)
from tests.evaluation.strategies import thorough

HALVES = [(0.0, 0.5), (0.5, 1.0)]
NOBODY = [(0.0, 0.0), (0.5, 0.5)]


@pytest.mark.parametrize(
    ("count", "coverage", "weights", "expected"),
    [
        (3, 1, [0.33, 0.33, 0.33], [(0, 0.33), (0.33, 0.66), (0.66, 0.99)]),
        (
            3,
            0.7,
            [0.2, 0.3, 0.5],
            [(0, 0.13999999999999999), (0.2, 0.41000000000000003), (0.5, 0.85)],
        ),
        (
            3,
            0.9,
            None,
            [
                (0, 0.3),
                (0.3333333333333333, 0.6333333333333333),
                (0.6666666666666666, 0.9666666666666666),
            ],
        ),
        (2, 1, [0.5, 0.51], [(0, 0.5), (0.5, 1.01)]),
        (2, 1, [0.5, 0.511], [(0, 0.5), (0.5, 1)]),
    ],
    ids=["thirds", "covered", "equal", "above one", "too far above one"],
)
def test_ranges_of_the_specification(
    count: int, coverage: float, weights: Any, expected: list[tuple[float, float]]
) -> None:
    """Ranges are equal to the last bit, so that every SDK puts a unit into the same."""
    assert bucket_ranges(count, coverage, weights) == expected


@pytest.mark.parametrize(
    ("coverage", "expected"),
    [
        (None, HALVES),
        (1, HALVES),
        (1.5, HALVES),
        (inf, HALVES),
        (10**400, HALVES),
        (0, NOBODY),
        (-0.0, NOBODY),
        (-0.2, NOBODY),
        (-inf, NOBODY),
        (-(10**400), NOBODY),
        (0.5, [(0, 0.25), (0.5, 0.75)]),
        (nan, NOBODY),
        ("1", NOBODY),
        (True, NOBODY),
        ([1], NOBODY),
        ({}, NOBODY),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_coverage_is_clamped_and_an_unusable_one_covers_nobody(
    coverage: object, expected: list[tuple[float, float]]
) -> None:
    """An absent coverage is 1, one that is out of bounds the nearest, one that is no number 0."""
    assert bucket_ranges(2, coverage) == expected


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([0.5, 0.49], [(0, 0.5), (0.5, 0.99)]),
        ([0.5, 0.489], HALVES),
        ([0.51, 0.5], [(0, 0.51), (0.51, 1.01)]),
        ([0.5, 0.5101], HALVES),
        ([1, 0], [(0, 1), (1, 1)]),
        ([0, 1], [(0, 0), (0, 1)]),
        ([-0.5, 1.5], [(0, -0.5), (-0.5, 1)]),
        ([1.5, -0.5], [(0, 1.5), (1.5, 1)]),
        ([1.0], HALVES),
        ([0.3, 0.3, 0.4], HALVES),
        ([], HALVES),
        (["0.2", 0.8], HALVES),
        ([True, False], HALVES),
        ([None, 1], HALVES),
        ([nan, 0.5], HALVES),
        ([inf, -inf], HALVES),
        ([10**400, 1], HALVES),
        ([10**400, -(10**400)], HALVES),
        ("01", HALVES),
        ({0: 0.2, 1: 0.8}, HALVES),
        (7, HALVES),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_weights_that_do_not_fit_are_equal(
    weights: object, expected: list[tuple[float, float]]
) -> None:
    """Weights count when there is one for each and they sum to 0.99 to 1.01; negative ones too."""
    assert bucket_ranges(2, 1, weights) == expected


def test_a_sum_is_made_by_plain_additions() -> None:
    """Ten weights that sum to 0.99 on paper and to less in doubles count as too little."""
    weights = [0.1] * 9 + [0.09]

    assert sums_to_one([0.33, 0.33, 0.33])
    assert not sums_to_one(weights)
    assert bucket_ranges(10, 1, weights) == bucket_ranges(10)


@pytest.mark.parametrize("count", [0, -1])
def test_no_variations_have_no_weights(count: int) -> None:
    """Nothing is shared out among nobody."""
    assert equal_weights(count) == []
    assert bucket_ranges(count, 1, []) == []


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([[0, 0.5], (0.5, 1)], [(0, 0.5), (0.5, 1)]),
        ([], []),
        (None, []),
        ("ab", []),
        ({"0": 1}, []),
        ([[0, 1, 2], [0], 5, None, "01", ["0", "1"], [True, 2]], [(0, 0)] * 7),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_range_that_cannot_be_used_is_empty(ranges: object, expected: object) -> None:
    """Each range keeps its place, so that the next variation keeps its users."""
    assert usable_ranges(ranges) == expected


def test_a_range_holds_its_start_and_not_its_end() -> None:
    """Neighbouring ranges share no bucket, and an empty range holds none."""
    assert in_range(0.2, (0.2, 0.4))
    assert not in_range(0.4, (0.2, 0.4))
    assert not in_range(0.2, (0.2, 0.2))


@pytest.mark.parametrize(
    ("bucket", "expected"), [(0.0, 0), (0.3, 0), (0.5, 1), (0.69, 1), (0.7, -1), (0.9, 3)]
)
def test_the_first_range_that_holds_the_bucket_wins(bucket: float, expected: int) -> None:
    """Overlaps go to the earlier variation, and gaps to none."""
    ranges = [(0.0, 0.5), (0.2, 0.7), (0.6, 0.6), (0.8, 1.0)]

    assert choose_variation(bucket, ranges) == expected


EDGES = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1, 10**400]) | st.floats()
RANGES = st.lists(st.tuples(EDGES, EDGES), max_size=6)


@thorough
@given(ranges=RANGES, bucket=st.floats(0, 1, exclude_max=True))
def test_a_compiled_choice_equals_the_plain_one(
    ranges: list[tuple[float, float]], bucket: float
) -> None:
    """One search among cut points gives the first range that holds a bucket, for any ranges."""
    cuts, indices = compile_choice(ranges)
    buckets = [bucket, *[edge for limits in ranges for edge in limits if 0 <= edge < 1]]

    for each in buckets:
        expected = choose_variation(each, ranges)
        assert indices[bisect_right(cuts, each)] == expected
        assert holds(ranges)(each) is (expected >= 0)
