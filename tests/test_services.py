"""One service tells the next what it shows, so that a visitor meets one variation in both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import baggage
from opentelemetry.propagate import inject

from abmiddleware import (
    Baggage,
    ConfigurationError,
    Engine,
    Experiment,
    Feature,
    MemorySink,
    Overrides,
    Rule,
    UnknownExperimentError,
    VariationMeta,
)
from tests.request_facts import Page

OFFER = Experiment("offer", ["none", "ten"], hash_version=2)
COLOUR = Experiment(
    "colour",
    [0, 1, 2],
    hash_version=2,
    meta=[VariationMeta(key=key) for key in ("r d", "gr=n", "bl,e;ü")],
)
NOBODY = Experiment("nobody", ["off", "on"], coverage=0.0)
FLAG = Feature("flag", "off", rules=[Rule(key="by-flag", variations=["x", "y"], hash_version=2)])
ALL: list[Experiment[Any] | Feature[Any]] = [OFFER, COLOUR, NOBODY, FLAG]
KEYS = ["offer", "colour", "nobody", "by-flag"]

#: Makes the engine of the service that is called.
Callee = Callable[..., Engine]


@pytest.fixture
def caller() -> Engine:
    return Engine(ALL, sink=MemorySink())


@pytest.fixture
def callee(sink: MemorySink) -> Callee:
    def make(trusted: bool = True, **options: Any) -> Engine:
        taken = Baggage(KEYS, trusted=lambda _: trusted)
        return Engine(ALL, sink=sink, baggage=taken, **options)

    return make


def page(headers: Mapping[str, str]) -> Page:
    return Page("https://pricing.internal/price", headers=headers)


def test_the_next_service_shows_the_same_and_records_nothing(
    caller: Engine, callee: Callee, sink: MemorySink
) -> None:
    """Though it knows another visitor, or none."""
    for number in range(20):
        client = caller.client(id=f"u{number}")
        shown = client.feature("flag").value
        headers = client.headers([OFFER, "colour", "nobody", "by-flag"])
        called = callee().request_client(page(headers))

        assert called.run("offer").value == client.run("offer").value
        assert called.run(COLOUR).value == client.run(COLOUR).value
        assert called.feature("flag").value == shown
        assert called.run("offer").reason == "forced"
        called.flush()
    assert sink.exposures == []


def test_the_caller_records_what_it_tells_of_once(caller: Engine) -> None:
    """To tell the next service of a variation is to use it."""
    client = caller.client(id="u1")
    client.peek(OFFER)
    client.headers([OFFER])
    client.headers([OFFER])
    client.run(OFFER)

    sink = caller.sink
    assert isinstance(sink, MemorySink)
    assert [one.experiment_key for one in sink.exposures] == ["offer"]


def test_the_headers_hold_named_variations_and_no_id(caller: Engine) -> None:
    """Nor anything of who is outside of an experiment; nor other baggage."""
    client = caller.client(id="u1")
    client.run(COLOUR)
    index = client.run(OFFER).variation_id

    assert client.headers(["offer", "nobody"]) == {"baggage": f"experiment.variation.offer={index}"}
    assert client.headers(["nobody"]) == {}
    assert client.headers([]) == {}


def test_an_unknown_key_is_told(caller: Engine) -> None:
    """As by `run`."""
    with pytest.raises(UnknownExperimentError):
        caller.client(id="u1").headers(["offr"])


def test_instrumented_calls_carry_it_within(caller: Engine, callee: Callee) -> None:
    """Beside what is in the baggage already, and no call afterwards does."""
    client = caller.client(id="u1")
    headers: dict[str, str] = {}
    with client.baggage([OFFER]):
        inject(headers)
    assert callee().request_client(page(headers)).run(OFFER).value == client.run(OFFER).value
    assert not baggage.get_all()


@pytest.mark.parametrize("number", range(4))
def test_a_stranger_decides_nothing(callee: Callee, sink: MemorySink, number: int) -> None:
    """Nor does a header of an experiment that is not accepted."""
    headers = {"baggage": f"experiment.variation.offer={number % 2}"}
    for engine in (callee(trusted=False), Engine(ALL, sink=sink), _accepting(["colour"], sink)):
        called = engine.request_client(page(headers))
        called.identify(id=f"u{number}")
        result = called.run(OFFER)
        called.flush()

        assert result.reason == "split"
        assert result.value == engine.client(id=f"u{number}").run(OFFER).value


def test_the_log_holds_no_stranger_s_header(
    callee: Callee, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor one that is longer than baggage may be."""
    for trusted, header in ((False, "experiment.variation.offer,x"), (True, "a=b," * 9_000)):
        told = {"baggage": f"experiment.variation.offer=1,{header}"}
        callee(trusted).request_client(page(told)).run(OFFER)

    assert caplog.text == ""


def _accepting(keys: list[str], sink: MemorySink) -> Engine:
    return Engine(ALL, sink=sink, baggage=Baggage(keys, trusted=lambda _: True))


def test_an_override_comes_first_and_consent_before_all(callee: Callee) -> None:
    """What a tester asks for is shown, and of who gave no consent nothing is taken over."""
    secret = "0123456789abcdef0123456789abcdef"  # noqa: S105  # of a test
    headers = {"baggage": "experiment.variation.offer=1"}
    overrides = Overrides(secret)
    asked = {**headers, "ab-override": overrides.token({"offer": "none"})}

    assert callee(overrides=overrides).request_client(page(asked)).run(OFFER).value == "none"
    assert callee(consent=lambda _: False).request_client(page(headers)).run(OFFER).value == "none"
    assert callee(consent=lambda _: True).request_client(page(headers)).run(OFFER).value == "ten"


def test_a_variation_that_is_not_there_serves_the_control(
    callee: Callee, caplog: pytest.LogCaptureFixture
) -> None:
    """As where the services have different configurations."""
    called = callee().request_client(page({"baggage": "experiment.variation.offer=7"}))

    assert called.run(OFFER).value == "none"
    assert "no such variation" in caplog.text


@given(header=st.text(max_size=200) | st.just("experiment.variation.offer=") | st.just("," * 9000))
def test_no_header_breaks_a_request(header: str) -> None:
    """Whatever it holds."""
    engine = _accepting(KEYS, MemorySink())
    for text in (header, f"experiment.variation.offer={header}", f"experiment.variation.{header}"):
        assert engine.request_client(page({"baggage": text})).run(OFFER).value in ("none", "ten")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("offer", lambda _: True), "baggage.accept: is 'offer'"),
        ((["offer", 1], lambda _: True), r"baggage.accept\[1\]: is 1"),
        ((["offer"], None), "baggage.trusted: is None"),
        ((["offer"], "yes"), "baggage.trusted: is 'yes'"),
    ],
)
def test_what_is_wrong_is_told_at_once(arguments: tuple[Any, Any], problem: str) -> None:
    """With the place and what must be there."""
    with pytest.raises(ConfigurationError, match=problem):
        Baggage(*arguments)


def test_the_engine_takes_baggage_only() -> None:
    """A list of keys says nothing of whom to trust."""
    with pytest.raises(ConfigurationError, match="baggage: is"):
        Engine(baggage=["offer"])  # type: ignore[arg-type]


def test_one_experiment_needs_no_list(caller: Engine) -> None:
    """A key is not taken letter by letter."""
    client = caller.client(id="u1")

    assert client.headers("offer") == client.headers(["offer"]) == client.headers(OFFER) != {}
    with pytest.raises(ConfigurationError, match=r"bootstrap\[0\]: is \['plan'\]"):
        client.bootstrap(["plan"])  # type: ignore[arg-type]
