"""The operators on a value (specification, sections 6.4 and 6.8, and the table of 20)."""

from __future__ import annotations

from math import nan
from typing import Any

import pytest

from tests.evaluation.support import ANYTHING, passes, passes_for, rows


@rows(
    ({"$eq": 1}, 1.0, True),
    ({"$eq": 1}, True, False),
    ({"$eq": "1"}, 1, False),
    ({"$eq": None}, None, True),
    ({"$eq": None}, False, False),
    ({"$eq": [1]}, [1], False),
    ({"$eq": {}}, {}, False),
    ({"$eq": nan}, nan, False),
    ({"$ne": [1]}, [1], True),
    ({"$ne": 1}, 1.0, False),
    ({"$ne": None}, None, False),
    ({"$ne": 1}, None, True),
    ({"$exists": True}, 0, True),
    ({"$exists": True}, None, False),
    ({"$exists": False}, None, True),
    ({"$exists": False}, "", False),
    ({"$exists": []}, 1, True),
    ({"$exists": {}}, None, False),
    ({"$exists": ""}, None, True),
    ({"$exists": 0}, None, True),
    ({"$exists": nan}, None, True),
    ({"$exists": None}, 1, False),
    ({"$exists": "false"}, 1, True),
    ({"$not": {"$eq": 1}}, 2, True),
    ({"$not": {"$eq": 1}}, 1, False),
    ({"$not": 1}, 2, True),
    ({"$not": 1}, 1, False),
    ({"$not": None}, 1, True),
    ({"$not": None}, None, False),
    ({"$not": {}}, 1, False),
    ({"$not": {"x": 1}}, {"x": 1}, False),
    ({"$gt": 1, "$lt": 3}, 2, True),
    ({"$gt": 1, "$lt": 3}, 3, False),
)
def test_equality_and_existence(operators: Any, value: object, expected: bool) -> None:
    """`$eq` is strict and never holds for containers; `$exists` takes any argument's truth."""
    assert passes_for(operators, value) is expected


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "boolean"),
        (1, "number"),
        (1.5, "number"),
        ("", "string"),
        ([], "array"),
        ({}, "object"),
    ],
)
def test_a_value_has_exactly_one_type(value: object, name: str) -> None:
    """`$type` passes for the JSON type's name, and null's is that of a missing value too."""
    names: list[Any] = [
        "null",
        "boolean",
        "number",
        "string",
        "array",
        "object",
        "undefined",
        "int",
        None,
        [],
    ]

    assert [each for each in names if passes_for({"$type": each}, value)] == [name]
    assert passes({"missing": {"$type": "null"}})


