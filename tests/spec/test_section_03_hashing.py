"""Section 3, by the vectors of section 21: hashing and identity."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.cases import ENROLLED, OUT, experiment, holds, rows

Json = Any


@pytest.mark.parametrize(
    ("seed", "value", "first", "second"),
    rows(
        ("a word", "exp", "user-1", 0.331, 0.3004),
        ("an integer", "exp", 42, 0.082, 0.2521),
        ("an integer as a float", "exp", 42.0, 0.082, 0.2521),
        ("an integer as text", "exp", "42", 0.082, 0.2521),
        ("a fraction", "exp", 1.5, 0.628, 0.2846),
        ("a number in exponent form", "exp", 1e21, 0.928, 0.5893),
        ("true as text", "exp", "true", 0.352, 0.5548),
        ("one letter beyond ASCII", "exp", "\u00e9", 0.875, 0.976),
        ("a letter of two code units", "exp", "\U0001f98a", 0.46, 0.6263),
        ("a seed beyond ASCII", "s\u00ebed", "\u7528\u623742", 0.265, 0.5398),
        ("an empty seed", "", "x", 0.695, 0.9986),
    ),
)
def test_hash(implementation: Any, seed: str, value: Json, first: float, second: float) -> None:
    """21.3: the hash of both versions."""
    assert implementation.hash(seed, value, 1) == first
    assert implementation.hash(seed, value, 2) == second


@pytest.mark.parametrize("version", [0, 3, -1, 1.5])
def test_unknown_version(implementation: Any, version: float) -> None:
    """3.2: any other version has no hash."""
    assert implementation.hash("exp", "user-1", version) is None


@pytest.mark.parametrize(
    ("text", "fnv"),
    rows(
        ("one letter", "a", 3826002220),
        ("three letters", "abc", 440920331),
        ("one code unit", "\u00e9", 1812687940),
        ("two letters of another script", "\u7528\u6237", 3303804768),
        ("two code units", "\U0001f98a", 3341541937),
        ("two code units between letters", "a\U0001f600b", 2412414209),
        ("a lone surrogate", "\ud83d", 931276136),
    ),
)
def test_fnv(implementation: Any, text: str, fnv: int) -> None:
    """21.1: the hash is over UTF-16 code units; version 1 shows its last three digits."""
    assert implementation.hash("", text, 1) == fnv % 1000 / 1000


@pytest.mark.parametrize(
    ("number", "text"),
    rows(
        ("one as a float", 1.0, "1"),
        ("negative zero", -0.0, "0"),
        ("a hundred", 100, "100"),
        ("a sum that is not exact", 0.1 + 0.2, "0.30000000000000004"),
        ("the smallest without exponent", 1e-6, "0.000001"),
        ("the largest with a negative exponent", 1e-7, "1e-7"),
        ("digits and a negative exponent", 1.5e-7, "1.5e-7"),
        ("negative", -2.25, "-2.25"),
        ("the largest without exponent", 1e20, "100000000000000000000"),
        ("the smallest with an exponent", 1e21, "1e+21"),
        ("digits and an exponent", 1.5e21, "1.5e+21"),
        ("seventeen digits", 1e16, "10000000000000000"),
        ("an integer that is no double", 2**53 + 1, "9007199254740992"),
        ("twenty digits", 12345678901234567891, "12345678901234567000"),
        ("the smallest of all", 5e-324, "5e-324"),
        ("digits on both sides", 123456789.125, "123456789.125"),
    ),
)
def test_number_text(implementation: Any, number: float, text: str) -> None:
    """21.2: a number identifies a user by its text (1.3), also within an array (1.4)."""
    for version in (1, 2):
        hashed = implementation.hash("exp", text, version)
        assert number == 0 or implementation.hash("exp", number, version) == hashed
        assert implementation.hash("exp", [number], version) == hashed


@pytest.mark.parametrize(
    ("attributes", "fields", "expected"),
    rows(
        ("a missing value is none", {}, {}, {**OUT, "hashAttribute": "id", "hashValue": ""}),
        ("null is no value", {"id": None}, {}, {**OUT, "hashValue": ""}),
        ("false is no value", {"id": False}, {}, {**OUT, "hashValue": ""}),
        ("zero is no value", {"id": 0}, {}, {**OUT, "hashValue": ""}),
        ("the empty string is no value", {"id": ""}, {}, {**OUT, "hashValue": ""}),
        ("a blank is a value", {"id": " "}, {"weights": [0, 1]}, {**ENROLLED, "hashValue": " "}),
        (
            "a number is reported as it is",
            {"id": 1.5},
            {},
            {**ENROLLED, "hashValue": 1.5, "bucket": 0.628},
        ),
        (
            "true is hashed as its text (hash-value-type)",
            {"id": True},
            {},
            {**ENROLLED, "hashValue": True, "bucket": 0.352},
        ),
        (
            "an array is hashed as its text (hash-value-type)",
            {"id": ["user-1"]},
            {},
            {**ENROLLED, "hashValue": ["user-1"], "bucket": 0.331},
        ),
        (
            "an empty array is a value (hash-value-type)",
            {"id": []},
            {"weights": [0, 1]},
            {**ENROLLED, "hashValue": []},
        ),
        (
            "an empty hash attribute is id (hash-attr-empty)",
            {"id": "user-1", "": "other"},
            {"hashAttribute": ""},
            {**ENROLLED, "hashAttribute": "id", "hashValue": "user-1"},
        ),
        (
            "a hash attribute of null is id (null-field)",
            {"id": "user-1"},
            {"hashAttribute": None},
            {**ENROLLED, "hashAttribute": "id"},
        ),
        (
            "a fallback attribute is ignored without sticky bucketing",
            {"device": "user-1"},
            {"fallbackAttribute": "device"},
            {**OUT, "hashAttribute": "id", "hashValue": ""},
        ),
    ),
)
def test_identity(implementation: Any, attributes: Json, fields: Json, expected: Json) -> None:
    """3.3: what identifies a user, how it is hashed and how it is reported."""
    assert holds(implementation.run(experiment(**fields), {"attributes": attributes}), expected)
