"""Documents of a source: judged as a whole, bad parts set aside, compiled when first asked for."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abmiddleware import ABMiddlewareError, DocumentError, Experiment, Feature, Rule
from abmiddleware.evaluation.document import Document, document_of
from abmiddleware.evaluation.payload import read_payload
from abmiddleware.evaluation.scope import EvaluationOptions, Scope
from abmiddleware.evaluation.values import Attributes
from abmiddleware.snapshot import Snapshot
from tests.evaluation.strategies import thorough
from tests.evaluation.test_growthbook import EXPERIMENT_FIELDS as FIELDS
from tests.evaluation.test_growthbook import FEATURES, JSON, documents


def told(document: Document) -> list[tuple[str, str]]:
    """Return the problems of a document's form."""
    return [(problem.path, problem.problem) for problem in document.problems]


def value_of(document: Document, key: str, **attributes: object) -> object:
    """Evaluate a feature as a client does."""
    snapshot = Snapshot.of([document])
    scope = Scope(Attributes(attributes), snapshot.features, EvaluationOptions())
    return scope.feature(key).value


# The whole.


@pytest.mark.parametrize(
    ("payload", "path", "problem"),
    [
        pytest.param(None, "payload", "is None, must be an object with features", id="null"),
        pytest.param([], "payload", "is [], must be an object with features", id="list"),
        pytest.param("{}", "payload", "is '{}', must be an object with features", id="text"),
        pytest.param(
            {"status": 200, "error": "x"},
            "payload",
            "has no section that is known, must have one of features, experiments, savedGroups, "
            "contextualBandits",
            id="error-page",
        ),
        pytest.param({"features": []}, "features", "is [], must be an object", id="features"),
        pytest.param(
            {"features": {}, "experiments": {}},
            "experiments",
            "is {}, must be a list",
            id="list-of",
        ),
        pytest.param(
            {"features": {}, "savedGroups": [1]},
            "savedGroups",
            "is [1], must be an object",
            id="groups",
        ),
        pytest.param(
            {"contextualBandits": 5}, "contextualBandits", "is 5, must be an object", id="bandits"
        ),
    ],
)
def test_what_is_no_payload_is_refused(payload: object, path: str, problem: str) -> None:
    """Nothing of it can be trusted, so the configuration before it stays."""
    with pytest.raises(DocumentError) as caught:
        read_payload(payload)

    assert (caught.value.path, caught.value.problem) == (path, problem)
    assert isinstance(caught.value, (ABMiddlewareError, ValueError))


@pytest.mark.parametrize(
    "payload",
    [{"features": {}}, {"features": None}, {"experiments": []}, {"features": {}, "dateUpdated": 1}],
    ids=["empty", "null", "experiments", "more"],
)
def test_an_empty_payload_is_one(payload: object) -> None:
    """A project without features has a configuration, which is empty."""
    document = read_payload(payload)

    assert (dict(document.features), dict(document.experiments)) == ({}, {})
    assert document.check() == ()


# Its parts.

MIXED: dict[str, Any] = {
    "features": {
        "good": {"defaultValue": 1},
        "number": 5,
        "null": None,
        "rules": {"defaultValue": 2, "rules": "all"},
        "rule": {"defaultValue": 3, "rules": [5, {"force": 4}]},
        "field": {"defaultValue": 5, "rules": [{"force": 6, "coverage": "half", "key": 7}]},
    },
    "experiments": [
        {"key": "first", "variations": [1, 2]},
        {"key": "first", "variations": [3, 4]},
        {"variations": [1, 2]},
        "odd",
        {"key": "weights", "variations": [1, 2], "weights": 0.5, "condition": []},
    ],
}


def test_bad_parts_are_set_aside_and_listed() -> None:
    """Each problem has the path of its part, its value and the mend; all other parts serve."""
    document = read_payload(MIXED)

    assert told(document) == [
        ("features.number", "is 5, must be an object"),
        ("features.null", "is None, must be an object"),
        ("features.rules.rules", "is 'all', must be a list"),
        ("features.rule.rules[0]", "is 5, must be an object"),
        ("features.field.rules[0].coverage", "is 'half', must be a number"),
        ("features.field.rules[0].key", "is 7, must be a str"),
        (
            "experiments[1].key",
            "is 'first', as that of experiments[0], which serves; must be its own",
        ),
        ("experiments[2].key", "is None, must be a string"),
        ("experiments[3]", "is 'odd', must be an object"),
        ("experiments.weights.weights", "is 0.5, must be a list"),
        ("experiments.weights.condition", "is [], must be a dict"),
    ]
    assert list(document.features) == ["good", "rules", "rule", "field"]
    assert [value_of(document, key, id="u1") for key in document.features] == [1, 2, 4, 5]
    assert set(document.experiments) == {"first", "weights"}


def test_the_first_experiment_of_a_key_counts() -> None:
    """A key that stands there twice is served by the first."""
    assert read_payload(MIXED).experiment("first").definition.variations == [1, 2]


