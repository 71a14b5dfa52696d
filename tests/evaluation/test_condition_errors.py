"""Mistakes in a condition raise where its experiment is built; a payload's are listed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from abmiddleware import DefinitionError, Experiment
from abmiddleware.evaluation.operators import OPERATORS, PATTERN_OPERATORS
from abmiddleware.evaluation.values import shown
from tests.evaluation.support import compiled, problems_of

UNIT = uuid.UUID(int=5)
FOREIGN = "is UUID('00000000-0000-0000-0000-000000000005'), must be a JSON value such as its text"
OPERATOR = "is no operator, must be one of $all, $alli, $elemMatch, $eq"
LOGIC = "is no logical operator, must be one of $and, $or, $nor, $not"
OBJECT = "must be an object"
CONDITIONS = "must be a list of conditions"
PATTERN = "must be an ECMAScript regular expression"
TYPES = "must be one of string, number, boolean, array, object, null"
GROUP = "must be the id of a saved group"
MIXED = "and so is compared as a literal, must have one kind only"
DEEP = "nested deeper than 64 levels, must be flatter"


def endless(wrap: Any) -> Any:
    """Return a document that contains itself."""
    inner: Any = {}
    inner.update(wrap(inner))
    return inner


def endless_list() -> list[Any]:
    items: list[Any] = []
    items.append(items)
    return items


@pytest.mark.parametrize(
    ("condition", "place", "problem"),
    [
        (5, "", f"is 5, {OBJECT}"),
        ("a", "", f"is 'a', {OBJECT}"),
        ([], "", f"is [], {OBJECT}"),
        ([{"a": 1}], "", f"is [{{'a': 1}}], {OBJECT}"),
        (False, "", f"is False, {OBJECT}"),
        ({1: 2}, "", f"is {{1: 2}}, {OBJECT}"),
        ({"$and": {"a": 1}}, ".$and", f"is {{'a': 1}}, {CONDITIONS}"),
        ({"$or": 5}, ".$or", f"is 5, {CONDITIONS}"),
        ({"$nor": None}, ".$nor", f"is None, {CONDITIONS}"),
        ({"$or": [{}, 5]}, ".$or[1]", f"is 5, {OBJECT}"),
        ({"$not": [{}]}, ".$not", f"is [{{}}], {OBJECT}"),
        ({"$not": {"$or": [{"$and": "x"}]}}, ".$not.$or[0].$and", f"is 'x', {CONDITIONS}"),
        ({"$xor": [{}]}, ".$xor", LOGIC),
        ({"$gt": 5}, ".$gt", LOGIC),
        ({"a": UNIT}, ".a", FOREIGN),
        ({"a": [UNIT]}, ".a", FOREIGN),
        ({"a": {"b": UNIT}}, ".a", FOREIGN),
        ({"a": {"$eq": UNIT}}, ".a.$eq", FOREIGN),
        ({"a": {"$in": ["x", UNIT]}}, ".a.$in", FOREIGN),
        ({"a": {"$equals": 1}}, ".a.$equals", OPERATOR),
        ({"a": {"$or": [1]}}, ".a.$or", OPERATOR),
        ({"a": {"$": 1}}, ".a.$", OPERATOR),
        ({"a": {"$GT": 1}}, ".a.$GT", OPERATOR),
        ({"a": {"$not": {"$equals": 1}}}, ".a.$not.$equals", OPERATOR),
        ({"a": {"$size": {"$equals": 1}}}, ".a.$size.$equals", OPERATOR),
        ({"a": {"$all": [1, {"$equals": 1}]}}, ".a.$all[1].$equals", OPERATOR),
        ({"a": {"$alli": [{"$equals": 1}]}}, ".a.$alli[0].$equals", OPERATOR),
        ({"a": {"$elemMatch": {"$equals": 1}}}, ".a.$elemMatch.$equals", OPERATOR),
        ({"a": {"$elemMatch": {"b": {"$equals": 1}}}}, ".a.$elemMatch.b.$equals", OPERATOR),
        ({"a": {"$elemMatch": {"$or": 5, "b": 1}}}, ".a.$elemMatch.$or", f"is 5, {CONDITIONS}"),
        ({"$or": [{"a.b": {"$equals": 1}}]}, ".$or[0].a.b.$equals", OPERATOR),
        ({"a": {1: 2}}, ".a", "is {1: 2}, keys must be strings"),
        ({"a": {"$gt": 1, "b": 2}}, ".a", f"mixes the operator $gt with plain keys {MIXED}"),
        ({"a": {"$in": "NL"}}, ".a.$in", "is 'NL', must be a list"),
        ({"a": {"$nin": {"x": 1}}}, ".a.$nin", "is {'x': 1}, must be a list"),
        ({"a": {"$ini": None}}, ".a.$ini", "is None, must be a list"),
        ({"a": {"$nini": 5}}, ".a.$nini", "is 5, must be a list"),
        ({"a": {"$in": 10**5000}}, ".a.$in", "is too long to show (int), must be a list"),
        ({"a": {"$all": 5}}, ".a.$all", "is 5, must be a list"),
        ({"a": {"$alli": "x"}}, ".a.$alli", "is 'x', must be a list"),
        ({"a": {"$elemMatch": 5}}, ".a.$elemMatch", f"is 5, {OBJECT}"),
        ({"a": {"$elemMatch": [{}]}}, ".a.$elemMatch", f"is [{{}}], {OBJECT}"),
        ({"a": {"$type": "int"}}, ".a.$type", f"is 'int', {TYPES}"),
        ({"a": {"$type": "undefined"}}, ".a.$type", f"is 'undefined', {TYPES}"),
        ({"a": {"$type": ["string"]}}, ".a.$type", f"is ['string'], {TYPES}"),
        ({"a": {"$inGroup": 5}}, ".a.$inGroup", f"is 5, {GROUP}"),
        ({"a": {"$notInGroup": ["x"]}}, ".a.$notInGroup", f"is ['x'], {GROUP}"),
        ({"a": {"$regex": "("}}, ".a.$regex", "is '(', unterminated group"),
        ({"a": {"$regex": "*"}}, ".a.$regex", PATTERN),
        ({"a": {"$regexi": "["}}, ".a.$regexi", PATTERN),
        ({"a": {"$notRegex": "(?i)a"}}, ".a.$notRegex", PATTERN),
        ({"a": {"$notRegexi": 5}}, ".a.$notRegexi", f"is 5, not a string; {PATTERN}"),
        ({"a": {"$regex": None}}, ".a.$regex", f"is None, not a string; {PATTERN}"),
        ({"a": {"$not": {"$regex": ")"}}}, ".a.$not.$regex", PATTERN),
        (endless(lambda inner: {"a": inner}), ".a", DEEP),
        (endless(lambda inner: {"$not": inner}), ".$not.$not", DEEP),
        (endless(lambda inner: {"$or": [inner, inner]}), ".$or[0].$or[0]", DEEP),
        (endless(lambda inner: {"$and": [{}, inner]}), ".$and[1].$and[1]", DEEP),
        ({"a": endless(lambda inner: {"$not": inner})}, ".a.$not.$not", DEEP),
        ({"a": endless(lambda inner: {"$elemMatch": inner})}, ".a.$elemMatch", DEEP),
        ({"a": endless_list()}, ".a", DEEP),
        ({"a": {"$not": endless_list()}}, ".a.$not", DEEP),
        ({"a": {"$all": endless_list()}}, ".a.$all[0]", DEEP),
    ],
    ids=lambda cell: cell if isinstance(cell, str) else shown(cell),
)
def test_a_mistake_in_a_condition_names_its_place(condition: Any, place: str, problem: str) -> None:
    """Every part of a condition that cannot be used is refused when the experiment is built."""
    with pytest.raises(DefinitionError) as caught:
        Experiment("exp", ["a", "b"], condition=condition)

    assert caught.value.path.startswith(f"exp.condition{place}")
    assert problem in caught.value.problem
    if problem != DEEP:
        assert caught.value.path == f"exp.condition{place}"


def test_every_operator_is_named_where_one_is_unknown() -> None:
    """The message lists what there is."""
    [(_, problem)] = problems_of({"a": {"$equals": 1}})

    assert all(
        name in problem
        for name in [*OPERATORS, *PATTERN_OPERATORS, "$not", "$size", "$all", "$elemMatch"]
    )


def test_a_saved_group_that_is_no_list_is_a_problem() -> None:
    """The problem names the group, and where it is used."""
    problem = "names the saved group 'vip', which must be a list"

    assert problems_of({"a": {"$inGroup": "vip"}}, {"vip": "x"}) == [
        ("condition.a.$inGroup", problem)
    ]


def test_a_payloads_condition_lists_all_its_problems() -> None:
    """Compiling what came over the network raises nothing and lists every part to mend."""
    condition = {"a": {"$x": 1, "$in": 2}, "$or": [{"b": {"$regex": "("}}], "$y": 1}
    plan = compiled(condition=condition, path="experiments[3]")

    assert [problem.path for problem in plan.problems] == [
        "experiments[3].condition.a.$x",
        "experiments[3].condition.a.$in",
        "experiments[3].condition.$or[0].b.$regex",
        "experiments[3].condition.$y",
    ]
    with pytest.raises(DefinitionError, match=r"^experiments\[3\]\.condition\.a\.\$x: is no"):
        plan.raise_problems()


@pytest.mark.parametrize("condition", [None, {}], ids=str)
def test_no_condition_is_no_mistake(condition: Any) -> None:
    """Without a condition everybody may take part."""
    plan = Experiment("exp", ["a", "b"], condition=condition).plan

    assert plan.problems == ()
    plan.raise_problems()
