"""GrowthBook's JSON form: what is read is written again, and what is written reads the same."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abmiddleware import (
    DefinitionError,
    Engine,
    Experiment,
    Feature,
    Filter,
    MemorySink,
    Prerequisite,
    Rule,
    UrlPattern,
    VariationMeta,
)
from abmiddleware.evaluation.definition import MISSING
from abmiddleware.evaluation.growthbook import (
    read_experiment,
    read_feature,
    write,
    write_feature,
)
from abmiddleware.evaluation.scope import Scope
from abmiddleware.evaluation.values import Attributes
from tests.evaluation.strategies import thorough

EXPERIMENT_FIELDS = [
    *("key", "variations", "weights", "coverage", "hashAttribute", "fallbackAttribute"),
    *("hashVersion", "seed", "namespace", "ranges", "filters", "condition", "parentConditions"),
    *("urlPatterns", "meta", "force", "active", "status", "name", "phase", "url", "groups"),
    *("disableStickyBucketing", "bucketVersion", "minBucketVersion", "persistQueryString"),
    *("changeId", "manual"),
]
RULE_FIELDS = [
    *("id", "condition", "parentConditions", "filters", "force", "variations", "key", "weights"),
    *("coverage", "range", "hashAttribute", "fallbackAttribute", "hashVersion", "seed"),
    *("namespace", "ranges", "meta", "name", "phase", "disableStickyBucketing", "bucketVersion"),
    *("minBucketVersion", "contextualVariations", "contextualBanditRef", "tracks"),
]
#: Names that no record has, or that mean something only in Python.
ODD_NAMES = ["extra", "plan", "include", "hash_version", "default", "rules", "", "$x", "type", "é"]

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.5, 1.0, 2.0, 0.0, -0.0, 1e300, 2**70])
    | st.sampled_from(["", "id", "running", "simple", "1", "text"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


def records(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects of these fields, each there or not, with values of any kind."""
    return st.dictionaries(st.sampled_from([*names, *ODD_NAMES]), JSON, max_size=5)


