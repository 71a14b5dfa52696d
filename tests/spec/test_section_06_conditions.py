"""Section 6.1 to 6.6: structure, paths, literals, order, coercion, versions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.cases import rows

Json = Any

PASS: Json = {}
FAIL: Json = {"$or": [{"never": 1}]}


@pytest.mark.parametrize(
    ("condition", "attributes", "expected"),
    rows(
        ("6.1 the empty condition passes", {}, {}, True),
        ("6.1 an empty $or passes", {"$or": []}, {}, True),
        ("6.1 an empty $nor fails", {"$nor": []}, {}, False),
        ("6.1 an empty $and passes", {"$and": []}, {}, True),
        ("6.1 one of $or passes", {"$or": [FAIL, PASS]}, {}, True),
        ("6.1 none of $or passes", {"$or": [FAIL, FAIL]}, {}, False),
        ("6.1 one of $nor passes", {"$nor": [FAIL, PASS]}, {}, False),
        ("6.1 none of $nor passes", {"$nor": [FAIL, FAIL]}, {}, True),
        ("6.1 all of $and pass", {"$and": [PASS, PASS]}, {}, True),
        ("6.1 not all of $and pass", {"$and": [PASS, FAIL]}, {}, False),
        ("6.1 $not of a failing one", {"$not": FAIL}, {}, True),
        ("6.1 $not of a passing one", {"$not": PASS}, {}, False),
        ("6.1 logical keys are and-ed", {"$or": [PASS], "$not": PASS}, {}, False),
        ("6.1 logical keys and paths", {"$or": [PASS], "a": 1, "$not": FAIL}, {"a": 1}, True),
        ("6.1 another $ key is a path", {"$eq": 1}, {"$eq": 1}, True),
        ("6.1 $groups is a path", {"$groups": "x"}, {"$groups": "y"}, False),
        ("6.2 nested objects", {"a.b.c": 1}, {"a": {"b": {"c": 1}}}, True),
        ("6.2 an index of an array", {"a.1": "y"}, {"a": ["x", "y"]}, True),
        ("6.2 an object in an array", {"a.0.b": 1}, {"a": [{"b": 1}]}, True),
        ("6.2 an index that is not canonical", {"a.01": None}, {"a": ["x", "y"]}, True),
        ("6.2 a sign is no index", {"a.-1": None}, {"a": ["x", "y"]}, True),
        ("6.2 other digits are no index", {"a.\u0661": None}, {"a": ["x", "y"]}, True),
        ("6.2 an index beyond the end", {"a.2": None}, {"a": ["x", "y"]}, True),
        ("6.2 the length of an array", {"a.length": 2}, {"a": ["x", "y"]}, True),
        ("6.2 strings have no length", {"a.length": None}, {"a": "xy"}, True),
        ("6.2 strings have no index", {"a.0": None}, {"a": "xy"}, True),
        ("6.2 an own key of digits", {"a.0": 1}, {"a": {"0": 1}}, True),
        ("6.2 an own key named length", {"a.length": 9}, {"a": {"length": 9}}, True),
        ("6.2 below null", {"a.b.c": None}, {"a": None}, True),
        ("6.2 a key with a dot is out of reach", {"a.b": 1}, {"a.b": 1}, False),
        ("6.2 the empty key", {"": 1}, {"": 1}, True),
        ("6.2 an empty segment", {"a.": 1}, {"a": {"": 1}}, True),
        ("6.2 an own key of a prototype's name", {"constructor": 1}, {"constructor": 1}, True),
        ("proto-key constructor", {"constructor": None}, {}, True),
        ("proto-key toString", {"a.toString": {"$exists": False}}, {"a": {}}, True),
        ("proto-key keys of arrays", {"a.push": {"$exists": True}}, {"a": []}, False),
        ("6.3 null and missing", {"a": None}, {}, True),
        ("6.3 null and null", {"a": None}, {"a": None}, True),
        ("6.3 null and zero", {"a": None}, {"a": 0}, False),
        ("6.3 false and missing", {"a": False}, {}, False),
        ("6.3 one and one point zero", {"a": 1}, {"a": 1.0}, True),
        ("6.3 zero and negative zero", {"a": 0}, {"a": -0.0}, True),
        ("literal-coerce text and number", {"a": "5"}, {"a": 5}, False),
        ("literal-coerce number and text", {"a": 5}, {"a": "5"}, False),
        ("literal-coerce true and one", {"a": True}, {"a": 1}, False),
        ("literal-coerce one and true", {"a": 1}, {"a": True}, False),
        ("literal-coerce zero and missing", {"a": 0}, {}, False),
        ("literal-coerce true and text", {"a": True}, {"a": "x"}, False),
        ("6.3 equal arrays", {"a": [1, "x"]}, {"a": [1.0, "x"]}, True),
        ("6.3 arrays in another order", {"a": [1, 2]}, {"a": [2, 1]}, False),
        ("6.3 arrays of other types", {"a": [1]}, {"a": [True]}, False),
        ("6.3 arrays of other lengths", {"a": [1]}, {"a": [1, 1]}, False),
        ("6.3 an array and its element", {"a": [1]}, {"a": 1}, False),
        ("6.3 equal objects", {"a": {"x": 1, "y": [2]}}, {"a": {"x": 1, "y": [2]}}, True),
        ("6.3 keys in another order", {"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}, False),
        ("6.3 integer keys come first", {"a": {"x": 1, "2": 2}}, {"a": {"2": 2, "x": 1}}, True),
        ("6.3 integer keys ascend", {"a": {"10": 1, "9": 2}}, {"a": {"9": 2, "10": 1}}, True),
        ("6.3 01 is no integer key", {"a": {"x": 1, "01": 2}}, {"a": {"01": 2, "x": 1}}, False),
        (
            "6.3 the order counts further down",
            {"a": [{"x": 1, "y": 2}]},
            {"a": [{"y": 2, "x": 1}]},
            False,
        ),
        ("6.3 mixed keys are a literal", {"a": {"$eq": 1, "b": 2}}, {"a": 1}, False),
        (
            "6.3 which may be equal",
            {"a": {"$eq": 1, "b": 2}},
            {"a": {"$eq": 1, "b": 2}},
            True,
        ),
        ("empty-object passes", {"a": {}}, {"a": 5}, True),
        ("empty-object passes for a missing one", {"a": {}}, {}, True),
        ("6.4 $eq of null and missing", {"a": {"$eq": None}}, {}, True),
        ("6.4 $eq of other types", {"a": {"$eq": 1}}, {"a": True}, False),
        ("6.4 $eq never for arrays", {"a": {"$eq": [1]}}, {"a": [1]}, False),
        ("6.4 $eq never for objects", {"a": {"$eq": {}}}, {"a": {}}, False),
        ("6.4 $ne for equal arrays", {"a": {"$ne": [1]}}, {"a": [1]}, True),
        ("6.4 $ne of null and missing", {"a": {"$ne": None}}, {}, False),
        ("6.4 $exists for null", {"a": {"$exists": True}}, {"a": None}, False),
        ("6.4 $exists for false", {"a": {"$exists": True}}, {"a": False}, True),
        ("exists-arg an empty list is true", {"a": {"$exists": []}}, {"a": 1}, True),
        ("exists-arg zero is false", {"a": {"$exists": 0}}, {}, True),
        ("exists-arg the empty string is false", {"a": {"$exists": ""}}, {"a": 1}, False),
        ("exists-arg null is false", {"a": {"$exists": None}}, {}, True),
        ("6.4 $type string", {"a": {"$type": "string"}}, {"a": ""}, True),
        ("6.4 $type number", {"a": {"$type": "number"}}, {"a": True}, False),
        ("6.4 $type boolean", {"a": {"$type": "boolean"}}, {"a": True}, True),
        ("6.4 $type array", {"a": {"$type": "array"}}, {"a": []}, True),
        ("6.4 $type object", {"a": {"$type": "object"}}, {"a": []}, False),
        ("6.4 $type null of a missing one", {"a": {"$type": "null"}}, {}, True),
        ("6.4 $type never undefined", {"a": {"$type": "undefined"}}, {}, False),
        ("6.4 $not of a literal", {"a": {"$not": 5}}, {"a": 5}, False),
        ("6.4 $not of a list", {"a": {"$not": [5]}}, {"a": 5}, True),
        ("6.4 $not of null", {"a": {"$not": None}}, {"a": 5}, True),
        ("6.4 all operators must pass", {"a": {"$gt": 1, "$lt": 3}}, {"a": 3}, False),
    ),
)
def test_condition(implementation: Any, condition: Json, attributes: Json, expected: bool) -> None:
    """A condition passes for these attributes, or it does not."""
    assert implementation.eval_condition(condition, attributes) is expected


MISSING: Json = ["missing"]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    rows(
        ("two numbers", 2, 10, "<"),
        ("equal numbers", 1, 1.0, "="),
        ("two strings, not by value", "2", "10", ">"),
        ("strings by code units", "\ue000", "\U0001f600", ">"),
        ("order-mixed text of digits", "8", 10, "<"),
        ("order-mixed a number and text", 8, "10", "<"),
        ("6.9 missing is zero", MISSING, 10, "<"),
        ("6.9 missing is not above zero", MISSING, 0, "="),
        ("6.9 null and null", MISSING, None, "="),
        ("6.9 true is one", True, 1, "="),
        ("6.9 false is zero", False, -1, ">"),
        ("6.9 white space is stripped", " \t8\u00a0", 8, "="),
        ("6.9 a byte order mark is white space", "\ufeff8", 8, "="),
        ("6.9 a control is none", "\x1c8", 8, ""),
        ("6.9 the empty string is zero", "", 0, "="),
        ("6.9 blanks are zero", "  ", 0, "="),
        ("6.9 a fraction without digits before", ".5", 0.5, "="),
        ("6.9 a fraction without digits behind", "5.", 5, "="),
        ("6.9 a point alone", ".", 0, ""),
        ("6.9 an exponent", "-1e3", -1000, "="),
        ("6.9 a plus sign", "+7", 7, "="),
        ("6.9 Infinity", "Infinity", 1e300, ">"),
        ("6.9 minus Infinity", "-Infinity", 0, "<"),
        ("6.9 inf is none", "inf", 0, ""),
        ("6.9 nan is none", "nan", 0, ""),
        ("6.9 hexadecimal", "0x1F", 31, "="),
        ("6.9 octal", "0o17", 15, "="),
        ("6.9 binary", "0b101", 5, "="),
        ("6.9 hexadecimal has no sign", "-0x1F", 31, ""),
        ("6.9 no underscores", "1_000", 1000, ""),
        ("6.9 no units", "12px", 12, ""),
        ("6.9 other digits", "\u0665", 5, ""),
        ("6.9 text that is no number", "abc", 0, ""),
        ("6.9 an array is its text", [1, [2, None]], "1,2,", "="),
        ("6.9 an array of one number", [5], 5, "="),
        ("6.9 an empty array is zero", [], 0, "="),
        ("6.9 an array of two is no number", [1, 2], 0, ""),
        ("6.9 an object is its text", {"x": 1}, "[object Object]", "="),
        ("6.9 an object is no number", {}, 0, ""),
        ("6.9 two arrays as text", [10], [9], "<"),
    ),
)
def test_order(implementation: Any, left: Json, right: Json, expected: str) -> None:
    """6.5 and 6.9: the four operators agree on one order; without one all four fail."""
    attributes = {} if left is MISSING else {"a": left}
    signs = {"$lt": "<", "$lte": "<=", "$gt": ">", "$gte": ">="}
    told = {name: implementation.eval_condition({"a": {name: right}}, attributes) for name in signs}
    assert told == {name: expected != "" and expected in sign for name, sign in signs.items()}


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    rows(
        ("separators are the same", "1-2-3", "1.2.3", "="),
        ("two and three segments differ", "1.2", "1.2.0", "<"),
        ("a leading v goes", "v1.2.3", "1.2.3", "="),
        ("a capital V stays", "V1.2.3", "1.2.3", ">"),
        ("only one v goes", "vv1.2.3", "v1.2.3", ">"),
        ("a build is dropped", "1.2.3+b", "1.2.3+c", "="),
        ("everything behind the first plus", "1.2.3+b-1+c", "1.2.3", "="),
        ("a release follows its pre-releases", "1.2.3", "1.2.3-rc.1", ">"),
        ("digits are padded", "9999.0.0", "10000.0.0", "<"),
        ("six digits are text", "100000.0.0", "99999.0.0", "<"),
        ("letters are case-sensitive", "1.2.3-RC", "1.2.3-rc", "<"),
        ("empty segments are kept", "1..3", "1.0.3", ">"),
        ("version-mixed a number", 1, "1", "="),
        ("version-mixed a number's text", 1.5, "1.5", "="),
        ("version-mixed a negative number", -1, "-1", "="),
        ("version-mixed missing is zero", MISSING, "0", "="),
        ("version-mixed the empty string is zero", "", "0", "="),
        ("version-mixed true is zero", True, "0", "="),
        ("version-mixed a list is zero", ["1.2.3"], 0, "="),
        ("version-mixed missing is another version", MISSING, "1.2.3", "<"),
        ("version-nonascii other digits are no digits", "\u0661.0.0", "1.0.0", ">"),
        ("version-nonascii line ends stay", "1\n", "1", ">"),
    ),
)
def test_versions(implementation: Any, left: Json, right: Json, expected: str) -> None:
    """6.6: the six operators agree on the order of the padded forms."""
    attributes = {} if left is MISSING else {"a": left}
    signs = {"$veq": "=", "$vne": "<>", "$vlt": "<", "$vlte": "<=", "$vgt": ">", "$vgte": ">="}
    told = {name: implementation.eval_condition({"a": {name: right}}, attributes) for name in signs}
    assert told == {name: expected in sign for name, sign in signs.items()}
