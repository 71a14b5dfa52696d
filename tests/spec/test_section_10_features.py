"""Section 10: evaluating a feature."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.cases import context, exact, experiment, feature, holds, rows
from tests.spec.normal import normal

Json = Any

FAILING = {"country": "XX"}
DEFAULT = {"value": "default", "source": "defaultValue", "ruleId": ""}
ENROLLED = {"value": "b", "source": "experiment"}


@pytest.mark.parametrize(
    ("value", "on"),
    rows(
        ("null", None, False),
        ("false", False, False),
        ("zero", 0, False),
        ("the empty string", "", False),
        ("true", True, True),
        ("a number", -1, True),
        ("text", "0", True),
        ("an empty array", [], True),
        ("an empty object", {}, True),
    ),
)
def test_on(implementation: Any, value: Json, on: bool) -> None:
    """10.1 with 1.2: a feature is on when its value is truthy, as also empty arrays are."""
    result = implementation.eval_feature("f", context(features={"f": {"defaultValue": value}}))
    assert exact(normal(result)) == exact(
        normal({"value": value, "on": on, "off": not on, "source": "defaultValue", "ruleId": ""})
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    rows(
        (
            "step 2 a forced value",
            feature({"force": 1}, forcedFeatureValues={"f": 0}),
            {"value": 0, "on": False, "source": "override", "ruleId": ""},
        ),
        (
            "step 2 a forced null (forced-feature)",
            feature({"force": 1}, forcedFeatureValues={"f": None}),
            {"value": None, "on": False, "source": "override"},
        ),
        (
            "step 2 of an unknown feature (forced-feature)",
            context(forcedFeatureValues={"f": 2}),
            {"value": 2, "on": True, "source": "override"},
        ),
        ("step 3 unknown", context(), {"value": None, "source": "unknownFeature", "ruleId": ""}),
        (
            "step 4 the first outcome counts",
            feature({"condition": FAILING, "force": 1}, {"force": 2}, {"force": 3}),
            {"value": 2, "source": "force"},
        ),
        ("step 5 the default", feature(), DEFAULT),
        (
            "step 5 no default",
            context(features={"f": {"rules": []}}),
            {"value": None, "source": "defaultValue"},
        ),
        (
            "10.3.1 a prerequisite that skips",
            feature({"parentConditions": [{"id": "p", "condition": {"value": 1}}], "force": 1}),
            DEFAULT,
        ),
        (
            "10.3.1 before filters",
            feature(
                {
                    "parentConditions": [{"id": "p", "condition": {"value": 1}, "gate": True}],
                    "filters": [{"seed": "x", "ranges": []}],
                }
            ),
            {"value": None, "source": "prerequisite", "ruleId": ""},
        ),
        (
            "10.3.2 filters",
            feature({"filters": [{"seed": "x", "ranges": []}], "force": 1}),
            DEFAULT,
        ),
        (
            "10.3.2 filters of null (null-field)",
            feature({"filters": None, "force": 1}),
            {"value": 1, "source": "force"},
        ),
        ("10.3.3 a condition", feature({"condition": FAILING, "force": 1}), DEFAULT),
        (
            "10.3.3 with saved groups",
            feature(
                {"condition": {"id": {"$inGroup": "g"}}, "force": 1}, savedGroups={"g": ["user-1"]}
            ),
            {"value": 1, "source": "force"},
        ),
        ("10.3.3 not in the rollout", feature({"force": 1, "coverage": 0}), DEFAULT),
        (
            "10.3.3 force null (force-null)",
            feature({"force": None, "id": "r"}),
            {"value": None, "source": "force", "ruleId": "r"},
        ),
        ("10.3.3 force false", feature({"force": False}), {"value": False, "source": "force"}),
        ("10.3.3 force zero", feature({"force": 0}), {"value": 0, "source": "force", "off": True}),
        (
            "10.3.3 a force rule ignores the rest",
            feature({**experiment(), "force": 1, "namespace": ["n", 0, 0], "weights": [0, 1]}),
            {"value": 1, "source": "force", "experimentResult": None},
        ),
        ("10.3.4 an empty rule", feature({}, {"force": 1}), {"value": 1, "source": "force"}),
        ("10.3.4 an unknown kind", feature({"id": "r", "type": "x"}), DEFAULT),
        (
            "10.3.4 contextual variations come first",
            feature({**experiment(), "contextualVariations": ["c", "d"]}),
            {"value": "d", "source": "experiment"},
        ),
        (
            "10.3.4 variations of null (null-field)",
            feature({"key": "exp", "variations": None}),
            DEFAULT,
        ),
        (
            "10.3.5 enrolled",
            feature({**experiment(), "id": "r"}),
            {**ENROLLED, "ruleId": "r", "on": True},
        ),
        (
            "10.3.5 not in it: the next rule",
            feature(experiment(coverage=0), {"force": 1}),
            {"value": 1, "source": "force", "experimentResult": None},
        ),
        (
            "10.3.5 passthrough: the next rule",
            feature(experiment(meta=[{}, {"passthrough": True}]), {"force": 1}),
            {"value": 1, "source": "force"},
        ),
        (
            "10.3.5 forced in",
            feature(experiment(), forcedVariations={"exp": 0}),
            {"value": "a", "source": "experiment"},
        ),
        (
            "10.3.5 passthrough of a forced variation",
            feature(
                experiment(meta=[{}, {"passthrough": True}]),
                {"force": 1},
                forcedVariations={"exp": 1},
            ),
            {"value": 1, "source": "force"},
        ),
        (
            "condition-order a forced variation",
            feature(experiment(condition=FAILING), forcedVariations={"exp": 1}),
            ENROLLED,
        ),
        (
            "condition-order a query override",
            feature(experiment(condition=FAILING), url="/?exp=1"),
            ENROLLED,
        ),
        ("condition-order nobody else", feature(experiment(condition=FAILING)), DEFAULT),
        (
            "condition-order filters keep them out",
            feature(experiment(filters=[{"seed": "x", "ranges": []}]), forcedVariations={"exp": 1}),
            DEFAULT,
        ),
        ("10.4 disabled: force rules work", feature({"force": 1}, enabled=False), {"value": 1}),
        ("10.4 disabled: experiments do not", feature(experiment(), enabled=False), DEFAULT),
        ("10.4 QA mode: force rules work", feature({"force": 1}, qaMode=True), {"value": 1}),
        ("10.4 QA mode: experiments do not", feature(experiment(), qaMode=True), DEFAULT),
        (
            "10.4 disabled: prerequisites work",
            feature({"parentConditions": [{"id": "u", "gate": True}], "force": 1}, enabled=False),
            {"value": 1},
        ),
        ("19 a rule that is no object", feature(1, None, "x", {"force": 1}), {"value": 1}),
        (
            "19 a feature that is no object",
            context(features={"f": 1}),
            {"value": None, "source": "unknownFeature"},
        ),
        (
            "19 rules that are no list",
            context(features={"f": {"defaultValue": 1, "rules": 5}}),
            {"value": 1, "source": "defaultValue"},
        ),
    ),
)
def test_feature(implementation: Any, given: Json, expected: Json) -> None:
    """10.2 to 10.4: each step of a feature and of a rule."""
    assert holds(implementation.eval_feature("f", given), expected)


COPIED = {
    "coverage": 0.9,
    "weights": [0.2, 0.8],
    "hashAttribute": "user",
    "seed": "s",
    "fallbackAttribute": "device",
    "disableStickyBucketing": True,
    "bucketVersion": 2,
    "minBucketVersion": 1,
    "namespace": ["n", 0, 1],
    "name": "Name",
    "phase": "3",
    "meta": [{"key": "a"}, {"key": "b"}],
    "hashVersion": 2,
    "condition": {"user": "u"},
    "filters": [{"seed": "f", "ranges": [[0, 1]], "attribute": "user"}],
    "ranges": [[0, 0.5], [0.5, 1]],
}
NOT_COPIED = {
    "id": "r",
    "parentConditions": [],
    "range": [0, 0],
    "type": "experiment",
    "urlPatterns": [],
    "url": "^never$",
    "active": False,
    "status": "draft",
    "groups": [],
    "persistQueryString": True,
    "changeId": "c",
    "manual": True,
    "xyz": 1,
}


def test_copied(implementation: Any) -> None:
    """10.3: these fields of a rule are the experiment's, and nothing else is."""
    rule = {"variations": ["a", "b"], **COPIED, **NOT_COPIED}
    given = {"attributes": {"user": "u"}, "features": {"f": {"rules": [rule]}}}

    result = normal(implementation.eval_feature("f", given))

    assert result["source"] == "experiment"
    assert exact(result["experiment"]) == exact({"key": "f", "variations": ["a", "b"], **COPIED})


@pytest.mark.parametrize(("key", "told"), [("k", "k"), ("", "f"), (None, "f")])
def test_key(implementation: Any, key: Json, told: str) -> None:
    """10.3: an experiment without a key of its own has that of the feature."""
    result = implementation.eval_feature("f", feature({"key": key, "variations": [1, 2]}))
    assert result["experiment"]["key"] == told