def lists_of(entries: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(entries | SCALARS, max_size=3)


ENTRIES = {
    "meta": lists_of(records("key", "name", "passthrough")),
    "filters": lists_of(records("seed", "ranges", "attribute", "hashVersion")),
    "parentConditions": lists_of(records("id", "condition", "gate")),
    "urlPatterns": lists_of(records("pattern", "type", "include")),
}


def documents(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Return documents with values of any kind, entries of lists among them."""
    nested = st.fixed_dictionaries(
        {}, optional={name: ENTRIES[name] for name in names if name in ENTRIES}
    )
    return st.builds(lambda left, right: {**left, **right}, records(*names), nested)


FEATURES = st.builds(
    lambda document, rules: {**document, **rules},
    records("defaultValue", "rules", "key"),
    st.fixed_dictionaries({}, optional={"rules": lists_of(documents(RULE_FIELDS))}),
)


def exactly(document: object) -> str:
    """Return what tells 1 from 1.0 and from true."""
    return json.dumps(document, sort_keys=True)


@thorough
@given(documents(EXPERIMENT_FIELDS))
def test_any_experiment_is_written_as_it_was_read(document: dict[str, Any]) -> None:
    """Unknown names, defaults, nulls and malformed values included."""
    before = exactly(document)

    assert exactly(write(read_experiment(document))) == before
    assert exactly(document) == before


@thorough
@given(FEATURES)
def test_any_feature_is_written_as_it_was_read(document: dict[str, Any]) -> None:
    """Its rules, and the records in these, included."""
    before = exactly(document)

    assert exactly(write_feature(read_feature("flag", document))) == before
    assert exactly(document) == before


@thorough
@given(documents(EXPERIMENT_FIELDS))
def test_reading_again_gives_the_same(document: dict[str, Any]) -> None:
    """What is written and read again has the same fields."""
    first = read_experiment(document)

    assert fields_of(read_experiment(write(first))) == fields_of(first)


FULL: dict[str, Any] = {
    "key": "full",
    "variations": ["a", {"b": [1, None]}],
    "weights": [0.3, 0.7],
    "coverage": 0.5,
    "hashAttribute": "company",
    "fallbackAttribute": "device",
    "hashVersion": 2,
    "seed": "s",
    "condition": {"country": {"$in": ["NL", "BE"]}},
    "parentConditions": [{"id": "parent", "condition": {"value": True}, "gate": True}],
    "urlPatterns": [{"pattern": "/a/*", "type": "simple", "include": True}],
    "meta": [{"key": "c", "name": "Control"}, {"key": "t", "passthrough": True, "x": 1}],
    "filters": [{"seed": "f", "ranges": [[0, 0.5]], "attribute": "id", "hashVersion": 2}],
    "force": 1,
    "active": False,
    "status": "draft",
    "name": "Full",
    "phase": "3",
    "url": "^/a",
    "groups": ["g"],
    "disableStickyBucketing": True,
    "bucketVersion": 2,
    "minBucketVersion": 1,
    "persistQueryString": True,
    "changeId": "c1",
    "manual": True,
    "datafile": {"any": ["thing"]},
}
EXPLICIT: dict[str, Any] = {
    "key": "explicit",
    "variations": [0, 1],
    "coverage": 1,
    "hashVersion": 1,
    "hashAttribute": "id",
    "active": True,
    "status": "running",
    "seed": None,
    "weights": None,
    "condition": None,
    "phase": 0,
    "bucketVersion": 0,
}
RANGED: dict[str, Any] = {
    "key": "ranged",
    "variations": [0, 1],
    "ranges": [[0, 0.2], [0.5, 1]],
    "namespace": ["n", 0, 0.5],
}


@pytest.mark.parametrize("document", [FULL, EXPLICIT, RANGED], ids=["full", "explicit", "ranged"])
def test_an_experiment_makes_the_round(document: dict[str, Any]) -> None:
    """An experiment object of GrowthBook's JSON gives the same JSON, and so the same object."""
    experiment = Experiment.from_growthbook(document)
    again = Experiment.from_growthbook(experiment.to_growthbook())

    assert exactly(experiment.to_growthbook()) == exactly(document)
    assert fields_of(again) == fields_of(experiment)
    assert again.plan.config_hash == experiment.plan.config_hash


FLAG: dict[str, Any] = {
    "defaultValue": {"a": 1},
    "rules": [
        {"id": "r1", "force": None, "condition": {"x": 1}, "range": [0, 0.1]},
        {"parentConditions": [{"id": "parent", "gate": True}]},
        {"key": "t", "variations": [0, 1], "meta": [{"key": "a"}, {"key": "b"}], "phase": "2"},
        {"force": 0, "hashVersion": 1, "tracks": [{"experiment": {"key": "x"}, "result": {}}]},
    ],
    "project": "shop",
}


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(FLAG, id="full"),
        pytest.param({}, id="empty"),
        pytest.param({"defaultValue": None, "rules": []}, id="explicit"),
        pytest.param({"defaultValue": 1, "rules": None}, id="null-rules"),
        pytest.param({"defaultValue": 1, "key": "of-its-own"}, id="key"),
    ],
)
def test_a_feature_makes_the_round(document: dict[str, Any]) -> None:
    """A feature object does so as well."""
    feature = Feature.from_growthbook("flag", document)
    again = Feature.from_growthbook("flag", feature.to_growthbook())

    assert feature.key == "flag"
    assert exactly(feature.to_growthbook()) == exactly(document)
    assert exactly(again.to_growthbook()) == exactly(document)


OBJECT = Experiment(
    "object",
    ["a", "b"],
    weights=(0.3, 0.7),
    hash_version=2,
    filters=[Filter("f", [(0, 0.5)])],
    meta=[VariationMeta("c", "Control"), VariationMeta("t", passthrough=True)],
    condition={"country": "NL"},
    prerequisites=[Prerequisite("parent", {"value": 1}, gate=True)],
    url_patterns=[UrlPattern("/a"), UrlPattern("b", "regex", include=False)],
    bucket_version=1,
)
FEATURE: Feature[Any] = Feature(
    "feature",
    {"a": 1},
    rules=[
        Rule(force=None, condition={"a": 1}, range=(0, 0.5)),
        Rule(variations=[1, 2], key="t", namespace=("n", 0, 0.5)),
        Rule(prerequisites=[Prerequisite("parent", gate=True)]),
    ],
)


def fields_of(record: Any) -> Any:
    """Return all fields of a record, and of those that it lists, as plain values."""
    if hasattr(record, "__dataclass_fields__"):
        return {
            name: fields_of(getattr(record, name))
            for name in record.__dataclass_fields__
            if name not in {"plan", "extra"}
        }
    if isinstance(record, (list, tuple)):
        return [fields_of(item) for item in record]
    return record


def test_an_object_makes_the_round() -> None:
    """What was defined in code is the same after it was JSON text."""
    text = json.dumps(OBJECT.to_growthbook())

    assert fields_of(Experiment.from_growthbook(json.loads(text))) == fields_of(OBJECT)
    text = json.dumps(FEATURE.to_growthbook())
    assert fields_of(Feature.from_growthbook("feature", json.loads(text))) == fields_of(FEATURE)


