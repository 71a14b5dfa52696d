"""Features asked of a client: what they answer, once, and what a view's mistakes come to."""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest

from abmiddleware import (
    DefinitionError,
    Engine,
    Experiment,
    ExperimentClient,
    Feature,
    FeatureResult,
    FeatureSource,
    MemorySink,
    Prerequisite,
    Rule,
    UnknownExperimentError,
    UnknownFeatureError,
    VariationMeta,
)
from abmiddleware.sticky import MemoryStickyStore

TREATED = [0, 1]
SEARCH = Feature(
    "new-search",
    "old",
    rules=[
        Rule(id="team", force="team", condition={"team": True}),
        Rule(id="test", key="search-test", variations=["old", "new"], weights=TREATED),
    ],
)
MENU = Feature("menu", {"items": 3})
EMPTY: Feature[Any] = Feature("empty", [])
NOTHING: Feature[object] = Feature("nothing")
ZERO = Feature("zero", 0)
FEATURES: list[Feature[Any]] = [SEARCH, MENU, EMPTY, NOTHING, ZERO]

Ask = Callable[[ExperimentClient], object]


@pytest.fixture
def engine(sink: MemorySink) -> Engine:
    return Engine(FEATURES, sink=sink)


def exposed(sink: MemorySink) -> list[str]:
    return [exposure.experiment_key for exposure in sink.exposures]


# What a feature answers.


@pytest.mark.parametrize(
    ("feature", "value", "is_on"),
    [
        pytest.param(MENU, {"items": 3}, True, id="object"),
        pytest.param(EMPTY, [], True, id="empty-list"),
        pytest.param(ZERO, 0, False, id="zero"),
        pytest.param(NOTHING, "none", False, id="nothing"),
        pytest.param(SEARCH, "new", True, id="experiment"),
    ],
)
@pytest.mark.parametrize("is_by_key", [True, False], ids=["key", "object"])
def test_a_feature_answers_by_key_and_by_object(
    engine: Engine, feature: Feature[Any], value: object, is_on: bool, is_by_key: bool
) -> None:
    """The value or else the default, and whether it is on as JSON sees it."""
    asked: Any = feature.key if is_by_key else feature
    for _ in range(3):  # the first answer of a process goes another way than those after it
        experiments = engine.client(id="u1")

        assert experiments.value(asked, "none") == value
        assert experiments.is_on(asked) is is_on
        assert experiments.feature(asked).on is is_on
        assert experiments.feature(asked).off is not is_on


def test_a_result_tells_what_decided(engine: Engine) -> None:
    """The source, the rule, and of an experiment the definition and its result."""
    team = engine.client(id="u1", team=True).feature(SEARCH)
    tested = engine.client(id="u1").feature(SEARCH)
    default = engine.client().feature(SEARCH)

    assert (team.value, team.source, team.rule_id) == ("team", FeatureSource.FORCE, "team")
    assert (team.experiment, team.experiment_result) == (None, None)
    assert (tested.value, tested.source, tested.rule_id) == ("new", "experiment", "test")
    assert tested.experiment is not None
    assert tested.experiment.key == "search-test"
    assert tested.experiment_result is not None
    assert tested.experiment_result.feature_id == "new-search"
    assert (default.value, default.source, default.rule_id) == ("old", "defaultValue", "")


def test_a_feature_is_evaluated_once(engine: Engine, sink: MemorySink) -> None:
    """Whatever is asked how often, by key or object, the client gives one answer."""
    for _ in range(3):
        sink.clear()
        experiments = engine.client(id="u1")
        first = experiments.feature("new-search")
        experiments.identify(team=True)

        assert experiments.feature(SEARCH) is experiments.feature("new-search") is first
        assert experiments.value(SEARCH, "") == "new"
        assert exposed(sink) == ["search-test"]


def test_an_exposure_names_the_feature(engine: Engine, sink: MemorySink) -> None:
    """The record of a rule's experiment says which feature ran it."""
    for _ in range(3):
        engine.client(id="u1").is_on("new-search")

    assert [exposure.feature_key for exposure in sink.exposures] == ["new-search"] * 3
    assert {exposure.variation_key for exposure in sink.exposures} == {"1"}
    assert all(exposure.config_hash for exposure in sink.exposures)


