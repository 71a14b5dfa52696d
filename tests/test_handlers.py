"""How handlers are given a variation, and are named after one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from abmiddleware import (
    ConfigurationError,
    Engine,
    Experiment,
    MemorySink,
    UnknownExperimentError,
    VariationMeta,
)
from abmiddleware.evaluation.document import document_of
from abmiddleware.handlers import Framework, dispatching, injecting
from abmiddleware.snapshot import Snapshot
from abmiddleware.sticky import MemoryStickyStore, StickyDocument

BUTTON = Experiment("button", ["control", "one-click"], hash_version=2)
PRICE = Experiment("price", [9.99, 11.99], hash_version=2)
DAYS = Experiment("days", ["now", "30-days"], hash_version=2)
META = [VariationMeta(key="off"), VariationMeta(key="loud!", name="On")]
NAMED = Experiment("named", [False, True], meta=META, hash_version=2)
SWAPPED = Experiment("swapped", ["treatment", "control"], hash_version=2)
ALIKE = Experiment("alike", ["control", "one-click", "one.click"], hash_version=2)
THREE = Experiment("button", ["control", "one-click", "hidden"], hash_version=2)

CALLED = Framework(lambda args, _: args[0])


def handler_of(name: str) -> Callable[..., Any]:
    return lambda _: name


def decorated(asked: Any, *names: str) -> Callable[..., Any]:
    handlers = {name: handler_of(name) for name in names}
    return dispatching(CALLED, asked, handlers)(handler_of("decorated"))


@pytest.mark.parametrize(
    ("asked", "index", "names", "serves"),
    [
        pytest.param(BUTTON, 0, ["one_click"], "decorated", id="control"),
        pytest.param(BUTTON, 1, ["one_click"], "one_click", id="value-as-keyword"),
        pytest.param(BUTTON, 1, ["one-click"], "one-click", id="value"),
        pytest.param(BUTTON, 0, ["control", "one_click"], "control", id="control-by-value"),
        pytest.param(DAYS, 1, ["_30_days"], "_30_days", id="value-with-digits"),
        pytest.param(DAYS, 0, ["control", "_1"], "control", id="control-of-another-value"),
        pytest.param(PRICE, 1, ["_1"], "_1", id="index"),
        pytest.param(NAMED, 1, ["loud_"], "loud_", id="key"),
        pytest.param(NAMED, 0, ["off", "1"], "off", id="key-of-the-control"),
        pytest.param(SWAPPED, 1, ["control"], "control", id="a-value-before-the-rule"),
        pytest.param(SWAPPED, 0, ["control"], "decorated", id="the-first-is-the-decorated"),
        pytest.param(ALIKE, 2, ["one-click", "one.click"], "one.click", id="told-apart"),
    ],
)
@pytest.mark.parametrize("by_key", [False, True], ids=["object", "key"])
def test_a_handler_is_named_after_its_variation(
    asked: Experiment[Any], index: int, names: Sequence[str], serves: str, by_key: bool
) -> None:
    """By its key, or its value that is a text, or its index; the first is `control`."""
    engine = Engine([asked], sink=MemorySink(), forced_variations={asked.key: index})
    handler = decorated(asked.key if by_key else asked, *names)

    assert handler(engine.client(id="u1")) == serves


@pytest.mark.parametrize(
    ("asked", "names", "told"),
    [
        pytest.param(BUTTON, ["oneclick"], "oneclick is no variation", id="unknown"),
        pytest.param(BUTTON, ["control"], "variation 'one-click' has none", id="missing"),
        pytest.param(THREE, ["one_click"], "variation 'hidden' has none", id="one-missing"),
        pytest.param(PRICE, ["high"], "must be one for each of 'control', '1'", id="no-names"),
        pytest.param(BUTTON, ["one_click", "_1"], "variation 1, which has another", id="twice"),
        pytest.param(ALIKE, ["one_click"], "may be variations 1 and 2", id="ambiguous"),
        pytest.param(NAMED, ["True"], "must be one for each of 'off', 'loud!'", id="no-text"),
    ],
)
def test_handlers_that_do_not_fit_are_refused(
    asked: Experiment[Any], names: Sequence[str], told: str
) -> None:
    """An experiment's handlers are checked when they are decorated, those of a key when asked."""
    with pytest.raises(ConfigurationError, match=f"^@variations: .*{told}"):
        decorated(asked, *names)

    handler = decorated(asked.key, *names)
    with pytest.raises(ConfigurationError, match=f"^@variations: .*{told}"):
        handler(Engine([asked], sink=MemorySink()).client(id="u1"))


def test_a_variation_that_comes_later_serves_the_control(caplog: pytest.LogCaptureFixture) -> None:
    """In production who gets one without a handler is served the control and is not exposed."""
    sink = MemorySink()
    engine = Engine([BUTTON], sink=sink, strict=False)
    handler = decorated("button", "one_click")
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        before = [handler(engine.client(id=f"u{number}")) for number in range(30)]
        engine.snapshot = Snapshot.of([document_of([THREE])])
        after = [handler(engine.client(id=f"u{number}")) for number in range(60)]

    exposed = sink.exposures[30:]
    assert set(before) == set(after) == {"decorated", "one_click"}
    assert len(sink.exposures) > 30
    assert {each.variation_id for each in exposed} == {0, 1}
    assert len(exposed) < 60
    assert caplog.text.count("variation 'hidden' has none") == 1


