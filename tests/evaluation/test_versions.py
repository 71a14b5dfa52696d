"""Versions (specification, section 6.6)."""

from __future__ import annotations

import pytest

from abmiddleware.evaluation.values import string_order
from abmiddleware.evaluation.versions import padded_version
from tests.evaluation.support import passes_for


@pytest.mark.parametrize(
    ("version", "padded"),
    [
        ("1.2.3", "    1-    2-    3-~"),
        ("v1.2.3", "    1-    2-    3-~"),
        ("V1.2.3", "V1-    2-    3-~"),
        ("vv1.2.3", "v1-    2-    3-~"),
        ("1.2.3-rc.1", "    1-    2-    3-rc-    1"),
        ("1.2.3+build.5", "    1-    2-    3-~"),
        ("1.2.3-rc+build", "    1-    2-    3-rc"),
        ("1.2", "    1-    2"),
        ("1.2.3.4", "    1-    2-    3-    4"),
        ("12345.123456.0", "12345-123456-    0-~"),
        ("1..2", "    1--    2-~"),
        ("v", ""),
        ("+1", ""),
        ("1.\u0662.3", "    1-\u0662-    3-~"),
        ("1.2.3+a\nb", "    1-    2-    3-~"),
        (1.5, "    1-    5"),
        (2.0, "    2"),
        (1e21, "1e"),
        ("", "    0"),
        (None, "    0"),
        (True, "    0"),
        ([1], "    0"),
        ({"a": 1}, "    0"),
    ],
    ids=repr,
)
def test_the_padded_form(version: object, padded: str) -> None:
    """Each step of the specification shows in the text that is compared."""
    assert padded_version(version) == string_order(padded)


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("0.9.9", "1.0.0"),
        ("1.0.0-alpha", "1.0.0"),
        ("1.0.0-alpha", "1.0.0-beta"),
        ("1.0.0-rc.2", "1.0.0-rc.10"),
        ("1.2", "1.2.0"),
        ("9999.0.0", "10000.0.0"),
        ("1.0.0-BETA", "1.0.0-alpha"),
        (None, "0.0.1"),
        ("1.9", 2),
        (1.5, "1.10"),
        ("1.0.0-\U0001f98a", "1.0.0-\uffff"),
    ],
    ids=str,
)
def test_versions_have_an_order(lower: object, higher: object) -> None:
    """All six operators agree on which of two versions is the higher."""
    operators = ("$vlt", "$vlte", "$vne", "$vgt", "$vgte", "$veq")
    upwards = [passes_for({name: higher}, lower) for name in operators]
    downwards = [passes_for({name: lower}, higher) for name in operators]

    assert upwards == [True, True, True, False, False, False]
    assert downwards == [False, False, True, True, True, False]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("1-2-3", "1.2.3"),
        ("v1.2.3", "1.2.3+anything"),
        (None, "0"),
        (None, ""),
        ([], {}),
        (True, 0),
        (1.5, "1.5"),
        ("1.2.3", "1.2.3.~"),
    ],
    ids=str,
)
def test_versions_that_are_the_same(left: object, right: object) -> None:
    """Versions of one padded form are equal however they are written."""
    assert passes_for({"$veq": right, "$vlte": right, "$vgte": right}, left)
    assert not passes_for({"$vne": right}, left)


def test_a_six_digit_segment_is_compared_as_text() -> None:
    """Segments longer than five digits are not padded, so they sort by their first digit."""
    assert passes_for({"$vlt": "99999.0.0"}, "100000.0.0")


def test_a_missing_version_is_version_zero() -> None:
    """`$vne` passes for a missing attribute against any version but 0."""
    assert passes_for({"$vne": "1.0"}, None)
    assert not passes_for({"$vne": "0"}, None)
