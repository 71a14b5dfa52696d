"""The structure of conditions, their paths and literals (specification, sections 6.1 to 6.3)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from tests.evaluation.support import passes, passes_for

YES: Any = {"a": 1}
NO: Any = {"a": 2}
MALFORMED: Any = {"$or": "x"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, True),
        (YES, True),
        (NO, False),
        ({"a": 1, "b": 2}, True),
        ({"a": 1, "b": 3}, False),
        ({"$or": []}, True),
        ({"$or": [NO, YES]}, True),
        ({"$or": [NO, NO]}, False),
        ({"$or": ()}, True),
        ({"$nor": []}, False),
        ({"$nor": [NO, NO]}, True),
        ({"$nor": [NO, YES]}, False),
        ({"$and": []}, True),
        ({"$and": [YES, YES]}, True),
        ({"$and": [YES, NO]}, False),
        ({"$not": {}}, False),
        ({"$not": NO}, True),
        ({"$not": YES}, False),
        ({"$not": {"$not": YES}}, True),
        ({"$or": [YES], "$and": [NO]}, False),
        ({"$or": [YES], "$nor": [NO], "$not": NO, "$and": [YES], "b": 2}, True),
        ({"$or": [YES], "b": 3}, False),
        ({"$or": [{"$and": [YES, {"$nor": [NO]}]}]}, True),
    ],
    ids=repr,
)
def test_entries_of_a_condition_are_anded(condition: Any, expected: bool) -> None:
    """Logical keys may stand beside each other and beside paths; all must pass."""
    assert passes(condition, {"a": 1, "b": 2}) is expected
    assert passes(MappingProxyType(condition), {"a": 1, "b": 2}) is expected


@pytest.mark.parametrize(
    "condition",
    [
        None,
        5,
        "a",
        [],
        [YES],
        True,
        {1: 1},
        {"$or": YES},
        {"$or": None},
        {"$or": [5]},
        {"$or": [YES, 5]},
        {"$nor": "x"},
        {"$nor": {}},
        {"$and": 5},
        {"$not": []},
        {"$not": None},
        {"$not": MALFORMED},
        {"$not": {"$not": MALFORMED}},
        {"$nor": [MALFORMED]},
        {"$or": [YES, MALFORMED]},
        {"a": {"$not": {1: 2}}},
    ],
    ids=repr,
)
def test_a_malformed_condition_fails_as_a_whole(condition: Any) -> None:
    """No negation and no alternative turns a mistake into a match."""
    assert passes(condition, {"a": 1}) is False


OBJECT: Any = {
    "a": {"b": {"c": 1}, "length": 7, "": {"": 2}},
    "list": [10, {"x": 11}, [12, 13]],
    "text": "abc",
    "number": 5,
    "none": None,
    "a.b": "never",
    "$groups": "beta",
    "": 3,
    "constructor": 4,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b.c", 1),
        ("a.length", 7),
        ("a..", 2),
        ("", 3),
        ("list.0", 10),
        ("list.1.x", 11),
        ("list.2.1", 13),
        ("list.length", 3),
        ("list.2.length", 2),
        ("$groups", "beta"),
        ("constructor", 4),
    ],
)
def test_a_path_leads_to_a_value(path: str, value: object) -> None:
    """Objects are entered by key, arrays by canonical index and by `length`."""
    assert passes({path: value}, OBJECT)
    assert not passes({path: None}, OBJECT)


@pytest.mark.parametrize(
    "path",
    [
        "missing",
        "a.missing.c",
        "list.3",
        "list.-1",
        "list.00",
        "list.01",
        "list.1.5",
        "list.4294967295",
        "list.x",
        "list.",
        "text.0",
        "text.length",
        "number.x",
        "none.x",
        "a.b.c.d",
        "a.constructor",
        "list.constructor",
        "toString",
        "list.0.length",
        "$beta",
    ],
)
def test_what_a_path_does_not_find_is_null(path: str) -> None:
    """Strings and numbers cannot be entered, and there are no built-in properties."""
    assert passes({path: None}, OBJECT)
    assert passes({path: {"$exists": False}}, OBJECT)


@pytest.mark.parametrize(
    ("literal", "value", "expected"),
    [
        (5, 5.0, True),
        (5, "5", False),
        ("5", 5, False),
        (True, 1, False),
        (True, True, True),
        (False, None, False),
        (0, None, False),
        ("", None, False),
        (None, None, True),
        (None, 0, False),
        (None, False, False),
        ([], [], True),
        ([1, 2], [1.0, 2], True),
        ([1, 2], [2, 1], False),
        ((1, 2), [1, 2], True),
        ([], None, False),
        ([[]], [[]], True),
        ({"x": 1}, {"x": 1}, True),
        ({"x": 1}, {"x": 1, "y": 2}, False),
        ({"x": 1, "y": 2}, {"y": 2, "x": 1}, False),
        ({"2": 0, "x": 1}, {"x": 1, "2": 0}, True),
        ({"x": {"y": [1, None]}}, {"x": {"y": [1, None]}}, True),
        ({"x": {"y": 1}}, {"x": {"y": True}}, False),
        ({"x": None}, {}, False),
        ({"$eq": 1, "x": 2}, {"$eq": 1, "x": 2}, True),
        ({"$eq": 1, "x": 2}, 1, False),
        ({"x": {"$gt": 1}}, {"x": 2}, False),
        (MappingProxyType({"x": 1}), {"x": 1}, True),
    ],
    ids=repr,
)
def test_a_literal_is_compared_by_type_and_value(
    literal: object, value: object, expected: bool
) -> None:
    """Nothing is converted; objects compare with the order of their keys."""
    assert passes_for(literal, value) is expected


@pytest.mark.parametrize("value", [None, 0, "", [], {}, {"x": 1}], ids=repr)
def test_an_empty_object_passes(value: object) -> None:
    """`{}` is an empty list of operators, not a literal."""
    assert passes_for({}, value)


def test_the_reserved_saved_group_key_breaks_nothing() -> None:
    """A part of a later specification may stand in a payload; either answer is acceptable."""
    condition = {"$savedGroup": {"id": "g"}, "$savedGroups": ["g"]}

    assert passes(condition, {"a": 1}, {"g": [1]}) in (True, False)


def test_a_condition_may_be_nested_sixty_levels() -> None:
    """Conditions far deeper than a person writes still work."""
    condition: Any = {"a": 1}
    for _ in range(30):
        condition = {"$not": {"$and": [condition]}}

    assert passes(condition, {"a": 1})
    assert not passes(condition, {"a": 2})


def nested(wrap: Any, levels: int = 5_000) -> Any:
    condition: Any = {"a": 1}
    for _ in range(levels):
        condition = wrap(condition)
    return condition


@pytest.mark.parametrize(
    "condition",
    [
        nested(lambda inner: {"$not": inner}),
        nested(lambda inner: {"$or": [inner]}),
        {"a": nested(lambda inner: {"$not": inner})},
        {"a": nested(lambda inner: {"$elemMatch": inner})},
        {"a": nested(lambda inner: {"$size": inner})},
        {"a": nested(lambda inner: {"$all": [inner]})},
        {"a": nested(lambda inner: [inner])},
        {"$not": {"a": nested(lambda inner: {"x": inner})}},
    ],
    ids=["not", "or", "value not", "element", "size", "all", "list literal", "object literal"],
)
def test_nesting_without_measure_fails_as_a_whole(condition: Any) -> None:
    """A condition that is too deep to process fails, negated or not."""
    assert passes(condition, {"a": 1}) is False
    assert passes({"$or": [condition, {}]}, {"a": 1}) is False