def test_redirects_keep_their_order_and_their_places() -> None:
    """Those set aside between them change no path."""
    first: dict[str, Any] = {"key": "a", "variations": [1, 2], "urlPatterns": []}
    broken = {**first, "key": "last", "condition": {"a": {"$x": 1}}}
    document = read_payload({"experiments": [first, 5, broken]})
    one, last = document.redirects()

    assert (one.key, last.key) == ("a", "last")
    assert [problem.path.split(".")[0] for problem in last.problems] == ["experiments[2]"]


def test_check_lists_what_compiling_finds() -> None:
    """Conditions that cannot be used are told with their paths, beside the problems of form."""
    wrong = {"country": {"$regx": "^N"}}
    document = read_payload(
        {
            "features": {
                "odd": 5,
                "rule": {"rules": [{"force": 1}, {"force": 2, "condition": wrong}]},
                "test": {"rules": [{"variations": [1, 2], "condition": wrong}]},
                "parent": {
                    "rules": [
                        {"force": 1, "parentConditions": [{"id": "a", "condition": wrong}, {}]}
                    ]
                },
                "group": {"rules": [{"force": 1, "condition": {"id": {"$inGroup": "odd"}}}]},
                "good": {"defaultValue": 1},
            },
            "savedGroups": {"odd": 5},
            "experiments": [{"key": "exp", "variations": [1, 2], "condition": wrong}],
        }
    )
    paths = [problem.path for problem in document.check()]

    assert paths[0] == "features.odd"
    for path in (
        "experiments.exp.condition.country",
        "features.rule.rules[1].condition.country",
        "features.test.rules[0].condition.country",
        "features.parent.rules[0].prerequisites[0].country",
        "features.parent.rules[0].prerequisites[1]",
        "features.group.rules[0].condition.id",
    ):
        assert any(found.startswith(path) for found in paths), (path, paths)
    assert all(problem.problem for problem in document.check())
    assert not any(path.startswith("features.good") for path in paths)


def test_check_is_bounded() -> None:
    """A broken export of thousands of parts tells a hundred problems."""
    document = read_payload({"features": {f"f{number}": 5 for number in range(1000)}})

    assert len(document.check()) == 100


def test_a_condition_that_cannot_be_used_includes_nobody() -> None:
    """A part that is wrong in one rule goes on with the others."""
    rules = [{"force": 1, "condition": {"a": {"$x": 1}}}, {"force": 2}]
    document = read_payload({"features": {"flag": {"defaultValue": 0, "rules": rules}}})

    assert value_of(document, "flag", a=1) == 2


# Saved groups.


def grouped(saved_groups: object) -> Document:
    in_team = {"id": {"$inGroup": "team"}}
    parent = {"id": "country", "condition": {"value": {"$inGroup": "countries"}}}
    return read_payload(
        {
            "features": {
                "forced": {"defaultValue": 0, "rules": [{"force": 1, "condition": in_team}]},
                "tested": {
                    "defaultValue": 0,
                    "rules": [{"variations": [1, 2], "condition": in_team}],
                },
                "country": {"defaultValue": "NL"},
                "child": {
                    "defaultValue": 0,
                    "rules": [{"force": 1, "parentConditions": [parent]}],
                },
            },
            "experiments": [{"key": "exp", "variations": [1, 2], "condition": in_team}],
            "savedGroups": saved_groups,
        }
    )


def test_saved_groups_reach_every_condition() -> None:
    """Of rules that force, of experiments in rules, of prerequisites, and of experiments."""
    document = grouped({"team": ["u1"], "countries": ["NL", "BE"]})
    inside = [value_of(document, key, id="u1") for key in ("forced", "tested", "child")]
    outside = [value_of(document, key, id="u2") for key in ("forced", "tested")]
    plan = document.experiment("exp")

    assert inside[0] == inside[2] == 1
    assert inside[1] in (1, 2)
    assert outside == [0, 0]
    assert plan.decide(Attributes(id="u1")).in_experiment
    assert not plan.decide(Attributes(id="u2")).in_experiment
    assert document.check() == ()


def test_typed_saved_groups_are_known() -> None:
    """Groups of a list and of a condition, in the form of newer payloads (section 23)."""
    groups = {
        "team": {"type": "list", "attributeKey": "id", "values": ["u1"]},
        "countries": {"type": "list", "attributeKey": "country", "values": ["NL"]},
        "gold": {"type": "condition", "condition": {"plan": "gold"}},
    }
    document = grouped(groups)
    assert [value_of(document, key, id="u1") for key in ("forced", "child")] == [1, 1]
    assert document.check() == ()

    def rule(reference: object) -> dict[str, Any]:
        return {"rules": [{"force": 1, "condition": {"$savedGroup": reference}}]}

    features = {
        "gold": rule({"id": "gold"}),
        "team": rule({"id": "team"}),
        "friend": rule({"id": "team", "attributeKey": "friend"}),
        "none": rule({"id": "none"}),
    }
    document = read_payload({"features": features, "savedGroups": groups})
    told = {
        key: [value_of(document, key, **who) for who in ({"id": "u1"}, {"plan": "gold"}, FRIEND)]
        for key in features
    }

    assert told == {
        "gold": [None, 1, None],
        "team": [1, None, None],
        "friend": [None, None, 1],
        "none": [None, None, None],
    }


