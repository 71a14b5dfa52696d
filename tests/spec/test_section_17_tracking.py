"""Section 17.1 to 17.5: exposures and feature usage."""

from __future__ import annotations

from typing import Any

import pytest

from abmiddleware.evaluation.json_form import result_json
from abmiddleware.evaluation.tracks import compile_tracks
from tests.spec.cases import context, experiment, holds, rows

Json = Any

META = [{"key": "control"}, {"key": "on"}]
EXPOSURE = {"experiment": "exp", "variation": "on", "hashAttribute": "id", "hashValue": "user-1"}


def features(**rules: Json) -> dict[str, Json]:
    """Return a context with features of one rule each."""
    told = {name: {"defaultValue": "default", "rules": [rule]} for name, rule in rules.items()}
    return context(features=told)


def test_exposure(implementation: Any) -> None:
    """17.1: an exposure names the experiment and the key of the variation."""
    evaluation = implementation.evaluate(context())
    evaluation.run(experiment(meta=META))
    assert evaluation.exposures == [EXPOSURE]


@pytest.mark.parametrize(
    ("fields", "count"),
    rows(
        ("the same again", {}, 1),
        ("a feature's own values do not matter", {"variations": ["c", "d"]}, 1),
        ("another key of the same variation", {"meta": [{}, {"key": "other"}]}, 1),
        ("another variation", {"weights": [1, 0]}, 2),
        ("another experiment", {"key": "other", "weights": [0, 1]}, 2),
        ("another attribute", {"hashAttribute": "user"}, 2),
        ("not enrolled", {"coverage": 0}, 1),
    ),
)
def test_once(implementation: Any, fields: Json, count: int) -> None:
    """17.2: once for each hash attribute, hash value, experiment key and variation index."""
    evaluation = implementation.evaluate({"attributes": {"id": "user-1", "user": "user-1"}})
    evaluation.run(experiment(meta=META))
    evaluation.run(experiment(**{"meta": META, **fields}))
    assert len(evaluation.exposures) == count
    assert evaluation.exposures[0] == EXPOSURE


def test_value_as_text(implementation: Any) -> None:
    """17.2: hash values are compared as text."""
    evaluation = implementation.evaluate({"attributes": {"id": 42, "user": "42"}})
    evaluation.run(experiment(weights=[0, 1]))
    evaluation.run(experiment(weights=[0, 1]))
    assert len(evaluation.exposures) == 1


def test_order(implementation: Any) -> None:
    """17.1: exposures are in the order of the enrolments, those of prerequisites first."""
    given = features(
        f={**experiment(), "parentConditions": [{"id": "p"}]},
        p=experiment(key="parent", weights=[0, 1]),
    )
    evaluation = implementation.evaluate(given)
    evaluation.feature("f")
    evaluation.feature("p")
    assert [each["experiment"] for each in evaluation.exposures] == ["parent", "exp"]


def track(key: str, variation: int, value: str = "user-1") -> dict[str, Json]:
    result = {"variationId": variation, "key": str(variation), "hashAttribute": "id"}
    told = {"inExperiment": True, "hashUsed": True, "hashValue": value, "value": 1}
    return {"experiment": {"key": key, "variations": [1, 2]}, "result": {**result, **told}}


@pytest.mark.parametrize(
    ("rule", "expected"),
    rows(
        ("each entry", {"tracks": [track("x", 0), track("y", 1)]}, [("x", "0"), ("y", "1")]),
        ("each once", {"tracks": [track("x", 0), track("x", 0)]}, [("x", "0")]),
        ("none", {"tracks": []}, []),
        ("not when the rule is skipped", {"tracks": [track("x", 0)], "coverage": 0}, []),
        ("not when its condition fails", {"tracks": [track("x", 0)], "condition": {"a": 1}}, []),
    ),
)
def test_tracks(implementation: Any, rule: Json, expected: Json) -> None:
    """17.4: a force rule reports its tracks as they are when it yields the outcome."""
    evaluation = implementation.evaluate(features(f={"force": 1, **rule}))
    evaluation.feature("f")
    told = [(each["experiment"], each["variation"]) for each in evaluation.exposures]
    assert told == expected


@pytest.mark.parametrize(
    ("given", "told"),
    rows(
        ("a bucket", {"bucket": 0.5}, {"bucket": 0.5}),
        ("a bucket that JavaScript writes as 0", {"bucket": 0}, {"bucket": 0}),
        ("a bucket that is none", {"bucket": "0.5"}, {"bucket": None}),
        ("a key that is no text", {"key": True}, {"key": "true"}),
        ("a name that is no text", {"name": 1.0}, {"name": "1"}),
    ),
)
def test_tracks_are_as_given(given: Json, told: Json) -> None:
    """17.4: the result that is reported is the one that came; texts are those of 1.4."""
    ((_, result),) = compile_tracks(
        [{"experiment": {"key": "x"}, "result": {"variationId": 1, **given}}]
    )
    assert holds(result_json(result), told)


def test_tracks_and_experiments(implementation: Any) -> None:
    """17.4: tracks are de-duplicated together with the exposures of experiments."""
    given = features(f={"force": 1, "tracks": [track("exp", 1)]})
    evaluation = implementation.evaluate(given)
    evaluation.run(experiment())
    evaluation.feature("f")
    assert len(evaluation.exposures) == 1


@pytest.mark.parametrize(
    ("key", "expected"),
    rows(
        ("a feature", "plain", [("plain", 1, "force")]),
        ("an unknown feature", "nothing", [("nothing", None, "unknownFeature")]),
        (
            "prerequisites come before",
            "child",
            [("plain", 1, "force"), ("child", 2, "force")],
        ),
        (
            "a parent of two is reported once",
            "diamond",
            [("plain", 1, "force"), ("child", 2, "force"), ("diamond", 3, "force")],
        ),
        (
            "unknown prerequisites, too",
            "orphan",
            [("nothing", None, "unknownFeature"), ("orphan", 4, "force")],
        ),
        ("not those with a forced value", "forced", []),
        ("nor such prerequisites", "careless", [("careless", 5, "force")]),
    ),
)
def test_usage(implementation: Any, key: str, expected: Json) -> None:
    """17.5: each feature of an evaluation is reported once, unless its value was forced."""
    given = features(
        plain={"force": 1},
        child={"force": 2, "parentConditions": [{"id": "plain"}]},
        diamond={"force": 3, "parentConditions": [{"id": "plain"}, {"id": "child"}]},
        orphan={"force": 4, "parentConditions": [{"id": "nothing"}]},
        forced={"force": 6},
        careless={"force": 5, "parentConditions": [{"id": "forced"}]},
    )
    evaluation = implementation.evaluate({**given, "forcedFeatureValues": {"forced": 7}})
    evaluation.feature(key)
    told = [(each["feature"], each["value"], each["source"]) for each in evaluation.usages]
    assert told == expected
