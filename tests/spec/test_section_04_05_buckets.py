"""Sections 4 and 5: ranges of buckets, namespaces, filters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.cases import ENROLLED, OUT, context, experiment, holds, rows

Json = Any
HALVES = [[0, 0.5], [0.5, 1]]
#: The hash of `user-1__n` in version 1.
BUCKET = 0.332


@pytest.mark.parametrize(
    ("n", "coverage", "weights", "expected"),
    rows(
        ("thirds", 3, 1, [0.33] * 3, [[0, 0.33], [0.33, 0.66], [0.66, 0.99]]),
        (
            "coverage shrinks each range from its right end",
            *(3, 0.7, [0.2, 0.3, 0.5]),
            [[0, 0.13999999999999999], [0.2, 0.41000000000000003], [0.5, 0.85]],
        ),
        (
            "coverage of equal weights",
            *(3, 0.9, None),
            [
                [0, 0.3],
                [0.3333333333333333, 0.6333333333333333],
                [0.6666666666666666, 0.9666666666666666],
            ],
        ),
        ("weights that sum to 1.01", 2, 1, [0.5, 0.51], [[0, 0.5], [0.5, 1.01]]),
        ("weights that sum to more", 2, 1, [0.5, 0.511], HALVES),
        ("weights that sum to less than 0.99", 2, 1, [0.5, 0.48], HALVES),
        ("too few weights", 2, 1, [1], HALVES),
        ("too many weights", 2, 1, [0.3, 0.3, 0.4], HALVES),
        ("no weights at all", 2, 1, [], HALVES),
        ("a negative coverage", 2, -1, None, [[0, 0], [0.5, 0.5]]),
        ("a coverage above 1", 2, 2, None, HALVES),
        ("no coverage", 2, None, None, HALVES),
        (
            "a negative weight (bad-weights)",
            *(3, 1, [0.5, -0.25, 0.75]),
            [[0, 0.5], [0.5, 0.25], [0.25, 1]],
        ),
        ("a weight that is no number (bad-weights)", 2, 1, ["0.2", 0.8], HALVES),
        ("a weight that is a boolean (bad-weights)", 2, 1, [True, 0], HALVES),
    ),
)
def test_bucket_ranges(
    implementation: Any, n: int, coverage: Json, weights: Json, expected: Json
) -> None:
    """21.4 and 4.2: the ranges are the same doubles everywhere."""
    ranges = implementation.get_bucket_range(n, coverage, weights)
    assert [list(limits) for limits in ranges] == expected


@pytest.mark.parametrize("n", [0, -1])
def test_no_equal_weights(implementation: Any, n: int) -> None:
    """4.1: there are no weights of no variations."""
    assert implementation.get_equal_weights(n) == []


@pytest.mark.parametrize(
    ("bucket", "ranges", "expected"),
    rows(
        ("the start is inside", 0.5, HALVES, 1),
        ("an empty range holds nobody", 0.5, [[0.5, 0.5], [0.5, 0.6]], 1),
        ("the first of two", 0.3, [[0.2, 0.4], [0.1, 0.9]], 0),
        ("none", 0.5, [[0, 0.1], [0.6, 1]], -1),
        ("no ranges", 0.5, [], -1),
    ),
)
def test_choose(implementation: Any, bucket: float, ranges: Json, expected: int) -> None:
    """4.3: the end is exclusive and the first range counts."""
    assert implementation.choose_variation(bucket, ranges) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    rows(
        ("ranges replace weights and coverage", {"ranges": [[0.3, 0.4]], "coverage": 0}, 0),
        ("an empty list of ranges holds nobody (ranges-empty)", {"ranges": []}, None),
        ("ranges of null are absent (null-field)", {"ranges": None}, 1),
        ("a coverage of null is absent (null-field)", {"coverage": None}, 1),
        ("weights of null are absent (null-field)", {"weights": None}, 0),
        ("coverage leaves the user out", {"weights": None, "coverage": 0.5}, None),
        ("a range that cannot be read holds nobody", {"ranges": ["x", [0.3, 0.4]]}, 1),
    ),
)
def test_ranges_of_experiments(implementation: Any, fields: Json, expected: int | None) -> None:
    """4 and 8.1: how the fields of an experiment decide on its ranges; the bucket is 0.331."""
    told = (
        OUT if expected is None else {**ENROLLED, "variationId": expected, "value": "ab"[expected]}
    )
    assert holds(implementation.run(experiment(**fields), context()), told)


def filtered(**fields: Json) -> dict[str, Json]:
    """Return a filter that passes the bucket 0.3004, which is that of version 2."""
    return {"seed": "exp", "ranges": [[0.3, 0.301]], "hashVersion": 2, **fields}


@pytest.mark.parametrize(
    ("fields", "expected"),
    rows(
        ("a filter that passes", {"filters": [filtered()]}, True),
        (
            "version 2 is the default",
            {"filters": [{"seed": "exp", "ranges": [[0.3, 0.301]]}]},
            True,
        ),
        ("version 0 is 2 (filter-odd)", {"filters": [filtered(hashVersion=0)]}, True),
        ("version 1 has another bucket", {"filters": [filtered(hashVersion=1)]}, False),
        ("an unknown version fails", {"filters": [filtered(hashVersion=3)]}, False),
        ("an empty attribute is id (filter-odd)", {"filters": [filtered(attribute="")]}, True),
        ("another attribute has no value", {"filters": [filtered(attribute="x")]}, False),
        ("one range is enough", {"filters": [filtered(ranges=[[0.9, 1], [0, 0.5]])]}, True),
        ("the end of a range is out", {"filters": [filtered(ranges=[[0, 0.3004]])]}, False),
        ("no ranges hold nobody", {"filters": [filtered(ranges=[])]}, False),
        ("all filters must pass", {"filters": [filtered(), filtered(ranges=[])]}, False),
        ("no filters pass everybody", {"filters": []}, True),
        (
            "filters replace a namespace",
            {"filters": [filtered()], "namespace": ["n", 0, 0]},
            True,
        ),
        (
            "even an empty list does (filters-empty)",
            {"filters": [], "namespace": ["n", 0, 0]},
            True,
        ),
        (
            "filters of null do not (null-field)",
            {"filters": None, "namespace": ["n", 0, 0]},
            False,
        ),
        ("a namespace that holds everybody", {"namespace": ["n", 0, 1]}, True),
        ("a namespace that holds nobody", {"namespace": ["n", 0, 0]}, False),
        ("a namespace of null is absent (null-field)", {"namespace": None}, True),
        ("a namespace without limits (19)", {"namespace": ["n"]}, False),
        ("a namespace with limits of text (19)", {"namespace": ["n", "0", "1"]}, False),
        ("a namespace that is no list (19)", {"namespace": "n"}, False),
        ("filters that are no list (19)", {"filters": "all"}, False),
        ("a filter that is no object (19)", {"filters": [1]}, False),
        ("a filter without ranges (19)", {"filters": [{"seed": "exp"}]}, False),
        ("ranges that are no list (19)", {"filters": [filtered(ranges="all")]}, False),
    ),
)
def test_audience(implementation: Any, fields: Json, expected: bool) -> None:
    """5: who passes filters and namespaces."""
    told = ENROLLED if expected else OUT
    assert holds(implementation.run(experiment(**fields), context()), told)


@pytest.mark.parametrize(
    ("namespace", "expected"),
    rows(
        ("everybody", ["n", 0, 1], True),
        ("the bucket itself", ["n", BUCKET, BUCKET + 0.001], True),
        ("up to the bucket", ["n", 0, BUCKET], False),
        ("an end before the start", ["n", 1, 0], False),
    ),
)
def test_namespace(implementation: Any, namespace: Json, expected: bool) -> None:
    """5.1: the bucket is that of version 1, of the value and then `__n`."""
    assert implementation.in_namespace("user-1", namespace) is expected