FRIEND = {"id": "u2", "friend": "u1"}


@pytest.mark.parametrize("groups", [None, {}, {"other": ["u1"]}], ids=["none", "empty", "other"])
def test_a_group_that_is_not_there_has_nobody(groups: object) -> None:
    """Nobody is in it, whoever asks."""
    document = grouped(groups)

    assert [value_of(document, key, id="u1") for key in ("forced", "tested", "child")] == [0, 0, 0]


# Compiling.


def test_parts_are_compiled_when_they_are_asked_for() -> None:
    """A snapshot of many parts compiles those that are used, once."""
    payload = {
        "features": {f"f{number}": {"defaultValue": number} for number in range(500)},
        "experiments": [{"key": f"e{number}", "variations": [1, 2]} for number in range(5)],
    }
    snapshot = Snapshot.of([read_payload(payload)])
    assert (len(snapshot.features), len(snapshot.plans)) == (0, 0)
    first = snapshot.features["f7"]

    assert snapshot.features["f7"] is first
    assert snapshot.plans["e3"] is snapshot.plans["e3"]
    assert (len(snapshot.features), len(snapshot.plans)) == (1, 1)
    assert "f8" in snapshot.features
    assert len(snapshot.features.known()) == 500
    with pytest.raises(KeyError):
        snapshot.features["f500"]


def test_objects_of_code_bring_their_plans() -> None:
    """What was compiled when it was built is not compiled again."""
    experiment, feature = Experiment("e", [1, 2]), Feature("f", 1)
    document = document_of([experiment, feature])

    assert document.experiment("e") is experiment.plan
    assert document.feature("f") is feature.plan
    assert document.check() == ()


def test_of_two_objects_with_one_key_the_first_counts() -> None:
    """As of two experiments in a payload."""
    one, two = Experiment("e", [1, 2]), Experiment("e", [3, 4])
    first, second = Feature("f", 1), Feature("f", 2)
    document = document_of([one, two, first, second])

    assert (document.experiments["e"], document.features["f"]) == (one, first)


def test_units_are_what_experiments_randomise_by() -> None:
    """Hash and fallback attributes of experiments and of rules that run one."""
    payload = {
        "features": {
            "a": {"rules": [{"variations": [1, 2], "hashAttribute": "company"}]},
            "b": {"rules": [{"force": 1, "coverage": 0.5, "hashAttribute": "no-unit"}]},
            "c": {"rules": [{"contextualVariations": [1, 2], "fallbackAttribute": "device"}]},
        },
        "experiments": [{"key": "e", "variations": [1, 2], "hashAttribute": "user_id"}],
    }
    coded = [Feature("f", rules=[Rule(variations=[1, 2], hash_attribute="account")])]

    assert read_payload(payload).units == {"company", "device", "user_id"}
    assert "account" in document_of(coded).units


@thorough
@given(
    st.dictionaries(st.sampled_from(["a", "b"]), FEATURES | JSON, max_size=2),
    st.lists(documents(FIELDS) | JSON, max_size=2),
    st.dictionaries(st.sampled_from(["team", "x"]), JSON, max_size=2),
)
def test_whatever_a_payload_holds_it_serves(
    features: dict[str, Any], experiments: list[Any], groups: dict[str, Any]
) -> None:
    """No part makes reading, checking or evaluating raise, and the payload stays as it was."""
    payload = {"features": features, "experiments": experiments, "savedGroups": groups}
    before = copy.deepcopy(payload)
    document = read_payload(payload)
    document.check()
    for plan in document.redirects():
        assert plan.key in document.experiments
    for key in document.features:
        value_of(document, key, id="u1", country="NL")
    for key in document.experiments:
        assert document.experiment(key).key == key

    assert payload == before


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        pytest.param(
            {"hashVersion": 9},
            ("hashVersion", "is 9 and so includes nobody, must be 1 or 2"),
            id="hash-version",
        ),
        pytest.param(
            {"weights": [0.5, 0.2]},
            ("weights", "are [0.5, 0.2] and so not used, must be one for each variation, in all 1"),
            id="weights",
        ),
        pytest.param({"variations": [1]}, ("variations", "has 1, must have two or more"), id="one"),
    ],
)
def test_what_would_go_unnoticed_is_a_problem(fields: Any, problem: tuple[str, str]) -> None:
    """A part that keeps everybody out, or splits otherwise than told, is listed."""
    rule = {"variations": [1, 2], **fields}
    document = read_payload({"features": {"f": {"rules": [rule]}}})
    field, text = problem

    assert [(each.path, each.problem) for each in document.check()] == [
        (f"features.f.rules[0].{field}", text)
    ]