def test_the_decorated_handler_only_lends_its_name_where_control_has_another() -> None:
    """With a handler for each variation the decorated one serves nobody, known key or not."""
    engine = Engine([BUTTON], sink=MemorySink(), strict=False)
    handlers = {"control": handler_of("control"), "one_click": handler_of("one_click")}
    for key in ("button", "nonsense"):
        handler = dispatching(CALLED, key, handlers)(handler_of("decorated"))
        served = {handler(engine.client(id=f"u{number}")) for number in range(30)}

        assert served == ({"control", "one_click"} if key == "button" else {"control"})


@pytest.mark.parametrize("asked", [None, 5, BUTTON.plan], ids=["none", "number", "plan"])
def test_what_is_no_experiment_is_refused(asked: Any) -> None:
    """A decorator that is given something else says so when the module is imported."""
    with pytest.raises(ConfigurationError, match="must be given an experiment or its key"):
        decorated(asked, "one_click")
    with pytest.raises(ConfigurationError, match="must be given an experiment or its key"):
        injecting(CALLED, asked, "variation")


def test_handlers_must_be_there_and_callable() -> None:
    """A dispatch without handlers, or to what is none, is refused."""
    with pytest.raises(ConfigurationError, match="has no handlers, must name those"):
        decorated(BUTTON)
    with pytest.raises(ConfigurationError, match="one_click is 'view', must be a function"):
        dispatching(CALLED, BUTTON, {"one_click": "view"})  # type: ignore[dict-item]


@pytest.mark.parametrize("decorated", [Engine, "view"], ids=["class", "text"])
def test_what_handles_no_request_is_refused(decorated: Any) -> None:
    """A class is decorated on its methods."""
    for decorate in (
        injecting(CALLED, BUTTON, "variation"),
        dispatching(CALLED, BUTTON, {"one_click": handler_of("one_click")}),
    ):
        with pytest.raises(ConfigurationError, match="must stand on a function or method"):
            decorate(decorated)


def test_a_handler_must_take_the_value() -> None:
    """A handler without the parameter is refused, as is one whose parameter is filled already."""

    def bare(client: object) -> str:
        return "bare"

    def shown(client: object, variation: str) -> str:
        return variation

    with pytest.raises(ConfigurationError, match="bare has no parameter 'variation'"):
        injecting(CALLED, BUTTON, "variation")(bare)
    inner = injecting(CALLED, BUTTON, "variation")(shown)
    with pytest.raises(ConfigurationError, match="a decorator around it fills it"):
        injecting(CALLED, DAYS, "variation")(inner)


def test_two_experiments_have_two_keywords() -> None:
    """Decorators stack, each with a keyword of its own."""
    engine = Engine([BUTTON, DAYS], sink=MemorySink(), forced_variations={"button": 1, "days": 1})

    def shown(client: object, *, button: str, days: str) -> str:
        return f"{button} {days}"

    handler = injecting(CALLED, BUTTON, "button")(injecting(CALLED, "days", "days")(shown))

    assert handler(engine.client(id="u1")) == "one-click 30-days"


def test_an_unknown_key_has_no_value() -> None:
    """In production the handler's own default holds, or None; in tests it raises."""
    engine = Engine(sink=MemorySink(), strict=False)
    own = injecting(CALLED, "nonsense", "variation")(lambda _, variation="own": variation)
    bare = injecting(CALLED, "nonsense", "variation")(lambda _, variation: variation)

    assert own(engine.client(id="u1")) == "own"
    assert bare(engine.client(id="u1")) is None
    with pytest.raises(UnknownExperimentError, match="'nonsense'"):
        own(Engine(sink=MemorySink()).client(id="u1"))


class AsyncStore(MemoryStickyStore):
    """A store that must be awaited."""

    async def load(self, keys: Sequence[str]) -> Mapping[str, StickyDocument]:  # type: ignore[override]
        return super().load(keys)

    async def save(self, document: StickyDocument) -> None:  # type: ignore[override]
        super().save(document)


async def test_coroutines_await_the_sticky_store() -> None:
    """A handler that is a coroutine keeps units by a store that must be awaited."""
    store, sink = AsyncStore(), MemorySink()
    engine = Engine([BUTTON], sink=sink, sticky=store)

    async def shown(_: object, variation: str = "") -> str:
        return variation

    async def one_click(_: object) -> str:
        return "one-click"

    async def control(_: object) -> str:
        return "control"

    given = injecting(CALLED, BUTTON, "variation")(shown)
    chosen = dispatching(CALLED, "button", {"one_click": one_click})(control)
    for number in range(10):
        client = engine.client(id=f"u{number}")
        assert await given(client) == await chosen(client) == client.run(BUTTON).value

    assert len(sink.exposures) == 10
    assert len(store) == 10
