"""Section 6.7 and 6.8: membership, saved groups, arrays, text; and what fails as malformed (19)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.cases import rows

Json = Any


@pytest.mark.parametrize(
    ("v", "operators", "expected"),
    rows(
        ("$in", 1, {"$in": [1, 2]}, True),
        ("$in is strict", "1", {"$in": [1, True]}, False),
        ("$in true is not one", True, {"$in": [1]}, False),
        ("$in null", None, {"$in": [None]}, True),
        ("$in an element of an array", [1, 2], {"$in": [2, 3]}, True),
        ("$in the empty array", [], {"$in": [1]}, False),
        ("$in never an array", [[1]], {"$in": [[1]]}, False),
        ("$in never an object", {"x": 1}, {"$in": [{"x": 1}]}, False),
        ("$in without a list", 1, {"$in": 1}, False),
        ("$nin without a list", 1, {"$nin": 2}, False),
        ("$ini without a list", "a", {"$ini": "a"}, False),
        ("$nini without a list", "a", {"$nini": "b"}, False),
        ("$nin", 1, {"$nin": [2]}, True),
        ("$nin null", None, {"$nin": [1]}, True),
        ("$nin null that is listed", None, {"$nin": [None]}, False),
        ("$nin the empty array", [], {"$nin": [1]}, True),
        ("$ini", "ABC", {"$ini": ["aBc"]}, True),
        ("$ini an element", ["x", "ABC"], {"$ini": ["abc"]}, True),
        ("$ini numbers", 1, {"$ini": [1]}, True),
        ("$ini lowers and does not fold", "stra\u00dfe", {"$ini": ["STRASSE"]}, False),
        ("$ini beyond ASCII", "\u00c9", {"$ini": ["\u00e9"]}, True),
        ("$nini", "ABC", {"$nini": ["abd"]}, True),
        ("$nini null", None, {"$nini": ["a"]}, True),
        ("a negated $in without a list", 1, {"$not": {"$in": 1}}, True),
        ("$size", [1, 2], {"$size": 2}, True),
        ("$size with operators", [1, 2], {"$size": {"$gt": 2}}, False),
        ("$size of a string", "ab", {"$size": 2}, False),
        ("$size of nothing", None, {"$size": 0}, False),
        ("$all", [1, 2, 3], {"$all": [3, 1]}, True),
        ("$all not", [1, 2], {"$all": [1, 3]}, False),
        ("$all with operators", [1, 5], {"$all": [{"$gt": 4}, {"$lt": 2}]}, True),
        ("$all is deep", [[1]], {"$all": [[1]]}, True),
        ("$all of an empty list", [], {"$all": []}, True),
        ("$all without a list", [1], {"$all": 1}, False),
        ("$all on a string", "a", {"$all": ["a"]}, False),
        ("$alli", ["A", "b"], {"$alli": ["a", "B"]}, True),
        ("$alli not", ["A"], {"$alli": ["a", "b"]}, False),
        ("$alli with numbers", [1, 2], {"$alli": [2]}, True),
        ("$alli without a list", ["a"], {"$alli": "a"}, False),
        ("$elemMatch with operators", [1, 5], {"$elemMatch": {"$gt": 4}}, True),
        ("$elemMatch all of one element", [1, 5], {"$elemMatch": {"$gt": 1, "$lt": 5}}, False),
        ("$elemMatch with a condition", [{"x": 1}], {"$elemMatch": {"x": 1}}, True),
        (
            "$elemMatch with logic beside paths",
            [{"x": 1, "y": 2}],
            {"$elemMatch": {"x": 1, "$or": [{"y": 2}]}},
            True,
        ),
        ("$elemMatch skips null", [None], {"$elemMatch": {"$eq": None}}, False),
        ("$elemMatch with nothing skips null", [None], {"$elemMatch": {}}, False),
        ("$elemMatch with nothing", [1], {"$elemMatch": {}}, True),
        ("elem-falsy zero", [0], {"$elemMatch": {"$eq": 0}}, True),
        ("elem-falsy the empty string", [""], {"$elemMatch": {"$eq": ""}}, True),
        ("elem-falsy false", [False], {"$elemMatch": {"$exists": True}}, True),
        ("elem-logical $or", [{"x": 1}], {"$elemMatch": {"$or": [{"x": 1}]}}, False),
        ("elem-logical $and", [{"x": 1}], {"$elemMatch": {"$and": [{"x": 1}]}}, False),
        ("elem-logical $nor", [{"x": 1}], {"$elemMatch": {"$nor": [{"x": 2}]}}, False),
        ("6.8 $or beside operators", 1, {"$eq": 1, "$or": []}, False),
        ("$elemMatch with $not", [1, 2], {"$elemMatch": {"$not": {"$gt": 1}}}, True),
        ("$elemMatch on an object", {"x": 1}, {"$elemMatch": {"x": 1}}, False),
        ("$elemMatch into nested arrays", [[7]], {"$elemMatch": {"0": 7}}, True),
        ("$regex is found anywhere", "xaby", {"$regex": "ab"}, True),
        ("$regex cares for case", "AB", {"$regex": "ab"}, False),
        ("$regexi does not", "AB", {"$regexi": "ab"}, True),
        ("$regexi beyond ASCII", "\u00c9", {"$regexi": "\u00e9"}, True),
        ("regex-nonstring a number", 15, {"$regex": "^1.$"}, True),
        ("regex-nonstring a number's text", 1e21, {"$regex": r"^1e\+21$"}, True),
        ("regex-nonstring true", True, {"$regex": "^true$"}, True),
        ("regex-nonstring null", None, {"$regex": "^null$"}, True),
        ("regex-nonstring an array", ["a", 1], {"$regex": "^a,1$"}, True),
        ("regex-nonstring an object", {}, {"$regex": r"^\[object Object\]$"}, True),
        ("an invalid $regex", "(", {"$regex": "("}, False),
        ("an invalid $regexi", "(", {"$regexi": "("}, False),
        ("not-regex", "abc", {"$notRegex": "x"}, True),
        ("not-regex that is found", "abc", {"$notRegex": "b"}, False),
        ("not-regex of a number", 5, {"$notRegex": "5"}, True),
        ("not-regex of nothing", None, {"$notRegex": "null"}, True),
        ("not-regex of an invalid pattern", "(", {"$notRegex": "("}, True),
        ("not-regex ignoring case", "ABC", {"$notRegexi": "b"}, False),
        ("not-regex ignoring case, a number", 5, {"$notRegexi": "5"}, True),
        ("unknown operator", 1, {"$foo": 1}, False),
        ("unknown operator beside another", 1, {"$eq": 1, "$foo": 1}, False),
        ("unknown-op-negated", 1, {"$not": {"$foo": 1}}, True),
        ("the operator without a name", 1, {"$": 1}, False),
    ),
)
def test_operator(implementation: Any, v: Json, operators: Json, expected: bool) -> None:
    """6.7 and 6.8: the operators pass for the value of an attribute."""
    assert implementation.eval_condition({"a": operators}, {"a": v}) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    rows(
        ("digits are ASCII", r"\d", "\u0661", False),
        ("word letters are ASCII", r"^\w+$", "\u00e9", False),
        ("the end is the very end", "a$", "a\n", False),
        ("named groups", "^(?<n>a)b$", "ab", True),
        ("inline flags are invalid", "(?i)a", "a", False),
        ("Python's named groups are invalid", "(?P<n>a)", "a", False),
        ("a slash", "a/b", "a/b", True),
        ("an escaped slash", r"a\/b", "a/b", True),
        ("the dot and a line end", "^a.b$", "a\nb", False),
        ("the dot and another line end", "^a.b$", "a\u2028b", False),
        ("the dot is one code unit", "^.$", "\U0001f98a", False),
        ("two dots are two code units", "^..$", "\U0001f98a", True),
        ("a class of no digits", r"^[^\d]$", "\u0661", True),
        ("nothing to repeat", "*", "*", False),
        ("a class without an end", "[a", "[a", False),
    ),
)
def test_pattern(implementation: Any, pattern: str, text: str, expected: bool) -> None:
    """6.8 (regex-flavour): the named constructs of ECMAScript patterns."""
    assert implementation.eval_condition({"a": {"$regex": pattern}}, {"a": text}) is expected


GROUPS = {"g": ["x", 3], "empty": [], "odd": "x", "object": {"values": ["x"]}}


@pytest.mark.parametrize(
    ("v", "group", "inside", "outside"),
    rows(
        ("a member", "x", "g", True, False),
        ("no member", "y", "g", False, True),
        ("a member of another type", "3", "g", False, True),
        ("an element that is a member", ["y", 3], "g", True, False),
        ("nobody", None, "g", False, True),
        ("an empty group", "x", "empty", False, True),
        ("an unknown group", "x", "unknown", False, True),
        ("group-typed text", "x", "odd", False, False),
        ("group-typed an object without a type", "x", "object", False, False),
    ),
)
def test_groups(implementation: Any, v: Json, group: Json, inside: bool, outside: bool) -> None:
    """6.7: `$inGroup` and `$notInGroup`."""
    attributes = {"a": v}
    assert implementation.eval_condition({"a": {"$inGroup": group}}, attributes, GROUPS) is inside
    assert (
        implementation.eval_condition({"a": {"$notInGroup": group}}, attributes, GROUPS) is outside
    )


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param({"$or": {}}, id="an $or that is no list"),
        pytest.param({"$and": 1}, id="an $and that is no list"),
        pytest.param({"$nor": "x"}, id="a $nor that is no list"),
        pytest.param({"$or": [{}, 1]}, id="an $or of something else"),
        pytest.param({"$not": 1}, id="a $not of something else"),
        pytest.param({"$not": {"$or": 1}}, id="a negated $or that is no list"),
        pytest.param({"$nor": [{"$and": 1}]}, id="a $nor of an $and that is no list"),
        pytest.param([], id="a list"),
        pytest.param("x", id="text"),
        pytest.param(True, id="true"),
    ],
)
def test_malformed(implementation: Any, condition: Json) -> None:
    """19: a malformed condition fails as a whole, also where it is negated."""
    assert implementation.eval_condition(condition, {}) is False


@pytest.mark.parametrize("negations", [2_000, 100_001])
def test_depth(implementation: Any, negations: int) -> None:
    """19: nesting beyond what can be processed fails; it never raises."""
    condition: Json = {"never": 1}
    for _ in range(negations):
        condition = {"$not": condition}
    assert implementation.eval_condition(condition, {}) in {True, False}