def test_who_is_out_is_not_exposed(engine: Engine, sink: MemorySink) -> None:
    """A feature that forces a value or falls to its default records nothing."""
    for _ in range(3):
        engine.client(id="u1", team=True).is_on("new-search")
        engine.client().is_on("new-search")

    assert sink.records == []


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"enabled": False}, id="disabled"),
        pytest.param({"qa_mode": True}, id="qa-mode"),
    ],
)
def test_options_stop_a_features_experiments_only(sink: MemorySink, options: Any) -> None:
    """Switched off or in QA mode, forced values and defaults are served as ever."""
    engine = Engine(FEATURES, sink=sink, **options)

    assert engine.client(id="u1", team=True).value(SEARCH, "") == "team"
    assert engine.client(id="u1").value(SEARCH, "") == "old"
    assert engine.client(id="u1").value(MENU, None) == {"items": 3}
    assert sink.records == []


def test_a_forced_variation_reaches_a_rule(sink: MemorySink) -> None:
    """A variation forced by the experiment's key decides the feature, and is not counted."""
    source = Engine(
        [*FEATURES, Experiment("search-test", ["x", "y"])],
        sink=sink,
        forced_variations={"search-test": 0},
    )
    result = source.client(id="u1").feature("new-search")

    assert (result.value, result.source) == ("old", FeatureSource.EXPERIMENT)
    assert result.experiment_result is not None
    assert not result.experiment_result.hash_used
    assert sink.records == []


# Forced values.


@pytest.mark.parametrize("asked", [SEARCH, "new-search"], ids=["object", "key"])
def test_a_forced_value_is_an_override(sink: MemorySink, asked: Any) -> None:
    """It replaces every rule, for everybody, and exposes nothing."""
    engine = Engine(FEATURES, sink=sink, forced_features={"new-search": "forced"})
    for _ in range(3):
        result = engine.client(id="u1", team=True).feature(asked)

        assert (result.value, result.source) == ("forced", FeatureSource.OVERRIDE)
    assert sink.records == []


def test_a_forced_value_may_be_null_and_of_any_key(sink: MemorySink) -> None:
    """Null is a value; a feature that nothing knows can be forced as well."""
    engine = Engine(FEATURES, sink=sink, forced_features={"menu": None, "unheard-of": 7})
    experiments = engine.client(id="u1")

    assert experiments.feature("menu").source is FeatureSource.OVERRIDE
    assert experiments.value("menu", "none") == "none"
    assert experiments.feature("unheard-of").value == 7


# What nothing knows.


def test_an_unknown_key_names_the_nearest(engine: Engine) -> None:
    """In strict mode a mistyped key raises, and says what was probably meant."""
    experiments = engine.client(id="u1")
    for ask in (experiments.feature, experiments.is_on):
        with pytest.raises(UnknownFeatureError, match="did you mean 'new-search'") as caught:
            ask("new-serch")

    assert (caught.value.key, caught.value.nearest) == ("new-serch", ("new-search",))


def test_an_unknown_key_raises_each_time(engine: Engine) -> None:
    """In strict mode the second ask of one client is as wrong as the first."""
    experiments = engine.client(id="u1")
    for _ in range(2):
        with pytest.raises(UnknownFeatureError):
            experiments.is_on("new-serch")


def test_an_unknown_prerequisite_is_still_unknown_to_a_view(sink: MemorySink) -> None:
    """That a rule asked for it before does not make a mistyped key of the view right."""
    child = Feature(
        "child", 1, rules=[Rule(force=2, prerequisites=[Prerequisite("parent", {"value": True})])]
    )
    experiments = Engine([child], sink=sink).client(id="u1")

    assert experiments.value(child, 0) == 1
    with pytest.raises(UnknownFeatureError):
        experiments.feature("parent")


