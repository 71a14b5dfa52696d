"""Equality of values, and the order of an object's keys (specification, sections 6.2 to 6.4)."""

from __future__ import annotations

from math import nan

import pytest

from abmiddleware.evaluation.values import array_index, deeply_equal, ordered_keys, same


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (1, 1.0, True),
        (0, -0.0, True),
        (1, True, False),
        (0, False, False),
        (5, "5", False),
        ("", None, False),
        (None, None, True),
        (None, False, False),
        (nan, nan, False),
        ("a", "a", True),
        ("\u00e9", "e\u0301", False),
        ([], [], False),
        ({}, {}, False),
        (2**53 + 1, 2**53 + 1, True),
    ],
)
def test_equality_is_strict(left: object, right: object, expected: bool) -> None:
    """Scalars equal their own type only, and containers equal nothing."""
    assert same(left, right) is expected
    assert same(right, left) is expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([1, [2]], [1.0, [2]], True),
        ([1, 2], [2, 1], False),
        ([1], [1, 1], False),
        ([True], [1], False),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ({"2": 0, "x": 0, "1": 0}, {"x": 0, "1": 0, "2": 0}, True),
        ({"01": 0, "x": 0}, {"x": 0, "01": 0}, False),
        ({}, [], False),
        ({"a": None}, {}, False),
        ("x", ["x"], False),
    ],
)
def test_containers_compare_as_their_serialisations(
    left: object, right: object, expected: bool
) -> None:
    """Deep equality minds the order of keys as ECMAScript lays them out: indices first."""
    assert deeply_equal(left, right) is expected


def test_keys_are_in_the_order_of_ecmascript() -> None:
    """Integer-like keys come first and ascend; the others keep their order."""
    keys = ["b", "10", "2", "02", "a", "4294967294", "4294967295", "-1"]

    expected = ["2", "10", "4294967294", "b", "02", "a", "4294967295", "-1"]
    assert ordered_keys(dict.fromkeys(keys)) == expected


@pytest.mark.parametrize(
    "key", ["", "01", "+1", "-1", "1.0", " 1", "\u0661", "4294967295", "9" * 20]
)
def test_what_is_no_canonical_index_enters_no_array(key: str) -> None:
    """Only `0`, `1` and so on without leading zeros count as an index."""
    assert array_index(key) is None
