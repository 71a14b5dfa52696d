"""Variations on the span of the server, in every framework and every way of tracing it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from opentelemetry.trace import SpanKind, use_span

from abmiddleware import Engine, MemorySink, Telemetry
from tests.request_facts import Page
from tests.telemetry.sdk import Sdk
from tests.telemetry.sites import NAMES, Visit, site

ATTRIBUTE = "experiment.variation.checkout-button"
#: Where the span of the server is there when a request comes to our middleware.
OUTSIDE = [
    "django-wsgi contrib",
    "django-asgi contrib",
    "starlette contrib outside",
    "starlette native outside",
    "fastapi contrib first",
    "fastapi contrib last",
    "fastapi native",
]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def visit(name: str, engine: Engine, sdk: Sdk, telemetry: Telemetry) -> Iterator[Visit]:
    with site(name, engine, sdk, telemetry.by_variation(sdk.meter_provider)) as made:
        yield made


@pytest.mark.parametrize("view", ["run", "child"])
def test_the_span_of_the_server_has_the_variation(visit: Visit, sdk: Sdk, view: str) -> None:
    """It does whether or not the view has opened a span of its own."""
    assert visit(view) == "one-click"
    assert sdk.server_span()[ATTRIBUTE] == "1"


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_other_span_has_it_where_the_span_of_the_server_is_there_first(
    visit: Visit, sdk: Sdk
) -> None:
    """The view's own spans, and those of the framework, are as without us."""
    visit("child")

    having = [span.kind for span in sdk.spans() if ATTRIBUTE in (span.attributes or {})]
    assert having == [SpanKind.SERVER]


@pytest.mark.parametrize("name", [name for name in OUTSIDE if name.startswith(("st", "fa"))])
def test_a_stream_can_still_show_a_variation_where_the_span_lasts_as_long(
    visit: Visit, sdk: Sdk
) -> None:
    """With ASGI the span of the server ends with the body."""
    visit("stream")

    assert sdk.server_span()[ATTRIBUTE] == "1"


@pytest.mark.parametrize("is_entered", [True, False], ids=["at-entry", "in-the-view"])
def test_a_span_that_has_ended_is_left_alone(
    is_entered: bool, engine: Engine, sdk: Sdk, caplog: pytest.LogCaptureFixture
) -> None:
    """An SDK would warn of each attribute that is set too late."""
    span = sdk.tracer.start_span("request")
    span.end()
    with ExitStack() as stack:
        stack.enter_context(caplog.at_level(logging.INFO, "opentelemetry"))
        if is_entered:
            stack.enter_context(use_span(span))
        client = engine.request_client(Page())
        if not is_entered:
            stack.enter_context(use_span(span))
        assert client.run("checkout-button").in_experiment
        client.response_starts()

    assert caplog.records == []
    assert [dict(each.attributes or {}) for each in sdk.spans()] == [{}]


def test_a_request_that_asks_nothing_has_no_attribute(visit: Visit, sdk: Sdk) -> None:
    """Its span is as without us."""
    visit("quiet")

    assert not [name for name in sdk.server_span() if name.startswith("experiment.")]


def test_attributes_of_the_request_survive_200_experiments(
    visit: Visit, sdk: Sdk, engine: Engine
) -> None:
    """32 variations are on the span, which tells how many are not."""
    visit("many")

    told = sdk.server_span()
    shown = [name for name in told if name.startswith("experiment.variation.")]
    assert len(shown) == 32
    assert told["experiment.variations.left_out"] == 169
    assert engine.telemetry_lost == {"span attributes": 169}
    assert {"http.request.method", "http.method"} & told.keys()


def test_records_have_the_id_of_the_trace(visit: Visit, sdk: Sdk, sink: MemorySink) -> None:
    """It leads from an exposure to what the request did."""
    visit("run")

    (exposure,) = sink.exposures
    (trace_id,) = {format(span.context.trace_id, "032x") for span in sdk.spans() if span.context}
    assert exposure.trace_id == trace_id


def test_a_stream_that_asks_says_nothing_in_the_log(
    visit: Visit, sdk: Sdk, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """In some frameworks the span has ended by then; the event and the counter still tell."""
    with caplog.at_level(logging.INFO, "opentelemetry"):
        assert visit("stream") == "aone-click"

    assert caplog.records == []
    assert len(sink.exposures) == len(sdk.events()) == 1
    assert sdk.exposures() == {("checkout-button", "1", "split"): 1}


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("st", "fa"))])
def test_a_background_task_that_asks_says_nothing_in_the_log(
    visit: Visit, sdk: Sdk, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """The span has ended when it runs, or is about to."""
    with caplog.at_level(logging.INFO, "opentelemetry"):
        assert visit("background") == "soon"

    assert caplog.records == []
    assert len(sink.exposures) == len(sdk.events()) == 1