def test_a_key_of_an_experiment_is_told(sink: MemorySink) -> None:
    """Who asks for an experiment as a feature, or a feature as an experiment, is told."""
    experiments = Engine([MENU, Experiment("price", [1, 2])], sink=sink).client(id="u1")

    with pytest.raises(UnknownFeatureError, match=r"it is an experiment: ask run\(\) or value"):
        experiments.is_on("price")
    with pytest.raises(UnknownExperimentError, match="it is a feature: ask feature"):
        experiments.run("menu")
    with pytest.raises(UnknownExperimentError, match="it is a feature: ask feature"):
        experiments.run(Feature("unheard-of", 1))  # type: ignore[call-overload]


def test_value_of_an_unknown_key_names_features_too(engine: Engine) -> None:
    """`value` takes keys of both, so its error names the nearest of both."""
    with pytest.raises(LookupError, match="did you mean 'new-search'"):
        engine.client(id="u1").value("new-serch", "")


def test_an_unknown_key_is_logged_once_in_production(
    sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """In production the default is served, and the log has one line for each key."""
    engine = Engine(FEATURES, sink=sink, strict=False)
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        for _ in range(3):
            experiments = engine.client(id="u1")
            assert experiments.value("new-serch", "default") == "default"
            result = experiments.feature("new-serch")
            assert (result.value, result.source, result.on) == (None, "unknownFeature", False)

    assert caplog.text.count("no feature 'new-serch' is configured") == 1


@pytest.mark.parametrize("wrong", [7, None, ["menu"], MENU.key.encode()], ids=repr)
@pytest.mark.parametrize("strict", [True, False], ids=["strict", "production"])
def test_a_key_of_a_wrong_type_is_unknown(sink: MemorySink, wrong: Any, strict: bool) -> None:
    """What is neither key nor feature is a clear error in tests, and nothing else."""
    experiments = Engine(FEATURES, sink=sink, strict=strict).client(id="u1")
    if strict:
        with pytest.raises(UnknownFeatureError):
            experiments.feature(wrong)
    else:
        assert experiments.feature(wrong).source is FeatureSource.UNKNOWN


def test_value_of_a_key_of_both_is_the_experiments(sink: MemorySink) -> None:
    """A key that names a feature and an experiment means the experiment to `value`."""
    both: list[Any] = [Feature("both", "feature"), Experiment("both", ["a", "b"], weights=TREATED)]
    experiments = Engine(both, sink=sink).client(id="u1")

    assert experiments.value("both", "") == "b"
    assert experiments.feature("both").value == "feature"
    assert exposed(sink) == ["both"]


def test_value_of_an_object_is_its_own(sink: MemorySink) -> None:
    """Given an object, `value` asks that one, whatever else has its key."""
    feature, experiment = Feature("both", "feature"), Experiment("both", ["a", "b"])
    experiments = Engine([feature, experiment], sink=sink).client()

    assert experiments.value(feature, "") == "feature"
    assert experiments.value(experiment, "default") == "default"


def test_an_unregistered_feature_is_evaluated(sink: MemorySink) -> None:
    """A feature object needs no registration."""
    assert Engine(sink=sink).client(id="u1").value(SEARCH, "") == "new"
    assert exposed(sink) == ["search-test"]


# Prerequisites.

PARENT = Feature("parent", "off", rules=[Rule(key="parent-test", variations=["off", "on"])])
ON = Prerequisite("parent", {"value": "on"})


def on_and_off(engine: Engine) -> tuple[str, str]:
    """Return an id that the parent's experiment turns on, and one that it does not."""
    ids = [str(number) for number in range(50)]
    on = [unit for unit in ids if engine.client(id=unit).feature("parent").value == "on"]
    return on[0], next(unit for unit in ids if unit not in on)


def test_a_prerequisites_experiment_is_exposed(sink: MemorySink) -> None:
    """Who is asked about a feature met the experiment that decided its prerequisite."""
    child = Feature(
        "child",
        "none",
        rules=[Rule(key="child-test", variations=["a", "b"], prerequisites=[ON])],
    )
    engine = Engine([PARENT, child], sink=sink)
    on, off = on_and_off(engine)
    sink.clear()
    answers = [engine.client(id=unit).feature("child").source for unit in (on, off)]

    assert answers == ["experiment", "defaultValue"]
    assert exposed(sink) == ["parent-test", "child-test", "parent-test"]
    assert [exposure.feature_key for exposure in sink.exposures] == ["parent", "child", "parent"]


def test_a_prerequisite_that_is_asked_too_is_exposed_once(sink: MemorySink) -> None:
    """Whichever is asked first, the parent has one answer and one exposure."""
    child = Feature("child", 0, rules=[Rule(force=1, prerequisites=[ON])])
    engine = Engine([PARENT, child], sink=sink)
    for asked in (["child", "parent"], ["parent", "child"], ["child", "parent"]):
        sink.clear()
        experiments = engine.client(id="u1")
        results = {key: experiments.feature(key) for key in asked}

        assert (results["parent"].value == "on") == (results["child"].value == 1)
        assert exposed(sink) == ["parent-test"]


def test_a_gate_ends_the_feature(sink: MemorySink) -> None:
    """A gate that is not met leaves the feature without a value."""
    gated = Feature(
        "gated",
        1,
        rules=[
            Rule(prerequisites=[Prerequisite("parent", {"value": "on"}, gate=True)]),
            Rule(force=2),
        ],
    )
    engine = Engine([PARENT, gated], sink=sink)
    on, off = on_and_off(engine)

    assert engine.client(id=on).feature("gated").value == 2
    assert engine.client(id=off).feature("gated").source is FeatureSource.PREREQUISITE
    assert engine.client(id=off).value("gated", "default") == "default"


def test_a_circle_has_no_value(sink: MemorySink) -> None:
    """Features that ask each other end without a value, all of them."""
    circle = [
        Feature(key, 1, rules=[Rule(force=2, prerequisites=[Prerequisite(other)])])
        for key, other in (("a", "b"), ("b", "a"))
    ]
    experiments = Engine(circle, sink=sink).client(id="u1")

    assert experiments.feature("a").source is FeatureSource.CYCLE
    assert experiments.feature("a").value is None


def test_a_peek_with_prerequisites_records_nothing(sink: MemorySink) -> None:
    """What an experiment's prerequisites bring about waits until it is exposed."""
    told: list[str] = []
    engine = Engine(
        [PARENT],
        sink=sink,
        on_feature_usage=lambda result, _: told.append(result.key),
    )
    on, _ = on_and_off(engine)
    sink.clear()
    told.clear()
    experiments = engine.client(id=on)
    child = Experiment("child-test", ["a", "b"], prerequisites=[ON])
    peeked = experiments.peek(child)
    assert (sink.records, told, experiments.deferred_exposures()) == ([], [], [])
    for _ in range(2):
        experiments.expose(child)

    assert experiments.run(child) is peeked
    assert exposed(sink) == ["parent-test", "child-test"]
    assert told == ["parent"]
    assert len(experiments.deferred_exposures()) == 2


def test_holdouts_are_exposed_and_go_on(sink: MemorySink) -> None:
    """A passthrough variation is counted, and the next rule decides."""
    document = {
        "defaultValue": 0,
        "rules": [
            {
                "key": "holdout",
                "variations": [1, 2],
                "weights": [0, 1],
                "meta": [{"key": "held"}, {"key": "free", "passthrough": True}],
            },
            {"key": "inner", "variations": [3, 4], "weights": [0, 1]},
        ],
    }
    engine = Engine([Feature.from_growthbook("held", document)], sink=sink)
    for _ in range(3):
        sink.clear()
        assert engine.client(id="u1").value("held", None) == 4
        assert [(each.experiment_key, each.variation_key) for each in sink.exposures] == [
            ("holdout", "free"),
            ("inner", "1"),
        ]


# Failures.


class Safe(str):
    """A class of strings, as that of a template's safe HTML."""

    __slots__ = ()


def test_keys_of_a_class_of_strings_are_keys(sink: MemorySink) -> None:
    """Whatever class of strings a view has its keys in, it gets its answers."""
    engine = Engine([Experiment("a", [0, 1]), Feature("f", 1)], sink=sink)
    experiments = engine.client(id="u1")

    assert experiments.run(Safe("a")).reason == "split"
    assert experiments.peek(Safe("a")) is experiments.run("a")
    assert experiments.value(Safe("a"), None) in (0, 1)
    assert experiments.feature(Safe("f")).value == 1
    assert experiments.is_on(Safe("f"))
    assert len(sink.exposures) == 1


class Explosive(str):
    """A text that cannot be compared."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    __hash__ = str.__hash__


def test_an_evaluation_that_raises_gives_the_default(
    sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever an attribute does, the view gets its default, and the log tells."""
    targeted = Feature("targeted", 0, rules=[Rule(force=1, condition={"plan": "gold"})])
    engine = Engine([targeted], sink=sink)
    for _ in range(3):
        experiments = engine.client(id="u1")
        experiments._context["plan"] = Explosive("gold")
        with caplog.at_level(logging.WARNING, "abmiddleware"):
            assert experiments.value(targeted, "default") == "default"
            assert not experiments.is_on("targeted")
            assert experiments.feature("targeted").source is FeatureSource.ERROR

        assert engine.client(id="u1", plan="gold").value("targeted", 0) == 1
    assert "it has no value, the evaluation raised" in caplog.text
    assert sink.records == []


# Usage.


def test_usage_is_told_once_for_each_feature(sink: MemorySink) -> None:
    """Each evaluated feature is told once a client, prerequisites before what needs them."""
    told: list[tuple[str, object]] = []
    children = [Feature(key, 0, rules=[Rule(force=1, prerequisites=[ON])]) for key in ("a", "b")]
    engine = Engine(
        [PARENT, MENU, *children],
        sink=sink,
        on_feature_usage=lambda result, attributes: told.append((result.key, attributes["id"])),
    )
    for _ in range(3):
        told.clear()
        experiments = engine.client(id="u1")
        for asked in ("a", "menu", "a", "b", "parent", "menu"):
            experiments.feature(asked)
        experiments.run(Experiment("x", [1, 2], prerequisites=[ON]))

        assert told == [(key, "u1") for key in ("parent", "a", "menu", "b")]


def test_usage_is_told_of_what_nothing_knows(sink: MemorySink) -> None:
    """An unknown feature is told, too; a forced one is not."""
    told: list[tuple[str, str]] = []
    engine = Engine(
        [MENU],
        sink=sink,
        strict=False,
        forced_features={"menu": 1},
        on_feature_usage=lambda result, _: told.append((result.key, result.source)),
    )
    experiments = engine.client(id="u1")
    for asked in ("menu", "missing", "missing"):
        experiments.is_on(asked)

    assert told == [("missing", "unknownFeature")]


def test_usage_that_raises_breaks_nothing(
    sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """A team's function that fails is logged; answers and exposures are as ever."""

    def fail(_: FeatureResult[object], attributes: Any) -> None:
        attributes.clear()  # the client's own are not touched
        raise ZeroDivisionError

    engine = Engine([SEARCH, MENU], sink=sink, on_feature_usage=fail)
    for _ in range(3):
        experiments = engine.client(id="u1")
        assert experiments.value(MENU, None) == {"items": 3}
        assert experiments.value("new-search", "") == "new"

    assert exposed(sink) == ["search-test"] * 3
    assert "on_feature_usage raised ZeroDivisionError" in caplog.text


# Threads.


@pytest.mark.parametrize("warm", [False, True], ids=["first", "later"])
@pytest.mark.parametrize("asked", ["new-search", SEARCH], ids=["key", "object"])
def test_fifty_threads_expose_once(sink: MemorySink, warm: bool, asked: Any) -> None:
    """Fifty threads that ask one feature of one client get one answer, exposed and told once."""
    told: list[str] = []
    engine = Engine(FEATURES, sink=sink, on_feature_usage=lambda result, _: told.append(result.key))
    if warm:
        engine.client(id="u0").feature("new-search")
    with ThreadPoolExecutor(50) as pool:
        for round_ in range(10):
            sink.clear()
            told.clear()
            experiments, start = engine.client(id=f"u{round_}"), Barrier(50)

            def ask(
                _: int, experiments: ExperimentClient = experiments, start: Barrier = start
            ) -> FeatureResult[Any]:
                start.wait(20)
                return experiments.feature(asked)

            results = list(pool.map(ask, range(50)))

            assert {result.value for result in results} == {"new"}
            assert exposed(sink) == ["search-test"]
            assert told == ["new-search"]


# What a browser is told.


def test_deferred_exposures_are_growthbooks_json(sink: MemorySink) -> None:
    """The exposures of a page go to a browser's SDK as experiment, result and user."""
    price = Experiment("price", [1, 2], weights=TREATED, coverage=0.9, hash_attribute="company")
    engine = Engine([SEARCH], sink=sink)
    experiments = engine.client(id="u1", company="acme", url="https://shop.example/a?b=1")
    experiments.is_on("new-search")
    experiments.peek(Experiment("peeked", [1, 2]))
    run = experiments.run(price)
    user = {
        "attributes": {"id": "u1", "company": "acme", "url": "https://shop.example/a?b=1"},
        "url": "https://shop.example/a?b=1",
    }
    searched = experiments.feature("new-search").experiment_result
    assert searched is not None

    assert experiments.deferred_exposures() == [
        {
            "experiment": {
                "key": "search-test",
                "variations": ["old", "new"],
                "weights": [0, 1],
            },
            "result": {
                "inExperiment": True,
                "variationId": 1,
                "value": "new",
                "key": "1",
                "hashUsed": True,
                "hashAttribute": "id",
                "hashValue": "u1",
                "featureId": "new-search",
                "stickyBucketUsed": False,
                "bucket": searched.bucket,
            },
            "user": user,
        },
        {
            "experiment": {
                "key": "price",
                "variations": [1, 2],
                "weights": [0, 1],
                "coverage": 0.9,
                "hashAttribute": "company",
            },
            "result": {
                "inExperiment": True,
                "variationId": 1,
                "value": 2,
                "key": "1",
                "hashUsed": True,
                "hashAttribute": "company",
                "hashValue": "acme",
                "featureId": None,
                "stickyBucketUsed": False,
                "bucket": run.bucket,
            },
            "user": user,
        },
    ]


def test_deferred_exposures_are_those_recorded(sink: MemorySink) -> None:
    """They are the exposures in the records: the same in number, each one once."""
    test = Experiment("search-test", ["old", "new"], weights=TREATED)
    twin = Feature(
        "twin", "", rules=[Rule(key="search-test", variations=["old", "new"], weights=TREATED)]
    )
    engine = Engine([SEARCH, twin, test], sink=sink)
    asks: list[Ask] = [
        lambda client: client.feature("new-search"),
        lambda client: client.feature("twin"),
        lambda client: client.run("search-test"),
    ]
    for first, second, third in ((0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)):
        sink.clear()
        experiments = engine.client(id="u1")
        for index in (first, second, third):
            asks[index](experiments)

        assert exposed(sink) == ["search-test"]
        assert len(experiments.deferred_exposures()) == 1


def test_reading_deferred_exposures_clears_nothing(engine: Engine) -> None:
    """The list can be read again, and is empty before anything was asked."""
    experiments = engine.client(id="u1")
    assert experiments.deferred_exposures() == []
    experiments.is_on("new-search")

    assert experiments.deferred_exposures() == experiments.deferred_exposures()


def test_deferred_exposures_hold_the_attributes_of_their_time(engine: Engine) -> None:
    """Attributes that come later do not stand with an exposure that came before them."""
    experiments = engine.client(id="u1", plan="free")
    experiments.is_on("new-search")
    experiments.identify(plan="gold")

    assert experiments.deferred_exposures()[0]["user"]["attributes"]["plan"] == "free"


# Two features with one key.

BLUE = Feature("new-search", "blue", rules=[Rule(force="navy", condition={"team": True})])
#: Of what `SEARCH` is, built anew.
AGAIN = Feature("new-search", SEARCH.default, rules=SEARCH.rules)


async def aasked(client: ExperimentClient, feature: Feature[Any] | str) -> FeatureResult[Any]:
    return await client.afeature(feature)


@pytest.mark.parametrize("is_async", [False, True], ids=["feature", "afeature"])
@pytest.mark.parametrize("is_registered", [True, False], ids=["registered", "adopted"])
def test_two_features_with_one_key_are_an_error(
    sink: MemorySink, caplog: pytest.LogCaptureFixture, is_registered: bool, is_async: bool
) -> None:
    """They raise in strict mode whoever asks first; elsewhere the log tells of them."""

    def ask(client: ExperimentClient, feature: Feature[Any]) -> object:
        return asyncio.run(aasked(client, feature)) if is_async else client.feature(feature)

    known = FEATURES if is_registered else []
    strict, relaxed = (Engine(known, sink=sink, strict=strict) for strict in (True, False))
    asked = strict.client(id="u1")
    ask(asked, SEARCH)
    for client in (asked, strict.client(id="u1")):
        with pytest.raises(DefinitionError, match="new-search: is the key of two different feat"):
            ask(client, BLUE)
    ask(relaxed.client(id="u1"), SEARCH)
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        ask(relaxed.client(id="u1"), BLUE)

    assert "new-search: is the key of two different features in use" in caplog.text


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (1, 2, 0)], ids=str)
@pytest.mark.parametrize("is_async", [False, True], ids=["feature", "afeature"])
def test_features_with_one_key_keep_their_own_values(
    sink: MemorySink, order: tuple[int, ...], is_async: bool
) -> None:
    """Outside strict mode a typed feature gives its own value, whoever asked before."""
    seen: list[object] = []
    engine = Engine(
        FEATURES,
        sink=sink,
        strict=False,
        sticky=MemoryStickyStore(),
        on_feature_usage=lambda result, _: seen.append(result.value),
    )
    asked: list[Feature[Any] | str] = ["new-search", BLUE, SEARCH]
    client, told = engine.client(id="u1"), dict[int, object]()
    for _ in range(2):
        for index in order:
            one = asked[index]
            known = asyncio.run(aasked(client, one)) if is_async else client.feature(one)
            told[index] = known.value

    assert told == {0: "new", 1: "blue", 2: "new"}
    assert sorted(map(str, seen)) == ["blue", "new"]
    assert exposed(sink) == ["search-test"]


