"""One exposure for one enrolment, through however many features and runs a request meets it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from threading import Barrier, Event
from typing import Any

import pytest

from abmiddleware import (
    Engine,
    Experiment,
    ExperimentClient,
    Feature,
    MemorySink,
    Prerequisite,
    Rule,
)

TREATED = [0, 1]


def rule(**fields: Any) -> Rule[Any]:
    return Rule(key="shared", variations=["a", "b"], weights=TREATED, **fields)


SHARED = Experiment("shared", ["a", "b"], weights=TREATED)
BY_COMPANY = Experiment("shared", ["a", "b"], weights=TREATED, hash_attribute="company")
ONE = Feature("one", "", rules=[rule()])
TWO = Feature("two", "", rules=[rule()])
COMPANY = Feature("company", "", rules=[rule(hash_attribute="company")])

Ask = Callable[[ExperimentClient], object]


def ask(what: str) -> Ask:
    """Return what asks a feature, runs the experiment (`run`), or peeks and then exposes it."""
    match what:
        case "run":
            return lambda client: client.run("shared")
        case "run-object":
            return lambda client: client.run(SHARED)
        case "peek":
            return lambda client: client.peek("shared")
        case "expose":
            return lambda client: client.expose("shared")
    return lambda client: client.feature(what)


def told(sink: MemorySink) -> list[tuple[str, str, str]]:
    return [(each.experiment_key, each.unit_type, each.unit_id) for each in sink.exposures]


ID = ("shared", "id", "u1")
OF_COMPANY = ("shared", "company", "acme")


@pytest.mark.parametrize(
    "order",
    [
        *permutations(["one", "two", "run"]),
        ("one", "run"),
        ("run", "one"),
        ("one", "two"),
        ("one", "run-object"),
        ("run-object", "one"),
        ("peek", "one", "expose"),
        ("peek", "one", "run"),
        ("one", "peek", "expose"),
        ("peek", "expose", "one"),
    ],
    ids="-".join,
)
def test_one_enrolment_is_exposed_once(sink: MemorySink, order: tuple[str, ...]) -> None:
    """Through two features, or a feature and a run, in any order and however often."""
    engine = Engine([ONE, TWO, SHARED], sink=sink)
    for _ in range(4):  # the first answers of a process go another way than those after them
        sink.clear()
        experiments = engine.client(id="u1")
        for what in order * 2:
            ask(what)(experiments)

        assert told(sink) == [ID]


@pytest.mark.parametrize("order", [*permutations(["one", "two", "company"])], ids="-".join)
def test_different_units_are_exposed_each(sink: MemorySink, order: tuple[str, ...]) -> None:
    """An experiment that features run by visitor and by company exposes both, once each."""
    engine = Engine([ONE, TWO, COMPANY], sink=sink)
    for _ in range(4):
        sink.clear()
        experiments = engine.client(id="u1", company="acme")
        for what in order * 2:
            ask(what)(experiments)

        assert sorted(told(sink)) == [OF_COMPANY, ID]


@pytest.mark.parametrize("order", [*permutations(["one", "company", "run"])], ids="-".join)
@pytest.mark.parametrize("experiment", [SHARED, BY_COMPANY], ids=["by-id", "by-company"])
def test_a_run_beside_features_of_other_units(
    sink: MemorySink, order: tuple[str, ...], experiment: Experiment[str]
) -> None:
    """A run adds no exposure of a unit that a feature exposed, whichever of them came first."""
    engine = Engine([ONE, COMPANY, experiment], sink=sink)
    for _ in range(4):
        sink.clear()
        experiments = engine.client(id="u1", company="acme")
        for what in order * 2:
            ask(what)(experiments)

        assert sorted(told(sink)) == [OF_COMPANY, ID]


@pytest.mark.parametrize("is_warm", [False, True], ids=["first", "later"])
def test_threads_expose_one_enrolment_once(sink: MemorySink, is_warm: bool) -> None:
    """Threads that meet one enrolment by features and by runs at once expose it once."""
    engine = Engine([ONE, TWO, SHARED], sink=sink)
    if is_warm:
        for what in ("one", "two", "run"):
            ask(what)(engine.client(id="u0"))
    asks = [ask(what) for what in ("one", "two", "run", "peek")] * 4
    with ThreadPoolExecutor(len(asks)) as pool:
        for round_ in range(50):
            sink.clear()
            experiments, start = engine.client(id=f"u{round_}"), Barrier(len(asks))

            def go(
                each: Ask, experiments: ExperimentClient = experiments, start: Barrier = start
            ) -> object:
                start.wait(20)
                return each(experiments)

            list(pool.map(go, asks))

            assert len(sink.exposures) == 1


@pytest.fixture
def hasty() -> Iterator[None]:
    """Let threads take turns after every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty")
def test_a_run_beside_a_peek_is_exposed(sink: MemorySink) -> None:
    """A thread that runs what another one is about to peek at loses no exposure."""
    test = Experiment("shared", ["a", "b"], prerequisites=[Prerequisite("flag")])
    engine = Engine([test, Feature("flag", 1)], sink=sink)
    with ThreadPoolExecutor(3) as pool:
        for number in range(500):
            experiments = engine.client(id=f"u{number}")
            asks = [experiments.peek, experiments.run, experiments.peek]
            results = [pool.submit(ask, "shared") for ask in asks]

            assert len({id(result.result(20)) for result in results}) == 1
    assert [each.unit_id for each in sink.exposures] == [f"u{number}" for number in range(500)]


class Held(dict[str, Any]):
    """Answers of a client; whoever first finds none there after `entered` is held for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.go_on = Event(), Event()

    def get(self, key: str, default: Any = None) -> Any:
        found = super().get(key, default)
        if found is None and not self.entered.is_set():
            self.entered.set()
            assert self.go_on.wait(20)
        return found


def test_a_run_while_a_feature_is_about_to_expose(sink: MemorySink) -> None:
    """A run that comes between a feature's look at the answers and its exposure adds no second."""
    engine = Engine([ONE, SHARED], sink=sink)
    for what in ("one", "run"):  # so that both go the short way
        ask(what)(engine.client(id="u0"))
    sink.clear()
    experiments = engine.client(id="u1")
    answers = experiments._answers = Held()
    with ThreadPoolExecutor(1) as pool:
        feature = pool.submit(experiments.feature, "one")
        assert answers.entered.wait(20)
        experiments.run("shared")
        answers.go_on.set()
        feature.result(20)

    assert told(sink) == [ID]


def test_an_outcome_carries_the_units_of_rules(sink: MemorySink) -> None:
    """What a rule's experiment randomises by stands on outcomes as well."""
    engine = Engine([COMPANY], sink=sink)
    engine.client(id="u1", company="acme").track("purchase")

    assert sink.outcomes[0].unit_ids == {"id": "u1", "company": "acme"}


def test_a_link_follows_a_feature(sink: MemorySink) -> None:
    """A login before the visitor has an id is linked once a feature has made one known."""
    engine = Engine([ONE], sink=sink)
    for _ in range(3):
        sink.clear()
        experiments = engine.client()
        experiments.identify(user_id=7)
        experiments.identify(id="u1")
        experiments.feature("one")

        assert [type(record).__name__ for record in sink.records] == ["Exposure", "Link"]
