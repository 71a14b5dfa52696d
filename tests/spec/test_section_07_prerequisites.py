"""Section 7: prerequisites."""

from __future__ import annotations

from typing import Any

import pytest

from abmiddleware.evaluation.payload import read_payload
from abmiddleware.evaluation.scope import Scope
from abmiddleware.evaluation.values import Attributes
from tests.spec.cases import ENROLLED, OUT, context, experiment, holds, rows

Json = Any

IS_ON = {"value": True}


def parent(name: str = "p", condition: Json = IS_ON, **fields: Json) -> dict[str, Json]:
    return {"id": name, "condition": condition, **fields}


def features(*rules: Json, **others: Json) -> dict[str, Json]:
    """Return features: `f` with these rules, and the others by their default or as they are."""
    told = {
        name: value if isinstance(value, dict) else {"defaultValue": value}
        for name, value in others.items()
    }
    return {"f": {"defaultValue": "default", "rules": [*rules]}, **told}


def forced(*parents: Json) -> dict[str, Json]:
    return {"force": "forced", "parentConditions": [*parents]}


def chain(*names: str, gate: bool = False) -> dict[str, Json]:
    """Return features that each have the next as a prerequisite; the last has the first."""
    return {
        name: {"defaultValue": True, "rules": [{"parentConditions": [parent(after, gate=gate)]}]}
        for name, after in zip(names, [*names[1:], names[0]], strict=True)
    }


GATED = parent(gate=True)
CYCLIC = (None, "cyclicPrerequisite")


@pytest.mark.parametrize(
    ("payload", "value", "source"),
    rows(
        ("a prerequisite that passes", features(forced(parent()), p=True), "forced", "force"),
        (
            "one that fails skips the rule",
            features(forced(parent()), {"force": "next"}, p=False),
            *("next", "force"),
        ),
        (
            "a gate ends the feature",
            features(forced(GATED), {"force": 1}, p=0),
            None,
            "prerequisite",
        ),
        (
            "a gate of false skips",
            features(forced(parent(gate=False)), p=0),
            "default",
            "defaultValue",
        ),
        ("a gate that passes", features(forced(GATED), p=True), "forced", "force"),
        (
            "a gate on a rule without an outcome",
            features({"parentConditions": [GATED]}, p=False),
            *(None, "prerequisite"),
        ),
        (
            "a missing condition passes",
            features(forced({"id": "p", "gate": True}), p=False),
            *("forced", "force"),
        ),
        (
            "a condition of null passes (null-field)",
            features(forced(parent(condition=None)), p=False),
            *("forced", "force"),
        ),
        (
            "an unknown parent has the value null",
            features(forced(parent("unknown", {"value": None}))),
            *("forced", "force"),
        ),
        (
            "an unknown parent passes without a condition",
            features(forced({"id": "unknown"})),
            *("forced", "force"),
        ),
        (
            "a path into the parent's value",
            features(forced(parent(condition={"value.x.0": 1})), p={"defaultValue": {"x": [1]}}),
            *("forced", "force"),
        ),
        (
            "the user's attributes are not in the parent's object",
            features(forced(parent(condition={"id": "user-1"})), p=True),
            *("default", "defaultValue"),
        ),
        (
            "all parents must pass",
            features(forced(parent(), parent("q")), p=True, q=False),
            *("default", "defaultValue"),
        ),
        (
            "the first that fails decides",
            features(forced(parent(), parent("q", gate=True)), p=False, q=False),
            *("default", "defaultValue"),
        ),
        (
            "a gated parent gives null to the next",
            features(
                forced(parent(condition={"value": None})),
                p={"rules": [{"parentConditions": [parent("q", gate=True)]}]},
                q=False,
            ),
            *("forced", "force"),
        ),
        ("no parents at all", features(forced()), "forced", "force"),
        ("parents of null", features({"force": 1, "parentConditions": None}), 1, "force"),
        ("a cycle of one", {**chain("f")}, *CYCLIC),
        ("a cycle of two", {**chain("f", "g")}, *CYCLIC),
        ("a cycle of three with gates", {**chain("f", "g", "h", gate=True)}, *CYCLIC),
        (
            "a cycle below, of which the feature is no part",
            {**chain("g", "h"), **features(forced(parent("g")), {"force": "next"})},
            *CYCLIC,
        ),
        (
            "a cycle behind an earlier match is never seen",
            {**chain("g", "h"), **features({"force": "first"}, forced(parent("g")))},
            *("first", "force"),
        ),
        (
            "a cycle behind a parent that fails is never seen",
            {**chain("g", "h"), **features(forced(parent(), parent("g")), p=False)},
            *("default", "defaultValue"),
        ),
        (
            "a forced value ends a cycle",
            {**chain("f", "forced")},
            *(True, "defaultValue"),
        ),
        (
            "a diamond is no cycle",
            features(
                forced(parent("left"), parent("right")),
                left={"rules": [{"force": True, "parentConditions": [parent()]}]},
                right={"rules": [{"force": True, "parentConditions": [parent()]}]},
                p=True,
            ),
            *("forced", "force"),
        ),
        (
            "the same parent twice is no cycle",
            features(forced(parent(), parent()), p=True),
            *("forced", "force"),
        ),
        (
            "saved groups are visible in a parent's condition (parent-saved-group)",
            features(forced(parent(condition={"value": {"$inGroup": "g"}})), p="member"),
            *("forced", "force"),
        ),
    ),
)
def test_prerequisites(implementation: Any, payload: Json, value: Json, source: str) -> None:
    """7: how the outcomes of other features decide on a rule, and on a feature."""
    given = context(
        features=payload, savedGroups={"g": ["member"]}, forcedFeatureValues={"forced": True}
    )
    assert holds(implementation.eval_feature("f", given), {"value": value, "source": source})