def test_the_experiments_of_a_twin_are_exposed_once(sink: MemorySink) -> None:
    """What a feature of a taken key serves is recorded as any other exposure is."""
    twin = Feature(
        "menu", "", rules=[Rule(key="menu-test", variations=["a", "b"], weights=TREATED)]
    )
    client = Engine(FEATURES, sink=sink, strict=False).client(id="u1")

    assert [client.value(twin, ""), client.value("menu", ""), client.value(twin, "")] == [
        "b",
        {"items": 3},
        "b",
    ]
    assert exposed(sink) == ["menu-test"]


def test_an_equal_feature_is_no_twin(engine: Engine) -> None:
    """A feature that is built anew in each call, but the same, shares the answer of its key."""
    client = engine.client(id="u1")

    assert client.feature(AGAIN) is client.feature("new-search")
    assert client.feature(SEARCH) is client.feature(AGAIN)


def test_a_feature_object_is_known_where_its_key_was_not(sink: MemorySink) -> None:
    """A question for a key that nothing knows takes no value from the object asked after it."""
    client = Engine(sink=sink, strict=False).client(id="u1")

    assert client.feature("menu").source is FeatureSource.UNKNOWN
    assert client.feature(MENU).value == {"items": 3}


def test_a_new_configuration_is_compared_anew(sink: MemorySink) -> None:
    """A feature object is no twin until a configuration comes that has another of its key."""
    engine = Engine(sink=sink, strict=True)
    engine.client(id="u1").feature(BLUE)
    engine.snapshot = Engine(FEATURES, sink=sink).snapshot
    with pytest.raises(DefinitionError, match="two different features"):
        engine.client(id="u1").feature(BLUE)


