"""Values that no JSON holds: without end, too deep, too large (specification, section 19)."""

from __future__ import annotations

from typing import Any

import pytest

from abmiddleware import DefinitionError, Experiment, Filter, VariationMeta
from abmiddleware.evaluation.operators import OPERATORS, PATTERN_OPERATORS
from tests.evaluation.support import passes_for, run


def endless_list() -> list[Any]:
    items: list[Any] = []
    items.append(items)
    return items


def endless_object() -> dict[str, Any]:
    item: dict[str, Any] = {}
    item["a"] = item
    return item


def deep_list() -> list[Any]:
    items: list[Any] = []
    for _ in range(20_000):
        items = [items]
    return items


def deep_object() -> dict[str, Any]:
    item: dict[str, Any] = {}
    for _ in range(20_000):
        item = {"a": item}
    return item


HOSTILE: dict[str, Any] = {
    "endless list": endless_list(),
    "endless object": endless_object(),
    "deep list": deep_list(),
    "deep object": deep_object(),
    "huge number": 10**5000,
    "half a pair": "\ud83d",
    "tuple": ("a",),
    "bytes": b"a",
    "set": {1},
    "object": object(),
    "function": len,
}

hostile = pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)

ARGUMENTS: list[Any] = [None, 1, "a", [], ["a"], [[]], {}, {"a": {}}, "a(b)*", "vip"]


@hostile
def test_no_operator_raises_for_a_hostile_attribute(value: Any) -> None:
    """Every operator gives a plain answer whatever the attribute is."""
    names = [*OPERATORS, *PATTERN_OPERATORS, "$not", "$size", "$all", "$alli", "$elemMatch"]
    answers = [
        passes_for(operators, value, {"vip": [1]})
        for name in names
        for argument in ARGUMENTS
        for operators in ({name: argument}, {"$elemMatch": {name: argument}}, argument)
    ]

    assert set(answers) == {True, False}


@hostile
def test_no_operator_raises_for_a_hostile_argument(value: Any) -> None:
    """Every operator gives a plain answer whatever its argument is."""
    names = [*OPERATORS, *PATTERN_OPERATORS, "$not", "$size", "$all", "$alli", "$elemMatch"]
    answers = [
        passes_for({name: argument}, attribute)
        for name in names
        for argument in (value, [value])
        for attribute in (None, 1, "a", [1], {"a": 1}, value)
    ]

    assert set(answers) == {True, False}


@hostile
def test_a_hostile_hash_value_gives_a_result(value: Any) -> None:
    """A unit whose value has a text is hashed by it; one without is out; nothing raises."""
    result = run({"id": value}, namespace=["shop", 0, 1], filters=[Filter("s", [(0, 1)])])

    assert result.hash_value is value
    assert result.variation_id in (0, 1)


@pytest.mark.parametrize("name", ["endless list", "deep list"])
def test_a_list_without_end_identifies_nobody(name: str) -> None:
    """What has no text cannot be hashed."""
    assert not run({"id": HOSTILE[name]}).in_experiment


FIELDS = [
    "key",
    "variations",
    "weights",
    "coverage",
    "hash_attribute",
    "hash_version",
    "seed",
    "namespace",
    "ranges",
    "filters",
    "condition",
    "meta",
    "force",
    "active",
    "name",
    "phase",
]


def shapes(value: Any) -> list[Any]:
    """Return a value by itself and where a field may hold it."""
    return [
        value,
        [value, value],
        [(0, value), (value, 1)],
        ("shop", value, 1),
        {"a": value},
        {"a": {"$in": value}},
        {"$or": value},
        [Filter(value, [(0, 1)])],
        [Filter("s", value)],
        [Filter("s", [(0, 1)], attribute=value)],
        [Filter("s", [(0, 1)], hash_version=value)],
        [VariationMeta(value), VariationMeta()],
        [VariationMeta(name=value), VariationMeta(passthrough=value)],
    ]


def built(fields: dict[str, Any]) -> str:
    """Return the hash of a definition that can be built, else the message."""
    try:
        return Experiment(**fields).plan.config_hash
    except DefinitionError as error:
        return str(error)


@hostile
@pytest.mark.parametrize("field", FIELDS)
def test_a_hostile_definition_is_built_or_refused(field: str, value: Any) -> None:
    """Nothing but DefinitionError leaves the building of an experiment."""
    for shape in shapes(value):
        fields: Any = {"key": "exp", "variations": ["a", "b"], field: shape}
        outcome = built(fields)

        assert len(outcome) == 16 or "must " in outcome
        assert len(outcome) < 1_000


@hostile
@pytest.mark.parametrize("field", [field for field in FIELDS if field not in ("key", "phase")])
def test_a_hostile_payload_gives_a_result(field: str, value: Any) -> None:
    """Nothing at all leaves the compiling and running of a payload's experiment."""
    if field == "name":
        field = "saved_groups"
    for shape in shapes(value):
        result = run({"id": "1", "a": "x"}, **{field: shape})

        assert result.variation_id in (0, 1)
