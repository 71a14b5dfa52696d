"""Variations on the duration metric of the server."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from abmiddleware import Engine, MemorySink, Telemetry
from tests.telemetry.sdk import Sdk
from tests.telemetry.sites import NAMES, site
from tests.telemetry.views import EXPERIMENTS

ATTRIBUTE = "experiment.variation.checkout-button"
DURATIONS = ("http.server.request.duration", "http.server.duration")
#: Starlette's own middleware measures nothing.
MEASURED = [name for name in NAMES if not name.startswith("starlette native")]


def points(sdk: Sdk) -> list[tuple[dict[str, Any], Any]]:
    return sdk.points(*DURATIONS)


@pytest.mark.parametrize("view", ["run", "child"])
@pytest.mark.parametrize("name", MEASURED)
def test_the_duration_of_a_request_tells_the_variations_asked_for(
    name: str, view: str, engine: Engine, sdk: Sdk, telemetry: Telemetry
) -> None:
    """A guardrail is read from the metric: its other attributes and points are as without us."""
    with site(name, engine, sdk, telemetry.by_variation(sdk.meter_provider)) as visit:
        visit(view)
        visit("quiet")

    told = [attributes.get(ATTRIBUTE) for attributes, point in points(sdk) if point.count == 1]
    assert sorted(told, key=str) == ["1", None]
    assert all({"http.request.method", "http.method"} & each.keys() for each, _ in points(sdk))


@pytest.mark.parametrize("name", MEASURED)
def test_experiments_that_were_not_asked_for_stay_away_from_it(
    name: str, engine: Engine, sdk: Sdk, telemetry: Telemetry
) -> None:
    """200 experiments in a request leave one attribute, so that no series is lost."""
    with site(name, engine, sdk, telemetry.by_variation(sdk.meter_provider)) as visit:
        visit("many")

    ((attributes, _),) = points(sdk)
    assert [name for name in attributes if name.startswith("experiment.")] == [ATTRIBUTE]


@pytest.mark.parametrize("view", ["run", "child"])
@pytest.mark.parametrize("name", MEASURED)
def test_requests_that_are_not_sampled_are_measured_by_variation_too(
    name: str, view: str, sink: MemorySink
) -> None:
    """The metric speaks of all requests, whatever the share of traces that is kept."""
    sdk = Sdk(ALWAYS_OFF)
    telemetry = Telemetry(meter_provider=sdk.meter_provider, durations=["checkout-button"])
    engine = Engine(EXPERIMENTS, sink=sink, telemetry=telemetry)
    with site(name, engine, sdk, telemetry.by_variation(sdk.meter_provider)) as visit:
        visit(view)

    assert sdk.spans() == []
    assert [attributes.get(ATTRIBUTE) for attributes, _ in points(sdk)] == ["1"]


def test_other_metrics_are_measured_as_without_us(sdk: Sdk, telemetry: Telemetry) -> None:
    """The provider hands out the instruments of the one around which it is."""
    meter = telemetry.by_variation(sdk.meter_provider).get_meter("shop", "1.0")
    meter.create_counter("orders").add(2, {"country": "NL"})
    meter.create_histogram("basket.size", unit="{item}").record(3)

    assert [(told, point.value) for told, point in sdk.points("orders")] == [({"country": "NL"}, 2)]
    assert [(told, point.sum) for told, point in sdk.points("basket.size")] == [({}, 3)]


def test_attributes_of_the_instrumentation_come_first(sdk: Sdk) -> None:
    """Where both have one, the instrumentation's stays."""
    telemetry = Telemetry(span_attribute="{key}", durations=["checkout-button"])
    meter = telemetry.by_variation(sdk.meter_provider).get_meter("shop")
    engine = Engine(EXPERIMENTS, sink=MemorySink(), telemetry=telemetry)
    with sdk.tracer.start_as_current_span("request"):
        engine.client(id="u1").run("checkout-button")
        duration = meter.create_histogram("http.server.request.duration")
        duration.record(0.1, {"checkout-button": "mine"})
        duration.record(0.1)

    assert [told["checkout-button"] for told, _ in points(sdk)] == ["mine", "1"]


def test_nothing_is_kept_of_a_request_that_is_over(sdk: Sdk, telemetry: Telemetry) -> None:
    """The variations are known as long as the span of the request is."""
    span = sdk.tracer.start_span("request")
    telemetry.measured.note(span, "checkout-button", "1")
    assert telemetry.measured.of(span) == {ATTRIBUTE: "1"}

    held = weakref.ref(span)
    del span
    gc.collect()
    assert held() is None


def test_requests_without_a_span_do_not_share_their_variations(telemetry: Telemetry) -> None:
    """The span of no trace is one object for all."""
    telemetry.measured.note(trace.INVALID_SPAN, "checkout-button", "1")

    assert telemetry.measured.of(trace.INVALID_SPAN) is None