def test_an_object_is_written_short() -> None:
    """What was left out in code is left out in JSON."""
    assert Experiment("a", [1, 2]).to_growthbook() == {"key": "a", "variations": [1, 2]}
    assert Feature("a").to_growthbook() == {}
    assert Feature("a", 0, rules=[Rule(force=None)]).to_growthbook() == {
        "defaultValue": 0,
        "rules": [{"force": None}],
    }


def test_a_rule_without_force_is_not_one_that_forces_null() -> None:
    """Null is a value; no field at all is none."""
    rules = {"rules": [{"force": None}, {"variations": [1, 2]}]}
    forced, ran = read_feature("a", rules).rules

    assert forced.force is None
    assert ran.force is MISSING


def test_a_written_default_is_the_same_definition() -> None:
    """Writing a default out changes nothing that decides, so it is no other experiment."""
    short = Experiment("a", [1, 2])
    long = Experiment.from_growthbook(
        {"key": "a", "variations": [1, 2], "coverage": 1, "hashVersion": 1, "custom": "x"}
    )

    assert long.plan.config_hash == short.plan.config_hash


@pytest.mark.parametrize(
    ("document", "path"),
    [
        pytest.param({"variations": [1, 2]}, "key", id="no-key"),
        pytest.param({"key": "a"}, "a.variations", id="no-variations"),
        pytest.param({"key": "a", "variations": [1]}, "a.variations", id="one-variation"),
        pytest.param(
            {"key": "a", "variations": [1, 2], "meta": [5, 6]}, "a.meta[0]", id="malformed-meta"
        ),
        pytest.param(
            {"key": "a", "variations": [1, 2], "parentConditions": [{}]},
            "a.prerequisites[0].feature",
            id="prerequisite-without-id",
        ),
        pytest.param(
            {"key": "a", "variations": [1, 2], "urlPatterns": [{"type": "simple"}]},
            "a.url_patterns[0].pattern",
            id="no-pattern",
        ),
    ],
)
def test_a_wrong_document_is_a_definition_error(document: dict[str, Any], path: str) -> None:
    """Where one definition is read, a mistake raises with its place."""
    with pytest.raises(DefinitionError) as caught:
        Experiment.from_growthbook(document)

    assert caught.value.path == path


R = TypeVar("R")


def read_or_refused(read: Callable[[], R], place: str) -> R | None:
    """Return what is read; None where it is refused, as it should be."""
    try:
        return read()
    except DefinitionError as error:
        refusal = error
    assert refusal.path == "key" or refusal.path.startswith(place)
    assert refusal.problem
    return None


@thorough
@given(documents(EXPERIMENT_FIELDS))
def test_an_experiment_is_read_or_refused(document: dict[str, Any]) -> None:
    """Whatever stands in its JSON, the mistake is a DefinitionError with a place."""
    document = {"key": "exp", "variations": [1, 2], **document}
    experiment = read_or_refused(lambda: Experiment.from_growthbook(document), "exp")

    if experiment is not None:
        assert exactly(experiment.to_growthbook()) == exactly(document)


@thorough
@given(FEATURES)
def test_a_feature_is_read_or_refused(document: dict[str, Any]) -> None:
    """The same holds for a feature and its rules."""
    feature = read_or_refused(lambda: Feature.from_growthbook("flag", document), "flag")

    if feature is not None:
        assert exactly(feature.to_growthbook()) == exactly(document)


def test_a_feature_can_be_pickled() -> None:
    """A worker process can be handed a feature; it is compiled anew there."""
    copied = pickle.loads(pickle.dumps(FEATURE))  # noqa: S301  # our own bytes
    scope = Scope(Attributes(id="u1", a=1))

    assert fields_of(copied) == fields_of(FEATURE)
    assert copied.to_growthbook() == FEATURE.to_growthbook()
    assert copied.plan.evaluate(scope) == FEATURE.plan.evaluate(scope)
    assert Engine([copied], sink=MemorySink()).client(id="u1").value("feature", 0) == (
        Engine([FEATURE], sink=MemorySink()).client(id="u1").value("feature", 0)
    )


def test_a_feature_of_json_can_be_pickled() -> None:
    """What its JSON held beyond the fields is not lost."""
    feature = Feature.from_growthbook("flag", FLAG)
    copied = pickle.loads(pickle.dumps(feature))  # noqa: S301  # our own bytes

    assert exactly(copied.to_growthbook()) == exactly(FLAG)


def test_a_type_can_be_given() -> None:
    """A checker is told of the values' type as of any generic class."""
    assert Experiment[str]("a", ["x", "y"]).variations == ("x", "y")
    assert Feature[bool]("b", False).default is False
    assert Rule[int](force=1).force == 1
