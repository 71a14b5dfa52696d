"""Section 9: the result of an experiment."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.cases import context, exact, experiment, holds, rows
from tests.spec.normal import normal

Json = Any

META = [{"key": "control", "name": "Control"}, {"key": "on", "name": "On", "passthrough": True}]


@pytest.mark.parametrize(
    ("fields", "given", "expected"),
    rows(
        (
            "enrolled without meta",
            {},
            {},
            {
                "variationId": 1,
                "value": "b",
                "inExperiment": True,
                "hashUsed": True,
                "key": "1",
                "hashAttribute": "id",
                "hashValue": "user-1",
                "bucket": 0.331,
            },
        ),
        (
            "enrolled with meta",
            {"meta": META},
            {},
            {
                "variationId": 1,
                "value": "b",
                "inExperiment": True,
                "hashUsed": True,
                "key": "on",
                "name": "On",
                "passthrough": True,
                "bucket": 0.331,
                "hashAttribute": "id",
                "hashValue": "user-1",
            },
        ),
        (
            "out with the meta of variation 0",
            {"meta": META, "active": False},
            {},
            {
                "variationId": 0,
                "value": "a",
                "inExperiment": False,
                "hashUsed": False,
                "key": "control",
                "name": "Control",
                "hashAttribute": "id",
                "hashValue": "user-1",
            },
        ),
        (
            "forced with the meta of its variation",
            {"meta": META},
            {"forcedVariations": {"exp": 1}},
            {
                "variationId": 1,
                "value": "b",
                "inExperiment": True,
                "hashUsed": False,
                "key": "on",
                "name": "On",
                "passthrough": True,
                "hashAttribute": "id",
                "hashValue": "user-1",
            },
        ),
        (
            "forced to a variation that does not exist",
            {"meta": META},
            {"forcedVariations": {"exp": 7}},
            {
                "variationId": 0,
                "value": "a",
                "inExperiment": False,
                "hashUsed": False,
                "key": "control",
                "name": "Control",
                "hashAttribute": "id",
                "hashValue": "user-1",
            },
        ),
    ),
)
def test_whole_result(implementation: Any, fields: Json, given: Json, expected: Json) -> None:
    """9: these fields and no others, but for such that hold their default."""
    result = normal(implementation.run(experiment(**fields), context(**given)))
    assert exact(result) == exact(expected)


@pytest.mark.parametrize(
    ("meta", "expected"),
    rows(
        ("an empty key is the index (meta-empty-key)", [{}, {"key": ""}], {"key": "1"}),
        ("a key of null is the index (meta-empty-key)", [{}, {"key": None}], {"key": "1"}),
        ("short meta is as if the rest were empty (meta-short)", [{"key": "a"}], {"key": "1"}),
        ("no meta", [], {"key": "1"}),
        ("meta of null (null-field)", None, {"key": "1"}),
        ("an empty name is absent", [{}, {"name": ""}], {"name": None}),
        ("passthrough of false is absent", [{}, {"passthrough": False}], {"inExperiment": True}),
        ("meta that is no list (19)", "meta", {"key": "1"}),
        ("an entry that is no object (19)", [{}, "on"], {"key": "1", "inExperiment": True}),
    ),
)
def test_meta(implementation: Any, meta: Json, expected: Json) -> None:
    """9: key, name and passthrough of a variation."""
    assert holds(implementation.run(experiment(meta=meta), context()), expected)


def test_feature_id(implementation: Any) -> None:
    """9: a result tells the feature it came from; one that was run by itself has none."""
    given = context(features={"f": {"rules": [experiment()]}})
    inside = implementation.eval_feature("f", given)["experimentResult"]
    assert inside["featureId"] == "f"
    assert implementation.run(experiment(), context()).get("featureId") is None