@pytest.mark.parametrize(
    ("parents", "expected"),
    rows(
        ("one that passes", [parent()], ENROLLED),
        ("one that fails", [parent("off")], OUT),
        ("a gate is the same", [parent("off", gate=True)], OUT),
        ("a cyclic one", [parent("g", {})], OUT),
        ("an unknown one", [parent("unknown")], OUT),
        ("none", [], ENROLLED),
    ),
)
def test_prerequisites_of_experiments(
    implementation: Any, parents: Json, expected: dict[str, Json]
) -> None:
    """7: on an experiment a failure leaves the user out, whatever the gate says."""
    given = context(features={**features(p=True, off=False), **chain("g", "h")})
    result = implementation.run(experiment(parentConditions=parents), given)
    assert holds(result, expected)


def test_side_effects(implementation: Any) -> None:
    """7 step 1: experiments inside prerequisites are tracked, also where the rule is skipped."""
    inner = experiment(hashAttribute="id")
    payload = features(forced(parent(condition={"value": "never"})), p={"rules": [inner]})
    evaluation = implementation.evaluate(context(features=payload))

    assert evaluation.feature("f")["value"] == "default"
    assert [each["experiment"] for each in evaluation.exposures] == ["exp"]
    assert [each["feature"] for each in evaluation.usages] == ["p", "f"]


class Counted(Attributes):
    """Attributes that count how often `a` is read."""

    count = 0

    def __getitem__(self, name: str) -> object:
        self.count += name == "a"
        return super().__getitem__(name)


def test_each_feature_is_evaluated_once() -> None:
    """Prerequisites that fork and meet again cost what they number, not all ways through them."""
    parents = {"top": {"defaultValue": 1, "rules": [{"force": 1, "condition": {"a": 1}}]}}
    for level in range(12):
        above = "top" if level == 0 else f"join{level - 1}"
        asks = {"force": 1, "parentConditions": [{"id": above, "condition": {"value": 1}}]}
        sides = [f"left{level}", f"right{level}"]
        parents |= {side: {"rules": [asks]} for side in sides}
        both = [{"id": side, "condition": {"value": 1}} for side in sides]
        parents[f"join{level}"] = {"rules": [{"force": 1, "parentConditions": both}]}
    document, attributes = read_payload({"features": parents}), Counted(a=1)
    features = {key: document.feature(key) for key in parents}

    assert Scope(attributes, features).feature("join11").value == 1
    assert attributes.count == 1
