"""Section 8: the steps of running an experiment."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from abmiddleware import Experiment
from abmiddleware.evaluation.running import run
from abmiddleware.evaluation.scope import Scope
from abmiddleware.evaluation.values import Attributes
from tests.spec.cases import ENROLLED, OUT, context, experiment, forced, holds, rows

Json = Any

NOBODY = [{"type": "simple", "pattern": "/nowhere", "include": True}]
HOME = [{"type": "simple", "pattern": "/home", "include": True}]
#: Both of these ask for variation 1.
ASKED = {"url": "http://example.com/home?exp=1"}
CHOSEN = {"forcedVariations": {"exp": 1}}
FAILING = {"country": "XX"}


@pytest.mark.parametrize(
    ("fields", "given", "expected"),
    rows(
        ("step 1 one variation", {"variations": ["a"]}, {}, OUT),
        ("step 1 no variations", {"variations": []}, {}, {**OUT, "value": None}),
        ("step 1 no variations to force", {"variations": ["a"]}, CHOSEN, OUT),
        ("step 2 disabled", {}, {"enabled": False}, OUT),
        ("step 2 disabled with a forced variation", {}, {"enabled": False, **CHOSEN}, OUT),
        ("step 2 disabled with a query override", {}, {"enabled": False, **ASKED}, OUT),
        ("step 3 overrides", {}, {"overrides": {"exp": {"status": "draft"}}}, OUT),
        ("step 4 not targeted", {"urlPatterns": NOBODY}, ASKED, OUT),
        ("step 4 not targeted, forced", {"urlPatterns": NOBODY}, {**ASKED, **CHOSEN}, OUT),
        ("step 4 targeted", {"urlPatterns": HOME}, {"url": "/home"}, ENROLLED),
        ("step 4 no patterns target nothing", {"urlPatterns": []}, {"url": "/home"}, OUT),
        ("step 4 patterns of null (null-field)", {"urlPatterns": None}, {}, ENROLLED),
        ("step 5 query override", {}, ASKED, forced(1)),
        (
            "step 5 before a forced variation",
            {},
            {**ASKED, "forcedVariations": {"exp": 0}},
            forced(1),
        ),
        ("step 5 before active", {"active": False}, ASKED, forced(1)),
        ("step 5 before status", {"status": "draft"}, ASKED, forced(1)),
        ("step 5 without a hash value", {"hashAttribute": "none"}, ASKED, forced(1)),
        ("step 5 with QA mode", {}, {**ASKED, "qaMode": True}, forced(1)),
        ("step 5 with a failing condition", {"condition": FAILING}, ASKED, forced(1)),
        ("step 5 no such variation", {}, {"url": "/home?exp=2"}, ENROLLED),
        ("step 6 forced variation", {}, {"forcedVariations": {"exp": 0}}, forced(0)),
        ("step 6 another key", {}, {"forcedVariations": {"other": 0}}, ENROLLED),
        ("step 6 no such variation", {}, {"forcedVariations": {"exp": 2}}, OUT),
        ("step 6 a negative index", {}, {"forcedVariations": {"exp": -1}}, OUT),
        ("step 6 no integer", {}, {"forcedVariations": {"exp": 0.5}}, OUT),
        ("step 6 an index as a float", {}, {"forcedVariations": {"exp": 1.0}}, forced(1)),
        ("step 6 before active", {"active": False}, CHOSEN, forced(1)),
        ("step 6 before filters", {"filters": "none"}, CHOSEN, forced(1)),
        ("step 6 without a hash value", {"hashAttribute": "none"}, CHOSEN, forced(1)),
        ("step 6 with QA mode", {}, {**CHOSEN, "qaMode": True}, forced(1)),
        ("step 7 inactive", {"active": False}, {}, OUT),
        ("step 7 active of null (null-field)", {"active": None}, {}, ENROLLED),
        ("step 7 draft", {"status": "draft"}, {}, OUT),
        ("step 7 running", {"status": "running"}, {}, ENROLLED),
        ("step 7 inactive with force", {"active": False, "force": 1}, {}, OUT),
        ("step 8 no hash value", {"hashAttribute": "none"}, {}, OUT),
        ("step 8 no hash value with force", {"hashAttribute": "none", "force": 1}, {}, OUT),
        ("step 10 filters", {"filters": [{"seed": "exp", "ranges": []}]}, {}, OUT),
        ("step 10 namespace", {"namespace": ["n", 0, 0]}, {}, OUT),
        ("step 11 condition", {"condition": FAILING}, {}, OUT),
        ("step 11 a condition of null (null-field)", {"condition": None}, {}, ENROLLED),
        ("step 11 a malformed condition", {"condition": {"$not": {"$or": 1}}}, {}, OUT),
        (
            "step 11 a condition with saved groups",
            {"condition": {"id": {"$inGroup": "g"}}},
            {"savedGroups": {"g": ["user-1"]}},
            ENROLLED,
        ),
        (
            "step 12 prerequisites",
            {"parentConditions": [{"id": "p", "condition": FAILING}]},
            {},
            OUT,
        ),
        ("step 13 no groups (exp-groups)", {"groups": []}, {}, OUT),
        ("step 13 groups of null (null-field)", {"groups": None}, {}, ENROLLED),
        ("step 13 in no group", {"groups": ["a", "b"]}, {"groups": {"a": False}}, OUT),
        ("step 13 in a group", {"groups": ["a", "b"]}, {"groups": {"b": True}}, ENROLLED),
        ("step 13 groups nobody told of", {"groups": ["a"]}, {}, OUT),
        ("step 14 legacy url", {"url": "^/home$"}, {"url": "/away"}, OUT),
        ("step 14 legacy url that matches", {"url": "/home"}, {"url": "/home"}, ENROLLED),
        ("step 14 legacy url without a URL", {"url": ".*"}, {}, OUT),
        ("step 14 a seed", {"seed": "exp", "key": "other"}, {}, {**ENROLLED, "bucket": 0.331}),
        ("step 14 an empty seed is the key", {"seed": ""}, {}, {**ENROLLED, "bucket": 0.331}),
        ("step 14 version 2", {"hashVersion": 2}, {}, {**ENROLLED, "bucket": 0.3004}),
        ("step 14 version of null is 1", {"hashVersion": None}, {}, {**ENROLLED, "bucket": 0.331}),
        ("step 14 an unknown version includes nobody", {"hashVersion": 3}, {}, OUT),
        ("step 14 an unknown version with force", {"hashVersion": 3, "force": 1}, {}, OUT),
        ("step 16 no variation", {"coverage": 0}, {}, OUT),
        ("step 16 before force", {"coverage": 0, "force": 1}, {}, OUT),
        ("step 17 force", {"force": 0}, {}, forced(0)),
        ("step 17 force in QA mode", {"force": 0}, {"qaMode": True}, forced(0)),
        ("step 17 force while stopped", {"force": 1, "status": "stopped"}, {}, forced(1)),
        ("step 17 no such variation", {"force": 2}, {}, OUT),
        ("step 17 a negative index", {"force": -1}, {}, OUT),
        ("step 17 QA mode", {}, {"qaMode": True}, OUT),
        ("step 17 stopped", {"status": "stopped"}, {}, OUT),
        ("step 18 enrolled", {}, {}, {**ENROLLED, "bucket": 0.331}),
    ),
)
def test_step(implementation: Any, fields: Json, given: Json, expected: dict[str, Json]) -> None:
    """8.2 and 8.3: each step of a run, and its place among the others."""
    assert holds(implementation.run(experiment(**fields), context(**given)), expected)


@pytest.mark.parametrize(
    ("fields", "given"),
    rows(
        ("query override", {}, ASKED),
        ("forced variation", {}, CHOSEN),
        ("force", {"force": 1}, {}),
        ("out", {"coverage": 0}, {}),
        ("QA mode", {}, {"qaMode": True}),
    ),
)
def test_not_tracked(implementation: Any, fields: Json, given: Json) -> None:
    """8.3: only those who are enrolled are tracked."""
    evaluation = implementation.evaluate(context(**given))
    evaluation.run(experiment(**fields))
    assert evaluation.exposures == []


@pytest.mark.parametrize(
    ("include", "enrols"),
    [(lambda: True, True), (lambda: 1, True), (lambda: False, False), (lambda: None, False)],
    ids=["true", "truthy", "false", "nothing"],
)
def test_include(include: Callable[[], object], enrols: bool) -> None:
    """Step 11: what code says of the unit counts."""
    definition = Experiment("exp", ["a", "b"], include=include)
    assert run(definition.plan, Scope(Attributes(id="user-1"))).in_experiment is enrols


def test_include_that_raises() -> None:
    """Step 11: an exception says no."""
    definition = Experiment("exp", ["a", "b"], include=lambda: 1 / 0)
    assert not run(definition.plan, Scope(Attributes(id="user-1"))).in_experiment


@pytest.mark.parametrize(
    ("fields", "over", "expected"),
    rows(
        ("weights", {}, {"weights": [1, 0]}, {**ENROLLED, "variationId": 0, "value": "a"}),
        ("coverage", {}, {"coverage": 0}, OUT),
        ("condition", {}, {"condition": FAILING}, OUT),
        ("a condition that lets in", {"condition": FAILING}, {"condition": {}}, ENROLLED),
        ("status", {}, {"status": "stopped"}, OUT),
        ("active", {"active": False}, {"active": True}, ENROLLED),
        ("force", {}, {"force": 0}, forced(0)),
        ("namespace", {}, {"namespace": ["n", 0, 0]}, OUT),
        ("groups", {}, {"groups": ["x"]}, OUT),
        ("url", {}, {"url": "^/away"}, OUT),
        ("any other field (overrides)", {}, {"hashAttribute": "none"}, OUT),
        ("hash version (overrides)", {}, {"hashVersion": 2}, {**ENROLLED, "bucket": 0.3004}),
        ("meta (overrides)", {}, {"meta": [{}, {"key": "on"}]}, {**ENROLLED, "key": "on"}),
        ("nothing", {}, {}, ENROLLED),
    ),
)
def test_overrides(implementation: Any, fields: Json, over: Json, expected: Json) -> None:
    """8.4: legacy overrides are laid over the experiment, of which the caller's stays as it is."""
    given, told = experiment(**fields), context(url="/home", overrides={"exp": over, "other": {}})
    before = deepcopy((given, told))

    assert holds(implementation.run(given, told), expected)
    assert (given, told) == before
