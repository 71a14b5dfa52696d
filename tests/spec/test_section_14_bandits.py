"""Section 14: contextual bandits."""

from __future__ import annotations

from typing import Any

import pytest

from abmiddleware import Engine, MemorySink
from abmiddleware.evaluation.payload import read_payload
from abmiddleware.snapshot import Snapshot
from tests.spec.cases import context, exact, feature, holds, rows
from tests.spec.normal import normal

Json = Any


def leaf(number: int, condition: Json, *weights: float) -> dict[str, Json]:
    return {"leafId": number, "condition": condition, "weights": [*weights]}


NL, ANYBODY = leaf(4, {"country": "NL"}, 0.9, 0.1), leaf(7, {}, 0.1, 0.9)
IN_GROUP = leaf(8, {"id": {"$inGroup": "g"}}, 0.1, 0.9)
RULE = {"key": "exp", "contextualVariations": ["a", "b"], "contextualBanditRef": "cb"}


def payload(*leaves: Json, rule: Json = None, version: Json = 3, **fields: Json) -> dict[str, Json]:
    """Return a context with the bandit `cb`; the bucket of its user is 0.331."""
    bandit = {"contexts": [*leaves], **({} if version is None else {"banditVersion": version})}
    return feature(
        {**RULE, **(rule or {})},
        contextualBandits={"cb": bandit},
        savedGroups={"g": ["user-1"]},
        **fields,
    )


def told(number: int, *weights: float, version: int | None = 3) -> dict[str, Json]:
    return {"leafId": number, "variationWeights": [*weights], "banditVersion": version}


NOTHING = {"leafId": None, "variationWeights": None, "banditVersion": None}


@pytest.mark.parametrize(
    ("given", "variation", "expected"),
    rows(
        (
            "step 1 no bandits in the payload",
            feature({**RULE, "weights": [0.3, 0.7]}),
            *(1, NOTHING),
        ),
        (
            "step 1 another bandit",
            payload(ANYBODY, rule={"contextualBanditRef": "other", "weights": [0.4, 0.6]}),
            *(0, NOTHING),
        ),
        ("step 2 the first that passes", payload(NL, ANYBODY), 1, told(7, 0.1, 0.9)),
        ("step 2 the first of two", payload(ANYBODY, NL), 1, told(7, 0.1, 0.9)),
        (
            "step 2 by attributes",
            payload(NL, ANYBODY, attributes={"id": "user-1", "country": "NL"}),
            *(0, told(4, 0.9, 0.1)),
        ),
        ("step 2 saved groups", payload(NL, IN_GROUP), 1, told(8, 0.1, 0.9)),
        (
            "step 2 the leaf's weights replace the rule's",
            payload(ANYBODY, rule={"weights": [0.9, 0.1]}),
            *(1, told(7, 0.1, 0.9)),
        ),
        (
            "step 3 none passes",
            payload(NL, rule={"weights": [0.3, 0.7]}),
            *(1, told(-1, 0.3, 0.7)),
        ),
        ("step 3 none passes, no weights", payload(NL), 0, told(-1, 0.5, 0.5)),
        ("step 3 no context", payload(), 0, told(-1, 0.5, 0.5)),
        (
            "step 3 no contexts",
            feature(RULE, contextualBandits={"cb": {"banditVersion": 3}}),
            *(0, told(-1, 0.5, 0.5)),
        ),
        ("step 4 no version", payload(ANYBODY, version=None), 1, told(7, 0.1, 0.9, version=None)),
        ("step 4 version 0", payload(ANYBODY, version=0), 1, told(7, 0.1, 0.9, version=0)),
        ("the rule's coverage", payload(ANYBODY, rule={"coverage": 0.9}), 1, told(7, 0.1, 0.9)),
        (
            "the weights of legacy overrides are reported",
            payload(ANYBODY, overrides={"exp": {"weights": [0.6, 0.4]}}),
            *(0, told(7, 0.6, 0.4)),
        ),
        ("forced variation", payload(ANYBODY, forcedVariations={"exp": 0}), 0, NOTHING),
        ("query override", payload(ANYBODY, url="/?exp=0"), 0, NOTHING),
    ),
)
def test_bandit(implementation: Any, given: Json, variation: int, expected: Json) -> None:
    """14: the leaf's weights are bucketed with, and reported for those who are enrolled."""
    result = implementation.contextual_bandit("f", given)
    assert holds(result, {"source": "experiment", "value": "ab"[variation]})
    assert holds(result["experimentResult"], {"variationId": variation, **expected})

    definition = result["experiment"].get("contextualBandit")
    if expected is NOTHING:
        assert definition is None
    else:
        assert exact(normal(definition)) == exact(normal(expected))


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(payload(ANYBODY, rule={"condition": {"country": "NL"}}), id="rule condition"),
        pytest.param(payload(ANYBODY, rule={"coverage": 0}), id="coverage"),
        pytest.param(payload(ANYBODY, rule={"namespace": ["n", 0, 0]}), id="namespace"),
        pytest.param(payload(ANYBODY, rule={"filters": "none"}), id="filters"),
        pytest.param(payload(ANYBODY, rule={"hashAttribute": "none"}), id="no hash value"),
        pytest.param(payload(ANYBODY, qaMode=True), id="QA mode"),
        pytest.param(payload(ANYBODY, enabled=False), id="disabled"),
    ],
)
def test_not_in(implementation: Any, given: Json) -> None:
    """14: the rule's own tests apply unchanged, whatever leaf matches."""
    result = implementation.contextual_bandit("f", given)
    assert holds(result, {"source": "defaultValue", "experimentResult": None})


