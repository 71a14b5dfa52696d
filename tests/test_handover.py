"""A task that goes on with a request's work has its ids and answers, and records nothing twice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abmiddleware import (
    Engine,
    Experiment,
    Feature,
    HandoverError,
    MemorySink,
    Overrides,
    Rule,
)
from abmiddleware.client import ExperimentClient
from tests.recorded import of_units
from tests.request_facts import Page

BUTTON = Experiment("button", ["red", "green"], hash_version=2)
TERMS = Experiment("terms", [0, 30], hash_version=2)
FLAG = Feature("flag", "off", rules=[Rule(variations=["x", "y"], key="by-flag", hash_version=2)])


@pytest.fixture
def engine(sink: MemorySink) -> Engine:
    return Engine([BUTTON, TERMS, FLAG], sink=sink, attributes={"country": lambda _: "NL"})


def queued(client: ExperimentClient, *names: str) -> Any:
    """Return what a worker gets, by way of a queue."""
    return json.loads(json.dumps(client.to_dict(*names)))


def test_a_task_has_the_ids_and_answers_of_the_request(engine: Engine, sink: MemorySink) -> None:
    """And exposes what the request did not."""
    client = engine.request_client(Page())
    client.identify(user_id=7, plan="pro")
    shown = client.run("button"), client.feature("flag"), client.peek("terms")
    data = queued(client)
    client.flush()
    exposed = [one.experiment_key for one in sink.exposures]
    assert exposed == ["button", "by-flag"]

    task = engine.client_from(data)
    again = task.run("button"), task.feature("flag"), task.run("terms")
    task.track("invoice", 9.5)

    assert [one.value for one in again] == [one.value for one in shown]
    assert again[0] == shown[0]
    assert again[2] == shown[2]
    assert [one.experiment_key for one in sink.exposures] == [*exposed, "terms"]
    assert len({one.unit_id for one in sink.exposures}) == 1
    assert sink.outcomes[0].unit_ids["id"] == sink.exposures[0].unit_id
    assert data["attributes"]["plan"] == "pro"
    assert "country" not in data["attributes"]  # which nothing has asked for
    assert queued(client, "country")["attributes"]["country"] == "NL"


def test_a_new_visitor_gets_an_id_for_the_task(engine: Engine) -> None:
    """And the cookie, so that the next page has the same."""
    client = engine.request_client(Page())
    data = queued(client)
    client.response_starts()

    (cookie,) = client.cookies()
    assert cookie.value.split(".")[0] == data["attributes"]["id"]
    assert engine.client_from(data).run("button").in_experiment


def test_answers_outlast_a_change_of_the_configuration(engine: Engine, sink: MemorySink) -> None:
    """What the visitor saw counts, and an object is decided as it was."""
    later = Engine([Experiment("button", ["red", "green"], weights=[0.0, 1.0])], sink=sink)
    gone = Engine(sink=sink)
    seen = set()
    for number in range(20):
        client = engine.client(id=f"u{number}")
        shown = client.run("button").value
        seen.add(shown)
        assert later.client_from(queued(client)).run("button").value == shown
        assert gone.client_from(queued(client)).run(BUTTON).value == shown

    assert seen == {"red", "green"}


def test_a_variation_that_is_gone_is_decided_anew(sink: MemorySink) -> None:
    """As for anybody who comes now."""
    wide = Engine([Experiment("sizes", ["s", "m", "l"], weights=[0.0, 0.0, 1.0])], sink=sink)
    narrow = Engine([Experiment("sizes", ["s", "m"], weights=[0.0, 1.0])], sink=sink)
    client = wide.client(id="u1")

    assert client.run("sizes").value == "l"
    assert narrow.client_from(queued(client)).run("sizes").value == "m"


def test_what_a_request_must_not_record_a_task_does_not() -> None:
    """Of bots, without consent, and of those who look at a variation."""
    sink, overrides = MemorySink(), Overrides("s" * 32)
    engine = Engine(
        [BUTTON, TERMS], sink=sink, overrides=overrides, consent=lambda request: request != "none"
    )
    pages = [
        (Page(headers={"user-agent": "bingbot/2.0"}), "excluded", "red"),
        (Page(request="none"), "no_consent", "red"),
        (Page(headers={"ab-override": overrides.token({"button": "1"})}), "override", "green"),
    ]
    for page, reason, shown in pages:
        task = engine.client_from(queued(engine.request_client(page)))
        assert task.suppressed == reason
        assert task.run("button").value == shown
        task.run("terms")
        task.track("invoice")

    assert of_units(sink) == []


def test_only_json_of_a_bounded_length_is_handed_over(engine: Engine) -> None:
    """Ids of any type are the text that they are recorded by."""
    client = engine.client(id="u1")
    client.identify(big="x" * 20_000, thing=object(), tags=("a", "b"))
    client.run("button")

    assert queued(client)["attributes"] == {"id": "u1", "tags": ["a", "b"]}


def test_a_feature_that_is_no_json_is_evaluated_anew(sink: MemorySink) -> None:
    """Its value may be any object of Python."""
    engine = Engine([Feature("model", object)], sink=sink)
    client = engine.client(id="u1")
    client.feature("model")

    assert engine.client_from(queued(client)).value("model", None) is object


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (None, "Expected `object`, got `null`"),
        ({"v": 2}, "is of version 2, must be 1: update this process"),
        ({"v": 1, "experiments": {"button": {}}}, "missing required field `variation_id`"),
        ({"v": 1, "attributes": []}, "Expected `object`, got `array` - at `$.attributes`"),
    ],
    ids=["nothing", "version", "result", "attributes"],
)
def test_what_is_no_handover_is_told(
    sink: MemorySink, caplog: pytest.LogCaptureFixture, data: Any, problem: str
) -> None:
    """By an error in tests; in production by the log, and nobody asks."""
    with pytest.raises(HandoverError) as error:
        Engine([BUTTON], sink=sink, strict=True).client_from(data)
    assert problem in str(error.value)

    task = Engine([BUTTON], sink=sink, strict=False).client_from(data)
    assert task.run("button").value == "red"
    assert problem in caplog.text
    assert sink.records == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
RESULTS = st.fixed_dictionaries(
    {
        "variation_id": st.integers(-3, 9),
        "in_experiment": st.booleans(),
        "reason": st.just("split"),
    },
    optional={"hash_value": JSON, "hash_used": st.booleans(), "exposed": st.booleans()},
)
DATA = JSON | st.fixed_dictionaries(
    {"v": st.just(1)},
    optional={
        "attributes": st.dictionaries(st.sampled_from(["id", "user_id", "x"]), JSON),
        "experiments": st.dictionaries(st.sampled_from(["button", "terms", "none"]), RESULTS),
        "suppressed": st.sampled_from(["", "override", "no_consent", "nonsense"]),
        "override": st.dictionaries(st.sampled_from(["button", "flag"]), st.text(max_size=3)),
    },
)


@given(DATA)
def test_no_data_breaks_a_task(data: Any) -> None:
    """Whatever a queue holds."""
    engine = Engine([BUTTON, TERMS, FLAG], sink=MemorySink(), strict=False)
    task = engine.client_from(data)

    assert task.run("button").value in ("red", "green")
    assert task.run("terms").value in (0, 30)
    task.feature("flag")
    task.track("invoice", 1.0)
    assert engine.health().lost.keys() <= {"outcome invalid"}


@pytest.mark.parametrize("value", ["\ud800", {"a": "\udfff"}, "x" * 20_000])
def test_an_attribute_that_json_cannot_hold_is_left_out(engine: Engine, value: object) -> None:
    """And breaks nothing."""
    client = engine.request_client(Page())
    client.identify(odd=value, plan="pro")
    client.run("button")

    assert set(queued(client)["attributes"]) == {"id", "plan"}
    assert set(client.bootstrap("odd", "plan")["attributes"]) == {"id", "plan"}


def test_a_browser_gets_what_json_can_hold(engine: Engine) -> None:
    """A value that has no such form is null, and an exposure of an odd unit is left out."""
    client = engine.request_client(Page())
    client.identify(company="\ud800", score=float("nan"))
    client.run(Experiment("model", ["old", object()], weights=[0, 1], hash_version=2))
    client.run(Experiment("plan", ["a", "b"], hash_attribute="company"))
    state = client.bootstrap("score")

    (call,) = state["deferredTrackingCalls"]
    assert call["experiment"]["variations"] == ["old", None]
    assert call["result"]["value"] is None
    assert state["attributes"].get("score") is None
    assert json.loads(json.dumps(state, allow_nan=False)) == state


def test_a_task_that_no_request_queued_is_nobodys(engine: Engine, sink: MemorySink) -> None:
    """It serves the control, and records nothing."""

    class Request:
        headers = None

    for request in (Request(), object(), {}, None):
        assert engine.client_of_task(request).run("button").value == "red"
    assert sink.exposures == []


def test_headers_of_a_task_bring_its_client(engine: Engine) -> None:
    """Of a request of Celery, or as any queue holds headers."""
    client = engine.client(id="u1")
    shown = client.run("button")
    headers = json.loads(json.dumps(client.task_headers()))

    assert engine.client_of_task(headers).run("button") == shown
    with pytest.raises(HandoverError):
        engine.client_of_task({"abmiddleware": "something else"})
