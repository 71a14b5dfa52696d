"""Tests of a team give everybody a variation, and look at what was recorded."""

from __future__ import annotations

import asyncio
import os
import threading
import unittest
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from abmiddleware import ConfigurationError, Engine, Experiment, Feature, MemorySink
from abmiddleware.testing import capture, force
from tests.recorded import of_units
from tests.request_facts import Page

BUTTON = Experiment("button", ["red", "green", "blue"], coverage=0.0, hash_version=2)
FLAG = Feature("flag", "off")


@pytest.fixture
def engine(sink: MemorySink) -> Engine:
    return Engine([BUTTON, FLAG], sink=sink)


def shown(engine: Engine, experiment: Any = "button") -> Any:
    return engine.client(id="u1").run(experiment).value


@pytest.mark.parametrize("what", ["button", BUTTON], ids=["key", "object"])
@pytest.mark.parametrize(("given", "value"), [("green", "green"), ("2", "blue"), (1, "green")])
def test_everybody_has_the_variation(engine: Engine, what: Any, given: object, value: str) -> None:
    """Whatever the experiment says of who is in it; afterwards it is as before."""
    with force(what, given):
        result = engine.client(id="u1").run("button")
        assert (result.value, result.in_experiment, result.reason) == (value, True, "forced")

    assert shown(engine) == "red"


def test_a_feature_has_the_value(engine: Engine) -> None:
    """By its key, or the object."""
    for what in ("flag", FLAG):
        with force(what, {"any": 1}):
            assert engine.client().value("flag", None) == {"any": 1}

    assert engine.client().value("flag", None) == "off"


def test_several_are_given_by_their_keys(engine: Engine) -> None:
    """In one dictionary."""
    with force({"button": "blue", "flag": "on"}):
        assert (shown(engine), engine.client().value("flag", None)) == ("blue", "on")


def test_the_innermost_counts(engine: Engine) -> None:
    """Also where one ends before another that began later."""
    first, second = force("button", "green"), force({"button": "blue"})
    with first:
        with second:
            assert shown(engine) == "blue"
        assert shown(engine) == "green"

    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert shown(engine) == "blue"
    second.__exit__(None, None, None)
    assert shown(engine) == "red"


def test_engines_that_are_made_later_are_reached() -> None:
    """And left as they are when it is over."""
    with force("button", "green"), capture() as records:
        engine = Engine([BUTTON], sink=(own := MemorySink()))
        assert shown(engine) == "green"

    assert shown(engine) == "red"
    assert (len(records.exposures), of_units(own)) == (1, [])


def test_an_object_that_no_engine_has_is_forced_too(sink: MemorySink) -> None:
    """As a view may use it."""
    with force("loose", "b"):
        assert shown(Engine(sink=sink), Experiment("loose", ["a", "b"])) == "b"


def test_a_configuration_that_changes_meanwhile_counts_when_it_is_over(engine: Engine) -> None:
    """And changes nothing before."""
    later = Engine([Experiment("button", ["new", "x"], coverage=0.0)], sink=MemorySink()).snapshot
    with force("button", 1):
        assert shown(engine) == "green"
        engine.snapshot = later
        assert shown(engine) == "x"

    assert shown(engine) == "new"


def test_threads_and_tasks_are_reached(engine: Engine) -> None:
    """No context has to be carried to them."""
    with force("button", "green"):
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(lambda _: shown(engine), range(20))) == {"green"}
        told: list[str] = []
        thread = threading.Thread(target=lambda: told.append(shown(engine)))
        thread.start()
        thread.join()

    assert told == ["green"]


