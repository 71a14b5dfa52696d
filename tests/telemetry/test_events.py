"""Events of evaluations, and the counter of exposures."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Literal

import pytest
from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from abmiddleware import (
    Engine,
    Experiment,
    Feature,
    MemorySink,
    Prerequisite,
    Rule,
    Telemetry,
    VariationMeta,
)
from abmiddleware.sticky import MemoryStickyStore
from tests.telemetry.sdk import EVENT, Sdk

ONE_CLICK = ["control", "one-click"]
BUTTON = Experiment("button", ONE_CLICK, weights=[0.0, 1.0], hash_version=2)
KEY, VARIANT, REASON = (
    "feature_flag.key",
    "feature_flag.result.variant",
    "feature_flag.result.reason",
)


def engine_of(sdk: Sdk, *definitions: Any, telemetry: dict[str, Any], **options: Any) -> Engine:
    told = Telemetry(
        meter_provider=sdk.meter_provider, logger_provider=sdk.logger_provider, **telemetry
    )
    return Engine(definitions, sink=MemorySink(), strict=False, telemetry=told, **options)


def test_an_exposure_is_told_by_the_conventions(sdk: Sdk) -> None:
    """The event has their names and values, and neither the id nor the value."""
    engine_of(sdk, BUTTON, telemetry={}).client(id="u1").run("button")

    assert sdk.events() == [
        {
            "feature_flag.key": "button",
            "feature_flag.result.variant": "1",
            "feature_flag.result.reason": "split",
            "feature_flag.provider.name": "abmiddleware",
            "feature_flag.version": BUTTON.plan.config_hash,
        }
    ]


def test_the_event_belongs_to_the_trace_that_is_current(sdk: Sdk) -> None:
    """A backend shows it beside the span."""
    with sdk.tracer.start_as_current_span("work") as span:
        engine_of(sdk, BUTTON, telemetry={}).client(id="u1").run("button")

    (record,) = sdk.log_records()
    assert record.event_name == EVENT
    assert record.trace_id == span.get_span_context().trace_id
    assert record.timestamp


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"coverage": 0.0}, "default"),
        ({"condition": {"country": "NL"}}, "default"),
        ({"hash_attribute": "company"}, "default"),
        ({"prerequisites": [Prerequisite("none", {"value": True})]}, "default"),
        ({"active": False}, "disabled"),
        ({"status": "stopped"}, "disabled"),
    ],
    ids=["coverage", "condition", "no-unit", "prerequisite", "inactive", "stopped"],
)
def test_who_is_outside_is_told_and_not_counted(
    sdk: Sdk, options: dict[str, Any], reason: str
) -> None:
    """The control is served; the reason is one of the conventions'."""
    client = engine_of(sdk, Experiment("a", ONE_CLICK, **options), telemetry={}).client(id="u1")
    client.run("a")
    client.run("a")

    told = [each for each in sdk.events() if each[KEY] == "a"]
    assert [(each[VARIANT], each[REASON]) for each in told] == [("0", reason)]
    assert not [each for each in told if "error.type" in each]
    assert sdk.exposures() == {}


def test_a_namespace_is_the_set_of_the_flag(sdk: Sdk) -> None:
    """Experiments of one namespace are found together."""
    experiment = Experiment("a", ONE_CLICK, namespace=("checkout", 0, 1), hash_version=2)
    engine_of(sdk, experiment, telemetry={}).client(id="u1").run("a")

    assert [each["feature_flag.set.id"] for each in sdk.events()] == ["checkout"]


def test_a_forced_variation_is_told_and_not_counted(sdk: Sdk) -> None:
    """What QA does is seen in the log and, with a mark, on spans, but in no metric."""
    engine = engine_of(sdk, BUTTON, telemetry={}, forced_variations={"button": 0})
    with sdk.tracer.start_as_current_span("work"):
        engine.client(id="u1").run("button")

    assert [(each[VARIANT], each[REASON]) for each in sdk.events()] == [("0", "targeting_match")]
    assert sdk.exposures() == {}
    assert [dict(span.attributes or {}) for span in sdk.spans()] == [
        {"experiment.variation.button": "0", "experiment.forced": True}
    ]


def test_a_kept_variation_is_told_as_cached(sdk: Sdk) -> None:
    """It came from the sticky store."""
    named = replace(BUTTON, meta=[VariationMeta(key="a"), VariationMeta(key="b")])
    engine = engine_of(sdk, named, telemetry={}, sticky=MemoryStickyStore())
    engine.client(id="u1").run("button")
    engine.client(id="u1").run("button")

    assert [each[REASON] for each in sdk.events()] == ["split", "cached"]
    assert sdk.exposures() == {("button", "b", "split"): 1, ("button", "b", "cached"): 1}