@rows(
    ({"$size": 2}, [1, 2], True),
    ({"$size": 2.0}, [1, 2], True),
    ({"$size": "2"}, [1, 2], False),
    ({"$size": {"$gt": 1}}, [1, 2], True),
    ({"$size": {"$in": [3]}}, [1, 2], False),
    ({"$size": {}}, [], True),
    ({"$size": None}, [], False),
    ({"$size": 2}, "ab", False),
    ({"$size": 0}, {}, False),
    ({"$size": 0}, None, False),
    ({"$all": [1, 2]}, [2, 3, 1], True),
    ({"$all": [1, 2]}, [1], False),
    ({"$all": []}, [], True),
    ({"$all": []}, "a", False),
    ({"$all": [{"$gt": 1}, {"$lt": 0}]}, [-1, 2], True),
    ({"$all": [[1]]}, [[1]], True),
    ({"$all": [None]}, [None], True),
    ({"$all": ["A"]}, ["a"], False),
    ({"$all": ["1"]}, [1], False),
    ({"$alli": ["A", "b"]}, ["B", "a"], True),
    ({"$alli": ["A"]}, ["b"], False),
    ({"$alli": [{"$gt": 1}, 5]}, [5], True),
    ({"$alli": []}, None, False),
    ({"$elemMatch": {"$gt": 1}}, [1, 2], True),
    ({"$elemMatch": {"$gt": 2}}, [1, 2], False),
    ({"$elemMatch": {"$eq": 0}}, [0], True),
    ({"$elemMatch": {"$eq": ""}}, [""], True),
    ({"$elemMatch": {"$eq": False}}, [False], True),
    ({"$elemMatch": {"$eq": None}}, [None], False),
    ({"$elemMatch": {"$exists": False}}, [None], False),
    ({"$elemMatch": {"$not": {"$eq": 1}}}, [1, 2], True),
    ({"$elemMatch": {"x.y": 1}}, [{"x": {"y": 1}}], True),
    ({"$elemMatch": {"x": 1, "y": 2}}, [{"x": 1}, {"y": 2}], False),
    ({"$elemMatch": {"x": None}}, [5], True),
    ({"$elemMatch": {"0": 1}}, [[1]], True),
    ({"$elemMatch": {"$or": [{"x": 1}], "y": 2}}, [{"x": 1, "y": 2}], True),
    ({"$elemMatch": {"$or": [{"x": 1}]}}, [{"x": 1}], False),
    ({"$elemMatch": {"$and": []}}, [{"x": 1}], False),
    ({"$elemMatch": {"$gt": 1}}, 5, False),
    ({"$elemMatch": {"$gt": 1}}, {"0": 5}, False),
    ({"$elemMatch": {"$gt": 1}}, [], False),
    ({"$elemMatch": 5}, [5], False),
)
def test_arrays(operators: Any, value: object, expected: bool) -> None:
    """The operators on arrays fail for anything else, and test each element by itself."""
    assert passes_for(operators, value) is expected


@rows(
    ({"$regex": "b"}, "abc", True),
    ({"$regex": "B"}, "abc", False),
    ({"$regexi": "B"}, "abc", True),
    ({"$regex": "^null$"}, None, True),
    ({"$regex": "^1.5$"}, 1.5, True),
    ({"$regex": "^true$"}, True, True),
    ({"$regex": "^1,2$"}, [1, 2], True),
    ({"$regex": "object Object"}, {}, True),
    ({"$regex": "a$"}, "a\n", False),
    ({"$regex": r"^\d$"}, "\u0661", False),
    ({"$regex": ""}, "x", True),
    ({"$regex": "("}, "(", False),
    ({"$regexi": "("}, "(", False),
    ({"$regex": None}, "null", False),
    ({"$regex": "(?i)a"}, "A", False),
    ({"$notRegex": "b"}, "abc", False),
    ({"$notRegex": "x"}, "abc", True),
    ({"$notRegex": "1"}, 1, True),
    ({"$notRegex": "null"}, None, True),
    ({"$notRegex": "("}, "(", True),
    ({"$notRegex": 5}, "5", True),
    ({"$notRegexi": "B"}, "abc", False),
    ({"$notRegexi": "x"}, "abc", True),
    ({"$notRegexi": "["}, 1, True),
)
def test_regular_expressions(operators: Any, value: object, expected: bool) -> None:
    """A pattern is looked for in the text of any value; a negated one minds strings only."""
    assert passes_for(operators, value) is expected


@pytest.mark.parametrize("name", ["$unknown", "$", "$EQ", "$or", "$and", "$nor", "$regx"])
def test_an_unknown_operator_fails_and_negated_passes(name: str) -> None:
    """No value passes an operator that does not exist; `$not` and `$nor` turn that round."""
    assert not any(passes_for({name: [{}]}, value) for value in ANYTHING)
    assert not passes_for({name: 1, "$exists": True}, 1)
    assert all(passes_for({"$not": {name: 1}}, value) for value in ANYTHING)
    assert passes({"$not": {"a": {name: 1}}}, {"a": 1})
    assert passes({"$nor": [{"a": {name: 1}}]}, {"a": 1})
