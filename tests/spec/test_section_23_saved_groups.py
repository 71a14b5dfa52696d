"""Section 23: typed saved groups."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.cases import context, rows

Json = Any

GROUPS = {
    "list": {"type": "list", "attributeKey": "id", "values": ["user-1", 3]},
    "bare": {"type": "list", "values": ["user-1"]},
    "condition": {"type": "condition", "condition": {"country": "NL"}},
    "outer": {"type": "condition", "condition": {"$savedGroup": {"id": "condition"}}},
    "self": {"type": "condition", "condition": {"$savedGroup": {"id": "self"}}},
    "left": {"type": "condition", "condition": {"$savedGroup": {"id": "right"}}},
    "right": {"type": "condition", "condition": {"$savedGroup": {"id": "left"}}},
    "not-self": {
        "type": "condition",
        "condition": {"$not": {"$savedGroup": {"id": "not-self"}}},
    },
    "twice": {
        "type": "condition",
        "condition": {
            "$and": [{"$savedGroup": {"id": "list"}}, {"$savedGroup": {"id": "list"}}],
        },
    },
    "by-group": {"type": "condition", "condition": {"id": {"$inGroup": "list"}}},
    "unknown-type": {"type": "x", "values": ["user-1"]},
    "no-values": {"type": "list", "attributeKey": "id"},
    "no-condition": {"type": "condition"},
}
USER = {"id": "user-1", "country": "NL", "device": "user-1", "other": "x", "ids": ["y", 3]}


@pytest.mark.parametrize(
    ("reference", "expected"),
    rows(
        ("a list group", {"id": "list"}, True),
        ("the reference's attribute", {"id": "list", "attributeKey": "device"}, True),
        ("the reference's attribute first", {"id": "list", "attributeKey": "other"}, False),
        ("an array attribute", {"id": "list", "attributeKey": "ids"}, True),
        ("a missing attribute", {"id": "list", "attributeKey": "none"}, False),
        ("no attribute anywhere", {"id": "bare"}, False),
        ("an attribute of the reference alone", {"id": "bare", "attributeKey": "id"}, True),
        ("a condition group", {"id": "condition"}, True),
        ("a group in a group", {"id": "outer"}, True),
        ("the same group twice", {"id": "twice"}, True),
        ("a list group in a condition group", {"id": "by-group"}, True),
        ("a group of itself", {"id": "self"}, False),
        ("a cycle of two", {"id": "left"}, False),
        ("not a group of itself", {"id": "not-self"}, True),
        ("an unknown group", {"id": "unknown"}, False),
        ("an unknown type", {"id": "unknown-type"}, False),
        ("a list without values", {"id": "no-values"}, False),
        ("a condition group without condition", {"id": "no-condition"}, False),
        ("a reference without id", {"attributeKey": "id"}, False),
        ("a reference by text", "list", False),
        ("a reference by null", None, False),
        ("a reference by a list", ["list"], False),
    ),
)
def test_reference(implementation: Any, reference: Json, expected: bool) -> None:
    """23: `$savedGroup` passes for who is in the group; what cannot be resolved fails."""
    condition = {"$savedGroup": reference}
    assert implementation.eval_condition(condition, USER, GROUPS) is expected
    assert implementation.eval_condition({"$not": condition}, USER, GROUPS) is not expected


@pytest.mark.parametrize(
    ("group", "inside", "outside"),
    rows(
        ("a list group", "list", True, False),
        ("a list group without attribute", "bare", True, False),
        ("a condition group", "condition", False, False),
        ("an unknown type", "unknown-type", False, False),
        ("a list without values", "no-values", False, False),
    ),
)
def test_membership(implementation: Any, group: str, inside: bool, outside: bool) -> None:
    """23: `$inGroup` and `$notInGroup` accept list groups; other entries fail both."""
    assert implementation.eval_condition({"id": {"$inGroup": group}}, USER, GROUPS) is inside
    assert implementation.eval_condition({"id": {"$notInGroup": group}}, USER, GROUPS) is outside


def test_in_a_payload(implementation: Any) -> None:
    """23: the condition of a rule refers to the payload's groups."""
    rule = {"force": 1, "condition": {"$savedGroup": {"id": "list"}}}
    given = context(features={"f": {"rules": [rule]}}, savedGroups=GROUPS)
    assert implementation.eval_feature("f", given)["value"] == 1