def test_an_evaluation_that_failed_is_told_as_an_error(sdk: Sdk) -> None:
    """The conventions have a type of error for it."""

    class Broken(dict[str, object]):
        def get(self, *_: object) -> object:
            raise RuntimeError("broken")

    experiment = Experiment("a", ONE_CLICK, condition={"basket.total": 1})
    client = engine_of(sdk, experiment, telemetry={}).client(id="u1")
    client._context["basket"] = Broken()
    client.run("a")

    assert [(each[REASON], each["error.type"]) for each in sdk.events()] == [("error", "general")]


def test_each_experiment_is_told_once_by_a_client(sdk: Sdk) -> None:
    """However often, by whatever key, and from however many threads it is asked for."""
    client = engine_of(sdk, BUTTON, telemetry={}).client(id="u1")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.run("button"), range(64)))
    client.run(BUTTON)
    client.expose("button")

    assert len(sdk.events()) == 1
    assert sdk.exposures() == {("button", "1", "split"): 1}


def test_a_peek_is_told_when_it_is_shown(sdk: Sdk) -> None:
    """Assigning alone tells nothing."""
    client = engine_of(sdk, BUTTON, telemetry={}).client(id="u1")
    client.peek("button")
    assert sdk.events() == []
    assert sdk.exposures() == {}

    client.expose("button")
    assert len(sdk.events()) == 1
    assert sdk.exposures() == {("button", "1", "split"): 1}


@pytest.mark.parametrize(
    ("feature", "reason"),
    [
        (Feature("dark", False), "default"),
        (Feature("dark", False, rules=[Rule(force=True)]), "targeting_match"),
    ],
    ids=["default", "forced"],
)
def test_a_feature_is_told_without_its_value(sdk: Sdk, feature: Feature[bool], reason: str) -> None:
    """It has no variations, and values stay here."""
    client = engine_of(sdk, feature, telemetry={}).client(id="u1")
    client.is_on("dark")
    client.is_on("dark")

    assert sdk.events() == [
        {KEY: "dark", REASON: reason, "feature_flag.provider.name": "abmiddleware"}
    ]


def test_a_feature_and_the_experiment_that_it_runs_are_told_by_their_keys(sdk: Sdk) -> None:
    """The feature has the variation of the experiment."""
    rule = Rule(key="dark-test", variations=[False, True], weights=[0.0, 1.0], hash_version=2)
    engine_of(sdk, Feature("dark", False, rules=[rule]), telemetry={}).client(id="u1").is_on("dark")

    assert [(each[KEY], each[VARIANT], each[REASON]) for each in sdk.events()] == [
        ("dark-test", "1", "split"),
        ("dark", "1", "split"),
    ]
    assert sdk.exposures() == {("dark-test", "1", "split"): 1}


def test_a_feature_whose_experiment_has_its_key_is_told_once(sdk: Sdk) -> None:
    """A rule without a key of its own runs an experiment of the feature's key."""
    rule = Rule(variations=[False, True], weights=[0.0, 1.0], hash_version=2)
    engine_of(sdk, Feature("dark", False, rules=[rule]), telemetry={}).client(id="u1").is_on("dark")

    assert [(each[KEY], each[VARIANT]) for each in sdk.events()] == [("dark", "1")]


def test_a_feature_that_nothing_knows_is_told_as_not_found(sdk: Sdk) -> None:
    """A slip in a key is found by its type of error."""
    engine_of(sdk, telemetry={}).client(id="u1").is_on("drak")

    assert [(each[REASON], each["error.type"]) for each in sdk.events()] == [
        ("error", "flag_not_found")
    ]


@pytest.mark.parametrize(
    ("events", "logs", "on_span"),
    [("log", 1, 0), ("span", 0, 1), ("both", 1, 1), ("off", 0, 0)],
)
def test_events_go_where_they_are_wanted(
    sdk: Sdk, events: Literal["log", "span", "both", "off"], logs: int, on_span: int
) -> None:
    """Into the log, onto the span, both or nowhere, with the same attributes."""
    engine = engine_of(sdk, BUTTON, telemetry={"events": events})
    with sdk.tracer.start_as_current_span("work"):
        engine.client(id="u1").run("button")

    (span,) = sdk.spans()
    on_it = [(event.name, dict(event.attributes or {})) for event in span.events]
    assert (len(sdk.events()), len(on_it)) == (logs, on_span)
    assert [name for name, _ in on_it] == [EVENT] * on_span
    assert {each[KEY] for each in [*sdk.events(), *(told for _, told in on_it)]} <= {"button"}


