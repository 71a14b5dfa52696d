"""Membership in lists and saved groups (specification, section 6.7)."""

from __future__ import annotations

from math import nan
from typing import Any

import pytest

from abmiddleware.evaluation.membership import SavedGroups
from abmiddleware.evaluation.payload import read_payload
from tests.evaluation.support import ANYTHING, passes_for, rows


@rows(
    ({"$in": [1, "a", None]}, 1.0, True),
    ({"$in": [1, "a"]}, "1", False),
    ({"$in": [1]}, True, False),
    ({"$in": [True]}, 1, False),
    ({"$in": [True]}, True, True),
    ({"$in": [None]}, None, True),
    ({"$in": [False]}, None, False),
    ({"$in": []}, None, False),
    ({"$in": [1]}, [3, 1], True),
    ({"$in": [1]}, [], False),
    ({"$in": [[1]]}, [[1]], False),
    ({"$in": [[1]]}, [1], False),
    ({"$in": [{}]}, {}, False),
    ({"$in": [nan]}, nan, False),
    ({"$in": (1, 2)}, 2, True),
    ({"$in": {1, 2}}, 2, True),
    ({"$in": ["A"]}, "a", False),
    ({"$nin": [1]}, None, True),
    ({"$nin": [None]}, None, False),
    ({"$nin": [1]}, [2, 1], False),
    ({"$nin": [1]}, [], True),
    ({"$nin": []}, 1, True),
    ({"$ini": ["A", 1]}, "a", True),
    ({"$ini": ["a"]}, "A", True),
    ({"$ini": ["É"]}, "é", True),
    ({"$ini": ["straße"]}, "STRASSE", False),
    ({"$ini": ["a"]}, ["B", "A"], True),
    ({"$ini": [1]}, 1.0, True),
    ({"$ini": [True]}, "true", False),
    ({"$nini": ["A"]}, "a", False),
    ({"$nini": ["A"]}, "b", True),
    ({"$nini": ["A"]}, None, True),
)
def test_membership(operators: Any, value: object, expected: bool) -> None:
    """Lists hold scalars of the same type; an array is in when one of its elements is."""
    assert passes_for(operators, value) is expected


@pytest.mark.parametrize("name", ["$in", "$nin", "$ini", "$nini", "$all", "$alli"])
@pytest.mark.parametrize("argument", [None, 5, "abc", {"a": 1}, True], ids=repr)
def test_what_is_no_list_has_no_members(name: str, argument: object) -> None:
    """All of them fail for an argument that is not a list, and negated they pass."""
    assert not any(passes_for({name: argument}, value) for value in ANYTHING)
    assert passes_for({"$not": {name: argument}}, 1)


GROUPS: Any = {
    "vip": [1, "2", "a"],
    "none": [],
    "null": None,
    "text": "ab",
    "typed": {"values": [1]},
}


@pytest.mark.parametrize(
    ("group", "value", "inside", "outside"),
    [
        ("vip", 1, True, False),
        ("vip", "1", False, True),
        ("vip", 2, False, True),
        ("vip", ["x", "a"], True, False),
        ("vip", None, False, True),
        ("none", 1, False, True),
        ("unknown", 1, False, True),
        ("null", 1, False, True),
        ("text", "a", False, False),
        ("typed", 1, False, False),
    ],
)
def test_saved_groups(group: str, value: object, inside: bool, outside: bool) -> None:
    """An unknown group is empty; one that is no list makes both operators fail."""
    assert passes_for({"$inGroup": group}, value, GROUPS) is inside
    assert passes_for({"$notInGroup": group}, value, GROUPS) is outside


@pytest.mark.parametrize("groups", [None, {}, [], 5, "vip"], ids=repr)
def test_without_saved_groups_every_group_is_empty(groups: object) -> None:
    """Groups that are absent or no object hold nobody."""
    assert not passes_for({"$inGroup": "vip"}, 1, groups)
    assert passes_for({"$notInGroup": "vip"}, 1, groups)


def test_a_saved_group_is_indexed_once() -> None:
    """However many conditions name a group, its members are held once."""
    groups = SavedGroups({"beta": ["a", "b"], "typed": {"type": "list", "values": [1]}})

    assert groups.listed("beta") is groups.listed("beta")
    assert groups.listed("typed") is groups.listed("typed")
    document = read_payload(
        {
            "features": {},
            "savedGroups": {"beta": ["a"]},
            "experiments": [
                {"key": key, "variations": [0, 1], "condition": {"id": {"$inGroup": "beta"}}}
                for key in ("x", "y")
            ],
        }
    )
    held = [document.experiment(key).saved_groups for key in ("x", "y")]
    assert held[0] is held[1] is document.saved_groups
