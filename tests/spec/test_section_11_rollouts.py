"""Section 11: rollouts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.cases import feature, rows

Json = Any

NOBODY = {"hashAttribute": "none"}


@pytest.mark.parametrize(
    ("rule", "included"),
    rows(
        ("step 1 neither coverage nor range", NOBODY, True),
        ("step 1 coverage of null (null-field)", {"coverage": None, **NOBODY}, True),
        ("step 2 coverage 0", {"coverage": 0, "seed": "exp"}, False),
        ("step 2 a range beside coverage 0", {"coverage": 0, "range": [0, 1]}, True),
        ("step 3 no hash value", {"coverage": 1, **NOBODY}, False),
        ("step 3 no hash value with a range", {"range": [0, 1], **NOBODY}, False),
        (
            "step 3 the fallback is ignored (rollout-fallback)",
            {"coverage": 1, **NOBODY, "fallbackAttribute": "id"},
            False,
        ),
        ("step 4 an unknown version", {"coverage": 1, "hashVersion": 3}, False),
        ("step 4 an unknown version with a range", {"range": [0, 1], "hashVersion": 3}, False),
        ("step 5 in the range", {"range": [0.331, 0.4], "seed": "exp"}, True),
        ("step 5 the end is out", {"range": [0.3, 0.331], "seed": "exp"}, False),
        ("step 5 coverage is ignored", {"range": [0.3, 0.4], "coverage": 0.1, "seed": "exp"}, True),
        ("step 6 below the coverage", {"coverage": 0.34, "seed": "exp"}, True),
        ("step 6 above the coverage", {"coverage": 0.33, "seed": "exp"}, False),
        ("step 6 exactly the coverage (rollout-edge)", {"coverage": 0.331, "seed": "exp"}, True),
        ("the seed is the feature's id", {"range": [0.638, 0.639]}, True),
        ("an empty seed is too", {"range": [0.638, 0.639], "seed": ""}, True),
        ("a seed of null is too (null-field)", {"range": [0.638, 0.639], "seed": None}, True),
        ("version 1 is the default", {"range": [0.331, 0.332], "seed": "exp"}, True),
        ("version 2", {"range": [0.3004, 0.3005], "seed": "exp", "hashVersion": 2}, True),
        ("a coverage above 1", {"coverage": 2}, True),
        ("a coverage above 1 without a hash value", {"coverage": 2, **NOBODY}, False),
        ("a coverage below 0", {"coverage": -1}, False),
        ("the rule's key is no seed", {"range": [0.638, 0.639], "key": "exp"}, True),
        ("19 a range that cannot be read", {"range": "all", "seed": "exp"}, False),
        ("19 a coverage that is text", {"coverage": "1", "seed": "exp"}, False),
    ),
)
def test_rollout(implementation: Any, rule: Json, included: bool) -> None:
    """11: each step, for the buckets 0.331 (seed `exp`) and 0.638 (seed `f`)."""
    result = implementation.eval_feature("f", feature({"force": "forced", **rule}))
    assert result["value"] == ("forced" if included else "default")


@pytest.mark.parametrize(
    ("fields", "included"),
    rows(
        ("the fallback is used", {}, True),
        ("not where sticky bucketing is disabled", {"disableStickyBucketing": True}, False),
    ),
)
def test_fallback(implementation: Any, fields: Json, included: bool) -> None:
    """3.4: a rollout has a fallback attribute only while sticky bucketing is on for it."""
    rollout = {"force": "x", "coverage": 1, "hashAttribute": "none", "fallbackAttribute": "id"}
    parent = {"id": "rollout", "condition": {"value": "x"}}
    given = feature(
        {"parentConditions": [parent], "force": 1}, {"key": "exp", "variations": [1, 2]}
    )
    given["features"]["rollout"] = {"rules": [{**rollout, **fields}]}

    result, _ = implementation.run_sticky(given, [], "f")

    assert (result is None) is included
