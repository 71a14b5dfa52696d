"""Section 19: bad input."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.spec.cases import ENROLLED, OUT, context, experiment, feature, holds, rows
from tests.spec.payload_strategies import EXPERIMENT_FIELDS

Json = Any

JUNK: list[Json] = [None, True, False, 0, -1, 1.5, "", "x", [], [None], [[]], {}, {"x": {}}]


@pytest.mark.parametrize("name", sorted({*EXPERIMENT_FIELDS, "variations", "persistQueryString"}))
def test_every_field(implementation: Any, name: str) -> None:
    """An experiment with junk in one field has a result, by itself and as a rule."""
    for junk in deepcopy(JUNK):
        fields = experiment(**{name: junk})
        assert implementation.run(fields, context(url="/"))["inExperiment"] in {True, False}
        implementation.eval_feature("f", feature(fields, {"force": 1, name: junk}))


@pytest.mark.parametrize(
    "name",
    [
        *("attributes", "features", "savedGroups", "contextualBandits", "forcedVariations"),
        *("forcedFeatureValues", "url", "enabled", "qaMode", "overrides", "groups"),
    ],
)
def test_every_key_of_a_context(implementation: Any, name: str) -> None:
    """A key of a context that is null is as good as absent."""
    whole = context(features={"f": {"rules": [experiment()]}})
    given = {**whole, name: None}
    expected = {key: each for key, each in given.items() if each is not None}
    told = implementation.eval_feature("f", given)
    assert told == implementation.eval_feature("f", expected)


@pytest.mark.parametrize(
    ("fields", "expected"),
    rows(
        ("a range of text", {"ranges": ["all", [0, "1"], [0]]}, OUT),
        ("a filter of text", {"filters": ["all"]}, OUT),
        ("filters of text", {"filters": "all"}, OUT),
        ("a namespace of text", {"namespace": "all"}, OUT),
        ("an empty namespace", {"namespace": []}, OUT),
        ("limits of text", {"namespace": ["n", "0", "1"]}, OUT),
        ("limits of booleans", {"namespace": ["n", False, True]}, OUT),
        (
            "weights of text are equal",
            {"weights": ["a", "b"]},
            {**ENROLLED, "variationId": 0, "value": "a"},
        ),
        (
            "weights that are no list",
            {"weights": "all"},
            {**ENROLLED, "variationId": 0, "value": "a"},
        ),
        ("meta of text", {"meta": "all"}, ENROLLED),
        ("entries of meta of text", {"meta": ["a", "b"]}, ENROLLED),
        ("a condition of text", {"condition": "all"}, OUT),
        ("a condition that is a list", {"condition": []}, OUT),
        ("a negated condition of text", {"condition": {"$not": "all"}}, OUT),
        ("an $or that is no list", {"condition": {"$not": {"$or": "all"}}}, OUT),
        ("an unknown version", {"hashVersion": 3}, OUT),
        ("a version of text", {"hashVersion": "2"}, OUT),
        ("a version of true", {"hashVersion": True}, OUT),
        ("an unknown field", {"excluded": True, "blocked": [1]}, ENROLLED),
    ),
)
def test_never_everybody(implementation: Any, fields: Json, expected: dict[str, Json]) -> None:
    """What cannot be used is absent, or includes nobody, as the text says; never everybody."""
    assert holds(implementation.run(experiment(**fields), context()), expected)


@pytest.mark.parametrize(
    ("rule", "value"),
    rows(
        ("a rollout of text", {"force": 1, "coverage": "all"}, "default"),
        ("a rollout of true", {"force": 1, "coverage": True}, "default"),
        ("a range of text", {"force": 1, "range": "all"}, "default"),
        ("a range of one", {"force": 1, "range": [0]}, "default"),
        ("a filter of text", {"force": 1, "filters": ["all"]}, "default"),
        ("a condition of text", {"force": 1, "condition": "all"}, "default"),
        ("variations of text", {"variations": "ab"}, "default"),
        ("one variation", {"variations": ["a"]}, "default"),
        ("an unknown field", {"force": 1, "excluded": True}, 1),
    ),
)
def test_rules(implementation: Any, rule: Json, value: Json) -> None:
    """The same for rules."""
    assert implementation.eval_feature("f", feature(rule))["value"] == value