def test_a_span_attribute_may_have_another_name(sdk: Sdk) -> None:
    """Some backends look for one of their own."""
    engine = engine_of(sdk, BUTTON, telemetry={"span_attribute": "flag.evaluation.{key}"})
    with sdk.tracer.start_as_current_span("work"):
        engine.client(id="u1").run("button")

    assert [dict(span.attributes or {}) for span in sdk.spans()] == [
        {"flag.evaluation.button": "1"}
    ]


def test_what_is_not_wanted_is_not_told(sdk: Sdk) -> None:
    """Spans, events and the counter can each be left out; records keep the id of the trace."""
    off = {"span_attribute": None, "events": "off", "counter": False}
    engine = engine_of(sdk, BUTTON, telemetry=off)
    with sdk.tracer.start_as_current_span("work") as span:
        engine.client(id="u1").run("button")

    assert sdk.events() == []
    assert sdk.exposures() == {}
    assert [dict(each.attributes or {}) for each in sdk.spans()] == [{}]
    assert isinstance(engine.sink, MemorySink)
    trace_id = format(span.get_span_context().trace_id, "032x")
    assert [each.trace_id for each in engine.sink.exposures] == [trace_id]


def test_an_engine_without_telemetry_tells_nothing(sdk: Sdk) -> None:
    """Neither its records nor spans know of the other."""
    engine = Engine([BUTTON], sink=(sink := MemorySink()), telemetry=False)
    with sdk.tracer.start_as_current_span("work"):
        engine.client(id="u1").run("button")

    assert [dict(span.attributes or {}) for span in sdk.spans()] == [{}]
    assert [each.trace_id for each in sink.exposures] == [None]
    assert engine.telemetry_lost == {}


def test_a_trace_that_is_not_sampled_still_has_an_id(sink: MemorySink) -> None:
    """Logs of the same request have it, too."""
    sdk = Sdk(ALWAYS_OFF)
    engine = Engine([BUTTON], sink=sink)
    with sdk.tracer.start_as_current_span("work") as span:
        engine.client(id="u1").run("button")

    assert [each.trace_id for each in sink.exposures] == [
        format(span.get_span_context().trace_id, "032x")
    ]


IDS = ["u1", 42, "caf\u00e9", "half \ud800"]


@pytest.mark.parametrize("unit", IDS, ids=["text", "number", "unicode", "half-pair"])
def test_ids_are_hashed_with_a_secret(sdk: Sdk, unit: object) -> None:
    """The same id has one hash, which depends on the secret, and shows nothing of the id."""
    for secret in ("a secret of 22 bytes..", "another secret of 30 bytes...."):
        for _ in range(2):
            engine = engine_of(sdk, BUTTON, telemetry={"ids": "hashed", "ids_key": secret})
            engine.client(id=unit).run("button")

    first, again, other, _ = (each["feature_flag.context.id"] for each in sdk.events())
    assert first == again != other
    assert len(first) == 32
    assert int(first, 16)


def test_ids_are_told_as_they_are_where_that_is_chosen(sdk: Sdk) -> None:
    """Events have them; spans and metrics never do."""
    engine = engine_of(sdk, BUTTON, telemetry={"ids": "raw", "events": "log"})
    with sdk.tracer.start_as_current_span("work"):
        engine.client(id="visitor-1").run("button")

    assert [each["feature_flag.context.id"] for each in sdk.events()] == ["visitor-1"]
    assert "visitor-1" not in repr([dict(span.attributes or {}) for span in sdk.spans()])
    assert "visitor-1" not in repr(sdk.points("experiment.exposures"))


class Failing(LogRecordProcessor):
    """A processor as somebody may write it."""

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        raise RuntimeError("broken")

    def shutdown(self) -> None:
        """Do nothing."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


def test_a_processor_that_raises_breaks_no_request(
    sdk: Sdk, caplog: pytest.LogCaptureFixture
) -> None:
    """What was not told is counted and logged; the rest is told."""
    sdk.logger_provider.add_log_record_processor(Failing())
    engine = engine_of(sdk, BUTTON, telemetry={})
    with sdk.tracer.start_as_current_span("work"), caplog.at_level(logging.WARNING):
        assert engine.client(id="u1").run("button").value == "one-click"

    assert engine.telemetry_lost == {"failed": 1}
    assert "OpenTelemetry was not told: RuntimeError('broken')" in caplog.text
    assert sdk.exposures() == {("button", "1", "split"): 1}
    assert isinstance(engine.sink, MemorySink)
    assert [bool(each.trace_id) for each in engine.sink.exposures] == [True]