def test_outcomes_count_for_the_experiments_of_an_unregistered_feature(sink: MemorySink) -> None:
    """They carry the unit that its rules randomise by, as those of a registered one do."""
    rule = Rule(variations=[0, 1], hash_attribute="company")
    client = Engine(sink=sink).client(id="u1", company="acme")
    client.feature(Feature("price", 0, rules=[rule]))
    client.track("buy")

    assert sink.outcomes[0].unit_ids == {"id": "u1", "company": "acme"}


# Long chains of prerequisites.


def chain(count: int, end: Feature[Any] | None = None) -> list[Feature[Any]]:
    """Return features that count once the next is on, each after a holdout; the last is `end`."""

    def is_on(index: int) -> Prerequisite:
        return Prerequisite(f"f{index}", {"value": True})

    holdout: Rule[Any] = Rule(
        key="holdout",
        variations=[0, 1],
        weights=TREATED,
        meta=[VariationMeta("in"), VariationMeta("out", passthrough=True)],
    )
    return [
        *(
            Feature(
                f"f{index}",
                False,
                rules=[
                    replace(holdout, key=f"holdout-{index}"),
                    Rule(
                        force=True, prerequisites=[Prerequisite(f"f{index + 1}", {"value": True})]
                    ),
                ],
            )
            for index in range(count - 1)
        ),
        end or Feature(f"f{count - 1}", True),
    ]


