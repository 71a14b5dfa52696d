"""Values, truth, text and order (specification, sections 1.1 to 1.5 and 21.2)."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest

from abmiddleware.evaluation.values import (
    Attributes,
    is_number,
    is_truthy,
    number_text,
    shown,
    string_order,
    text,
    unit_text,
)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def endless() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


def row(value: object, expected: object) -> Any:
    return pytest.param(value, expected, id=f"{type(value).__name__}-{value!r}"[:40])


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        row(1.0, "1"),
        row(-0.0, "0"),
        row(0, "0"),
        row(100, "100"),
        row(0.1 + 0.2, "0.30000000000000004"),
        row(1e-6, "0.000001"),
        row(1e-7, "1e-7"),
        row(1.5e-7, "1.5e-7"),
        row(-2.25, "-2.25"),
        row(1e20, "100000000000000000000"),
        row(1e21, "1e+21"),
        row(1.5e21, "1.5e+21"),
        row(1e16, "10000000000000000"),
        row(2**53 - 1, "9007199254740991"),
        row(2**53, "9007199254740992"),
        row(2**53 + 1, "9007199254740992"),
        row(-(2**53) - 1, "-9007199254740992"),
        row(12345678901234567891, "12345678901234567000"),
        row(10**21, "1e+21"),
        row(5e-324, "5e-324"),
        row(1.7976931348623157e308, "1.7976931348623157e+308"),
        row(123456789.125, "123456789.125"),
        row(-1e-7, "-1e-7"),
        row(0.5, "0.5"),
        row(nan, "NaN"),
        row(inf, "Infinity"),
        row(-inf, "-Infinity"),
        pytest.param(10**400, "Infinity", id="int-too-large-for-a-double"),
        pytest.param(-(10**400), "-Infinity", id="int-too-small-for-a-double"),
    ],
)
def test_a_number_is_written_as_ecmascript_writes_it(number: float, expected: str) -> None:
    """Numbers have one text in every SDK, so they hash alike."""
    assert number_text(number) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        row(None, "null"),
        row(True, "true"),
        row(False, "false"),
        row("", ""),
        row(" x ", " x "),
        row(1.0, "1"),
        row([], ""),
        row([1, "b", 2.5], "1,b,2.5"),
        row([None, 1, None], ",1,"),
        row([[1, [2, None]], True], "1,2,,true"),
        row([{}, {"a": 1}], "[object Object],[object Object]"),
        row({}, "[object Object]"),
        row({"a": 1}, "[object Object]"),
    ],
)
def test_any_value_has_a_text(value: object, expected: str) -> None:
    """Arrays join their elements' texts; an object has the same text whatever it holds."""
    assert text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        row(None, False),
        row(False, False),
        row(0, False),
        row(0.0, False),
        row(-0.0, False),
        row(nan, False),
        row("", False),
        row(True, True),
        row(1, True),
        row(-1, True),
        row(5e-324, True),
        row(inf, True),
        row("0", True),
        row(" ", True),
        row("false", True),
        row([], True),
        row({}, True),
        row([0], True),
    ],
)
def test_only_null_false_zero_and_the_empty_string_are_falsy(value: object, expected: bool) -> None:
    """Truth is ECMAScript's: empty arrays and objects are truthy."""
    assert is_truthy(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        row("user", "user"),
        row(" ", " "),
        row(123, "123"),
        row(1.0, "1"),
        row(1e21, "1e+21"),
        row(True, "true"),
        row([1, 2], "1,2"),
        row([], ""),
        row({}, "[object Object]"),
        row("", None),
        row(None, None),
        row(False, None),
        row(0, None),
        row(-0.0, None),
        row(nan, None),
        pytest.param(endless(), None, id="list-in-itself"),
        pytest.param(nested(50_000), None, id="list-nested-very-deep"),
    ],
)
def test_a_falsy_value_identifies_nobody(value: object, expected: str | None) -> None:
    """A truthy value is hashed by its text; what is falsy or has no text is no value."""
    assert unit_text(value) == expected


def test_strings_are_ordered_by_utf_16_code_units() -> None:
    """A character above U+FFFF sorts before those from U+E000 on, against code point order."""
    ordered = ["", "A", "a", "aa", "\u00e9", "\ud7ff", "\U0001f98a", "\ue000", "\uffff"]

    assert sorted(set(ordered), key=string_order) == ordered
    assert sorted(ordered) != ordered


def test_a_lone_surrogate_has_a_place_in_the_order() -> None:
    """Half a surrogate pair sorts by its own unit, and raises nothing."""
    assert string_order("\ud7ff") < string_order("\ud83d") < string_order("\ue000")
    assert string_order("\ud83d") < string_order("\U0001f600")


def test_a_bool_is_no_number() -> None:
    """Python's bool is an int, JSON's is not."""
    assert [is_number(value) for value in (True, 1, 1.0, "1", None)] == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_attributes_that_are_missing_are_null() -> None:
    """Reading what is not there gives None, and `get` its default."""
    attributes = Attributes(a=1, b=None)

    assert (attributes["x"], attributes.known("x"), attributes.get("a", 2)) == (None, None, 1)
    assert (attributes.get("x", 2), attributes.get("b", 2)) == (2, 2)


@pytest.mark.parametrize(
    "value",
    [endless(), nested(5_000), "x" * 10_000, list(range(1000)), 10**5000, [10**5000]],
    ids=["endless", "deep", "long text", "long list", "huge number", "huge number in a list"],
)
def test_a_value_is_shown_short(value: object) -> None:
    """A message shows any value in a line, however long or deep it is."""
    assert 0 < len(shown(value)) <= 100