def test_functions_coroutines_and_classes_are_decorated(engine: Engine) -> None:
    """It holds while they run, and neither before nor after."""

    @force("button", "green")
    def plain(argument: str) -> tuple[str, str]:
        return shown(engine), argument

    @force("button", "blue")
    async def coroutine() -> str:
        await asyncio.sleep(0)
        return str(shown(engine))

    class Base(unittest.TestCase):
        def test_that_is_inherited(self) -> None:
            assert shown(engine) == "green"

    @force("button", "green")
    class Case(Base):
        def setUp(self) -> None:
            self.seen = shown(engine)

        def test_sees_it(self) -> None:
            assert (self.seen, shown(engine)) == ("green", "green")

    @force("button", "green")
    class TestPlain:
        def test_sees_it(self) -> str:
            return str(shown(engine))

        def not_a_test(self) -> str:
            return str(shown(engine))

    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Case)
    assert suite.countTestCases() == 2
    with open(os.devnull, "w") as nowhere:
        assert unittest.TextTestRunner(nowhere).run(suite).wasSuccessful()
    assert (TestPlain().test_sees_it(), TestPlain().not_a_test()) == ("green", "red")
    assert plain("x") == ("green", "x")
    assert asyncio.run(coroutine()) == "blue"
    assert shown(engine) == "red"


def test_a_fixture_that_yields_is_not_decorated() -> None:
    """It would hold for a moment only."""

    def fixture() -> Iterator[None]:
        yield

    with pytest.raises(ConfigurationError, match="stands on the generator fixture"):
        force("button", "green")(fixture)


def test_exposures_are_recorded_and_marked(engine: Engine, sink: MemorySink) -> None:
    """With the unit that they would have had, once a request; analyses leave them out."""
    with force("button", "green"), capture() as records:
        client = engine.request_client(Page())
        client.run("button")
        client.run("button")
        client.track("purchase", 3.0)
        client.flush()

    (exposure,) = records.exposures
    assert (exposure.variation_key, exposure.forced) == ("1", True)
    assert len(exposure.unit_id) == 22
    assert records.outcomes[0].unit_ids == {"id": exposure.unit_id}
    assert sink.records == []


def test_what_does_not_count_still_does_not(engine: Engine) -> None:
    """A bot has the variation, and is not recorded."""
    with force("button", "green"), capture() as records:
        client = engine.request_client(Page(headers={"user-agent": "bingbot/2.0"}))
        assert client.run("button").value == "green"
        client.flush()

    assert of_units(records) == []


def test_records_go_where_they_went_when_it_is_over(engine: Engine, sink: MemorySink) -> None:
    """Also where one capture is within another."""
    with capture() as outer, capture() as inner:
        engine.client(id="u1").track("seen")
    engine.client(id="u1").track("seen")

    assert [len(one.records) for one in (outer, inner, sink)] == [0, 1, 1]


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            ("button", "yellow"),
            # Other tests have experiments of this key, too, which may still be alive.
            "experiment 'button' has no variation 'yellow', only '",
        ),
        ((BUTTON, 3), "has no variation 3"),
        (("button",), "must be given an experiment and its variation"),
        (({"button": "red"}, "red"), "must be given an experiment and its variation"),
        ((3, "red"), "force: is given 3, must be an experiment or its key"),
    ],
    ids=["key", "object", "one", "both", "type"],
)
def test_a_slip_is_told_at_once(arguments: tuple[Any, ...], problem: str) -> None:
    """And not by a test that fails elsewhere."""
    engine = Engine([Experiment("slip", ["a", "b"])], sink=MemorySink())
    with pytest.raises(ConfigurationError) as error:
        force(*arguments)

    assert problem in str(error.value)
    assert engine.client(id="u1").run("slip").value in ("a", "b")


def test_a_key_that_no_engine_knows_is_warned_of(engine: Engine) -> None:
    """When the test ends, since an engine may come late; it is no error, as one may be gone."""
    with (
        pytest.warns(UserWarning, match="no engine knows 'buton', so nothing was forced"),
        force("buton", "red"),
    ):
        engine.client(id="u1").run(BUTTON)
    with force("late", "x"):
        late = Engine([Experiment("late", ["x", "y"])], sink=MemorySink())
        assert late.client(id="u1").run("late").value == "x"