def test_leaf_on_a_forced_definition(implementation: Any) -> None:
    """14: the definition of a forced result still shows the leaf's weights."""
    result = implementation.contextual_bandit("f", payload(ANYBODY, forcedVariations={"exp": 0}))
    assert result["experiment"]["weights"] == [0.1, 0.9]


def test_sticky(implementation: Any) -> None:
    """14: a sticky assignment counts as enrolled."""
    meta = [{"key": "control"}, {"key": "on"}]
    stored = {"attributeName": "id", "attributeValue": "user-1"}
    document = {**stored, "assignments": {"exp__0": "control"}}
    given = payload(ANYBODY, rule={"meta": meta})

    result, _ = implementation.run_sticky(given, [document], "f")

    assert holds(result, {"variationId": 0, "stickyBucketUsed": True, **told(7, 0.1, 0.9)})


def test_plain_variations(implementation: Any) -> None:
    """14: contextual variations without a reference are a plain experiment."""
    rule = {"key": "exp", "contextualVariations": ["a", "b"], "weights": [0.3, 0.7]}
    result = implementation.contextual_bandit("f", context(features={"f": {"rules": [rule]}}))
    assert holds(result, {"value": "b"})
    assert holds(result["experimentResult"], NOTHING)


@pytest.mark.parametrize(
    "rule",
    rows(
        ("variations that are no list", {"contextualVariations": 1}),
        ("variations that are a text", {"contextualVariations": "ab"}),
        ("weights that are no list", {"contextualVariations": ["a", "b"], "weights": 0.5}),
    ),
)
def test_a_malformed_rule_breaks_nothing(rule: Json) -> None:
    """Section 19: it gives no value, or those of equal weights, and another feature serves."""
    broken = {"rules": [{"key": "exp", "contextualBanditRef": "cb", **rule}]}
    features = {"broken": broken, "other": {"defaultValue": 7}}
    document = read_payload({"features": features, "contextualBandits": {"cb": {}}})
    engine = Engine(sink=MemorySink(), strict=False)
    engine.snapshot = Snapshot.of([document])
    client = engine.client(id="user-1")

    assert client.feature("broken").value in (None, "a", "b")
    assert client.value("other", 0) == 7
    assert len(client.deferred_exposures()) == (1 if "weights" in rule else 0)
    assert document.check() is not None
