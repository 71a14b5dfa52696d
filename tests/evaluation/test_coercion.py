"""Order between values of any types (specification, sections 6.5 and 6.9)."""

from __future__ import annotations

from math import inf, nan
from operator import lt
from time import process_time
from typing import Any

import pytest

from abmiddleware.evaluation.coercion import compare
from tests.evaluation.support import passes_for

NAMES = ("$lt", "$lte", "$gt", "$gte")
LESS, EQUAL, MORE = (
    [True, True, False, False],
    [False, True, False, True],
    [False, False, True, True],
)
NO_ORDER = [False] * 4


@pytest.mark.parametrize(
    ("value", "argument", "expected"),
    [
        (1, 2, LESS),
        (2, 2.0, EQUAL),
        (inf, 10**400, MORE),
        (nan, 1, NO_ORDER),
        (1, nan, NO_ORDER),
        ("a", "b", LESS),
        ("10", "9", LESS),
        ("", "", EQUAL),
        ("\U0001f98a", "\ue000", LESS),
        (None, 10, LESS),
        (None, 0, EQUAL),
        (None, None, EQUAL),
        (None, "", EQUAL),
        (None, "a", NO_ORDER),
        (True, 1, EQUAL),
        (False, True, LESS),
        (True, "1", EQUAL),
        ("8", 5, MORE),
        ("8", 10, LESS),
        (8, "10", LESS),
        ("", 0, EQUAL),
        ([], 0, EQUAL),
        ([5], 5, EQUAL),
        ([5], "5", EQUAL),
        ([1, 2], 1, NO_ORDER),
        ([1, 2], "1,2", EQUAL),
        ([None], 0, EQUAL),
        ([[7]], 6, MORE),
        ({}, 1, NO_ORDER),
        ({}, "[object Object]", EQUAL),
        ({}, {}, EQUAL),
        ([2], [10], MORE),
        (1, [2], LESS),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_any_two_values_are_compared(value: object, argument: object, expected: list[bool]) -> None:
    """Numbers compare by value, strings by their units, all else as ECMAScript converts it."""
    assert [passes_for({name: argument}, value) for name in NAMES] == expected


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (" 12 ", 12),
        ("\ufeff\u00a0\u20283\u3000", 3),
        (".5", 0.5),
        ("5.", 5),
        ("+5.25", 5.25),
        ("-1e3", -1000),
        ("1E+2", 100),
        ("1e-2", 0.01),
        ("Infinity", inf),
        ("+Infinity", inf),
        ("-Infinity", -inf),
        ("1e999", inf),
        ("0x1f", 31),
        ("0X1F", 31),
        ("0o17", 15),
        ("0B101", 5),
        ("00012", 12),
        ("\n", 0),
    ],
    ids=ascii,
)
def test_text_becomes_a_number(text: str, number: float) -> None:
    """The literals of ECMAScript count, with white space around them."""
    assert [passes_for({name: number}, text) for name in NAMES] == EQUAL


@pytest.mark.parametrize(
    "text",
    [
        "inf",
        "nan",
        "NaN",
        "infinity",
        "1_000",
        "12px",
        "1,5",
        "1e",
        "e5",
        ".",
        "+",
        "--1",
        "1 2",
        "0x",
        "-0x1",
        "+0b1",
        "0xg",
        "0b2",
        "0o8",
        "0x_1",
        "\u0661",
        "\x851",
        "\x1c1",
        "true",
    ],
    ids=ascii,
)
def test_text_that_is_no_number_has_no_order(text: str) -> None:
    """What Python would read and ECMAScript does not is no number, so all four operators fail."""
    assert [passes_for({name: 1}, text) for name in NAMES] == NO_ORDER


@pytest.mark.parametrize("text", ["1" * 50_000 + "x", "1" * 50_000 + ".x", " " * 50_000 + "x"])
def test_a_long_text_is_read_in_a_moment(text: str) -> None:
    """A visitor cannot make a comparison slow by sending many digits."""
    start = process_time()

    assert not compare(text, 1, lt)
    assert process_time() - start < 0.5


def test_lists_without_end_have_no_order() -> None:
    """An attribute that contains itself fails, and raises nothing."""
    endless: list[Any] = []
    endless.append(endless)

    assert [passes_for({name: 1}, endless) for name in NAMES] == NO_ORDER
