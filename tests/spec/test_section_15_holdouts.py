"""Section 15: the two shapes of holdouts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.cases import context, rows

Json = Any


def holdout(coverage: float) -> dict[str, Json]:
    """Return a payload; the bucket of the user for the seed `$holdout:h` is 0.2642."""
    experiment = {
        "key": "$holdout:h",
        "variations": ["holdoutcontrol", "holdouttreatment"],
        "hashVersion": 2,
        "coverage": coverage,
        "weights": [0.5, 0.5],
    }
    held = {
        "parentConditions": [{"id": "$holdout:h", "condition": {"value": "holdoutcontrol"}}],
        "force": "held",
    }
    return context(
        features={
            "$holdout:h": {"defaultValue": "genpop", "rules": [experiment]},
            "f": {"defaultValue": "default", "rules": [held, {"force": "rolled out"}]},
        }
    )


@pytest.mark.parametrize(
    ("coverage", "value", "exposures"),
    rows(
        ("held", 0.6, "held", ["$holdout:h"]),
        ("general population", 0.5, "rolled out", []),
    ),
)
def test_pseudo_feature(
    implementation: Any, coverage: float, value: str, exposures: list[str]
) -> None:
    """15: a holdout is tracked as a side effect of the feature."""
    evaluation = implementation.evaluate(holdout(coverage))
    assert evaluation.feature("f")["value"] == value
    assert [each["experiment"] for each in evaluation.exposures] == exposures


@pytest.mark.parametrize(
    ("weights", "value", "exposures"),
    rows(
        ("held out", [1, 0], "off", [("hold", "0")]),
        ("let through", [0, 1], "b", [("hold", "1"), ("exp", "1")]),
    ),
)
def test_passthrough(
    implementation: Any, weights: Json, value: str, exposures: list[tuple[str, str]]
) -> None:
    """15: those who pass through a holdout were tracked in it, and go on to the next rule."""
    hold = {"key": "hold", "variations": ["off", "on"], "weights": weights}
    hold["meta"] = [{}, {"passthrough": True}]
    rule = {"key": "exp", "variations": ["a", "b"], "weights": [0.3, 0.7]}
    evaluation = implementation.evaluate(context(features={"f": {"rules": [hold, rule]}}))

    assert evaluation.feature("f")["value"] == value
    told = [(each["experiment"], each["variation"]) for each in evaluation.exposures]
    assert told == exposures


def test_passthrough_is_saved(implementation: Any) -> None:
    """10.3: a passthrough exposure has been saved, too."""
    hold = {"key": "hold", "variations": ["off", "on"], "weights": [0, 1]}
    hold["meta"] = [{}, {"passthrough": True}]
    given = context(features={"f": {"rules": [hold, {"force": 1}]}})

    result, after = implementation.run_sticky(given, [], "f")

    assert result is None
    assert after["id||user-1"]["assignments"] == {"hold__0": "1"}
