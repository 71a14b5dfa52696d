"""Section 2: the layers of a context."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.cases import ENROLLED, OUT, experiment, forced, holds, rows

Json = Any
NL = experiment(condition={"country": "NL"})


@pytest.mark.parametrize(
    ("given", "fields", "expected"),
    rows(
        (
            "attributes of the user win over global ones",
            {
                "globalAttributes": {"id": "global", "country": "NL"},
                "attributes": {"id": "user-1"},
            },
            NL,
            {**ENROLLED, "hashValue": "user-1"},
        ),
        (
            "attribute overrides win over the attributes of the user",
            {
                "attributes": {"id": "user-1", "country": "DE"},
                "attributeOverrides": {"country": "NL"},
            },
            NL,
            ENROLLED,
        ),
        (
            "a later null replaces an earlier value",
            {"attributes": {"id": "user-1"}, "attributeOverrides": {"id": None}},
            experiment(),
            {**OUT, "hashValue": ""},
        ),
        (
            "a later empty value replaces an earlier value",
            {"globalAttributes": {"id": "user-1"}, "attributes": {"id": ""}},
            experiment(),
            OUT,
        ),
        (
            "layers merge by key and not deeper",
            {
                "globalAttributes": {"home": {"country": "NL"}},
                "attributes": {"id": "user-1", "home": {"city": "Delft"}},
            },
            experiment(condition={"home.country": "NL"}),
            OUT,
        ),
        (
            "a forced variation of the user wins over a global one",
            {
                "globalForcedVariations": {"exp": 1},
                "forcedVariations": {"exp": 0},
            },
            experiment(),
            forced(0),
        ),
        (
            "a global forced variation counts without one of the user",
            {"globalForcedVariations": {"exp": 1}, "forcedVariations": {"other": 0}},
            experiment(),
            forced(1),
        ),
        (
            "an experiment is off where the user's layer is disabled",
            {"attributes": {"id": "user-1"}, "enabled": False, "globalEnabled": True},
            experiment(),
            OUT,
        ),
        (
            "an experiment is off where the global layer is disabled",
            {"attributes": {"id": "user-1"}, "enabled": True, "globalEnabled": False},
            experiment(),
            OUT,
        ),
        (
            "an enabled of null is absent",
            {"attributes": {"id": "user-1"}, "enabled": None},
            experiment(),
            ENROLLED,
        ),
        (
            "QA mode is on where the global layer has it on",
            {"attributes": {"id": "user-1"}, "globalQaMode": True, "qaMode": False},
            experiment(),
            OUT,
        ),
        (
            "a hash attribute with a dot is a key at the top",
            {"attributes": {"user.id": "user-1", "user": {"id": "nested"}}},
            experiment(hashAttribute="user.id"),
            {**ENROLLED, "hashAttribute": "user.id", "hashValue": "user-1"},
        ),
        (
            "a hash attribute with a dot is never a path",
            {"attributes": {"user": {"id": "user-1"}}},
            experiment(hashAttribute="user.id"),
            {**OUT, "hashAttribute": "user.id", "hashValue": ""},
        ),
    ),
)
def test_layers(implementation: Any, given: Json, fields: Json, expected: Json) -> None:
    """The layers of a context merge as the table of section 2 says."""
    assert holds(implementation.run(fields, given), expected)


@pytest.mark.parametrize(
    ("given", "value", "source"),
    rows(
        ("a forced value of the user", {"forcedFeatureValues": {"f": 1}}, 1, "override"),
        ("a global forced value", {"globalForcedFeatureValues": {"f": 2}}, 2, "override"),
        (
            "the user's forced value wins",
            {"globalForcedFeatureValues": {"f": 2}, "forcedFeatureValues": {"f": None}},
            None,
            "override",
        ),
        ("forced features as a mapping", {"forcedFeatures": {"f": False}}, False, "override"),
        ("forced features as pairs", {"forcedFeatures": [["f", 3]]}, 3, "override"),
        ("no forced value", {"forcedFeatureValues": {"g": 1}}, "default", "defaultValue"),
    ),
)
def test_forced_values(implementation: Any, given: Json, value: Json, source: str) -> None:
    """Forced feature values come from both layers, and the user's win."""
    result = implementation.eval_feature(
        "f", {"features": {"f": {"defaultValue": "default"}}, **given}
    )
    assert holds(result, {"value": value, "source": source})