def within(depth: int, ask: Callable[[], Any]) -> Any:
    """Call from a stack that is deeper by some calls, as a framework's may be."""
    return within(depth - 1, ask) if depth else ask()


@pytest.mark.parametrize("count", [2, 15, 16, 17, 18, 32, 33, 34, 250, 1000, 3000])
def test_a_chain_of_prerequisites_may_be_long(sink: MemorySink, count: int) -> None:
    """Every feature of it counts, is told after what it asks for, and exposed, all once."""
    seen: list[str] = []
    engine = Engine(
        chain(count), sink=sink, on_feature_usage=lambda result, _: seen.append(result.key)
    )
    with engine.client(id="u1") as client:
        result = client.feature("f0")

    assert (result.value, result.source) == (True, FeatureSource.FORCE)
    assert seen == [f"f{index}" for index in reversed(range(count))]
    assert sorted(exposed(sink)) == sorted(f"holdout-{index}" for index in range(count - 1))


def test_a_long_chain_needs_little_of_the_stack(sink: MemorySink) -> None:
    """What serves the request may have used most of the stack already."""
    test = Experiment("test", ["a", "b"], prerequisites=[Prerequisite("f0", {"value": True})])
    engine = Engine([*chain(1000), test], sink=sink)
    depth = sys.getrecursionlimit() - len(inspect.stack()) - 150

    assert within(depth, lambda: engine.client(id="u1").value("f0", None)) is True
    assert within(depth, lambda: engine.client(id="u1").run(test)).in_experiment


@pytest.mark.parametrize("back", [0, 1, 500, 998, 999])
def test_a_long_circle_is_found(sink: MemorySink, back: int) -> None:
    """The end of a chain that asks for what waits for it has no value, and nothing above has."""
    rule = Rule(force=True, prerequisites=[Prerequisite(f"f{back}")])
    client = Engine(chain(1000, Feature("f999", False, rules=[rule])), sink=sink).client(id="u1")

    for key in ("f0", "f999"):
        assert client.feature(key).source is FeatureSource.CYCLE


def test_a_feature_may_lead_to_many_long_chains(sink: MemorySink) -> None:
    """Chains that part and meet again are each evaluated once."""
    asked = 400
    features = [
        Feature(
            f"f{index}",
            0,
            rules=[
                Rule(
                    force=1,
                    prerequisites=[
                        Prerequisite(f"f{after}", {"value": 1})
                        for after in (index + 1, index + 17, index + 40)
                        if after < asked
                    ],
                )
            ],
        )
        for index in range(asked)
    ]
    seen: list[str] = []
    engine = Engine(features, sink=sink, on_feature_usage=lambda told, _: seen.append(told.key))

    assert engine.client(id="u1").value("f0", 0) == 1
    assert sorted(seen) == sorted(feature.key for feature in features)
