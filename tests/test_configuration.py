"""Configurations that come from several sources and change while requests are served."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest

from abmiddleware import (
    ConfigurationError,
    DocumentError,
    Engine,
    Experiment,
    Feature,
    MemorySink,
    UnknownExperimentError,
    UnknownFeatureError,
)
from abmiddleware.evaluation.document import Document
from abmiddleware.evaluation.payload import read_payload
from abmiddleware.sources import Source, SourceStatus


class Held:
    """A source that a test gives its documents."""

    def __init__(self, payload: object = None, name: str = "held") -> None:
        self.name = name
        self.document: Document | None = None if payload is None else read_payload(payload)
        self.changed: Callable[[], None] = lambda: None
        self.looks = 0
        self.closed: list[float] = []

    def open(self, changed: Callable[[], None]) -> None:
        self.changed = changed

    def put(self, payload: object) -> None:
        self.document = read_payload(payload)
        self.changed()

    def look(self) -> None:
        self.looks += 1

    def status(self) -> SourceStatus:
        return SourceStatus(name=self.name, ready=self.document is not None)

    def close(self, timeout: float = 5.0) -> None:
        self.closed.append(timeout)


def flags(**values: object) -> dict[str, Any]:
    """Return a payload of features with these values."""
    return {"features": {key: {"defaultValue": value} for key, value in values.items()}}


def test_it_is_a_source() -> None:
    """What these tests use is what an engine takes."""
    assert isinstance(Held(), Source)


# Order.


def test_the_first_source_that_knows_a_key_serves_it(sink: MemorySink) -> None:
    """Code comes before all sources, and each source before those behind it."""
    first = Held(flags(a="first", b="first"), "first")
    second = Held(flags(a="second", b="second", c="second"), "second")
    engine = Engine([Feature("a", "code")], sink=sink, sources=[first, second])
    experiments = engine.client(id="u1")

    assert [experiments.value(key, "") for key in "abc"] == ["code", "first", "second"]
    assert engine.health().features == 3


def test_a_change_keeps_the_order(sink: MemorySink) -> None:
    """Whichever source changes, a key goes on being served by the first that knows it."""
    first, second = Held(flags(b=1), "first"), Held(flags(b=2), "second")
    engine = Engine(sink=sink, sources=[first, second])
    second.put(flags(b=3, c=3))
    assert [engine.client().value(key, None) for key in "bc"] == [1, 3]
    first.put(flags())

    assert [engine.client().value(key, None) for key in "bc"] == [3, 3]


def test_the_kinds_of_a_key_are_apart(sink: MemorySink) -> None:
    """An experiment in code does not hide a feature of the same key."""
    source = Held(flags(price=5))
    engine = Engine([Experiment("price", [1, 2])], sink=sink, sources=[source])
    experiments = engine.client(id="u1")

    assert experiments.feature("price").value == 5
    assert experiments.value("price", 0) in (1, 2)


class Overtaken(Held):
    """A source whose document is replaced, and told of, just after somebody has read it."""

    def __init__(self, payload: object) -> None:
        super().__init__()
        self.old: Document | None = read_payload(payload)
        self.next: object = None

    @property
    def document(self) -> Document | None:
        old, payload = self.old, self.next
        if payload is not None:
            self.next = None
            self.old = read_payload(payload)
            self.changed()
        return old

    @document.setter
    def document(self, document: Document | None) -> None:
        self.old = document


def test_a_change_that_is_overtaken_by_another_does_not_undo_it(sink: MemorySink) -> None:
    """Who has put older documents together finds that they are, and does it again."""
    source, other = Overtaken(flags(a="old")), Held(flags(b="old"))
    engine = Engine(sink=sink, sources=[source, other])
    source.next = flags(a="new")
    other.put(flags(b="new"))

    assert [engine.client().value(key, None) for key in "ab"] == ["new", "new"]


def test_saved_groups_stay_with_their_source(sink: MemorySink) -> None:
    """A group is looked up in the document of the condition that names it."""

    def document(ids: list[str], key: str) -> dict[str, Any]:
        rule = {"force": True, "condition": {"id": {"$inGroup": "team"}}}
        return {
            "features": {key: {"defaultValue": False, "rules": [rule]}},
            "savedGroups": {"team": ids},
        }

    sources = [Held(document(["u1"], "a"), "first"), Held(document(["u2"], "b"), "second")]
    engine = Engine(sink=sink, sources=sources)
    told = {user: [engine.client(id=user).is_on(key) for key in "ab"] for user in ("u1", "u2")}

    assert told == {"u1": [True, False], "u2": [False, True]}


def test_units_of_all_sources_are_on_outcomes(sink: MemorySink) -> None:
    """What experiments of any source randomise by identifies who an outcome counts for."""
    rule = {"variations": [1, 2], "hashAttribute": "company", "fallbackAttribute": "device"}
    source = Held({"features": {"a": {"rules": [rule]}}})
    engine = Engine(sink=sink, sources=[source])
    engine.client(id="u1", company="acme", device="d1", other="x").track("purchase")

    assert sink.outcomes[0].unit_ids == {"id": "u1", "company": "acme", "device": "d1"}


# One request, one configuration.


def test_a_client_keeps_its_configuration(sink: MemorySink) -> None:
    """What one client asks first decides the configuration of all that it asks."""
    source = Held(flags(a=1, b=1))
    engine = Engine(sink=sink, sources=[source])
    old, unasked = engine.client(), engine.client()
    old.feature("a")
    source.put(flags(a=2, b=2))

    assert [old.value(key, None) for key in "ab"] == [1, 1]
    assert [unasked.value(key, None) for key in "ab"] == [2, 2]


async def test_a_client_keeps_its_configuration_across_await(sink: MemorySink) -> None:
    """Also when it changes while a task waits, and in the threads that a task starts."""
    source = Held(flags(a=1, b=1, c=1))
    experiments = Engine(sink=sink, sources=[source]).client()
    first = experiments.value("a", None)
    source.put(flags(a=2, b=2, c=2))
    await asyncio.sleep(0)

    assert [first, experiments.value("b", None)] == [1, 1]
    assert await asyncio.to_thread(experiments.value, "c", None) == 1


def experiments_of(value: int) -> dict[str, Any]:
    """Return a payload of experiments in which everybody gets this value."""
    keys = [{"key": key, "variations": [0, value], "weights": [0, 1]} for key in "abc"]
    return {"experiments": keys}


def test_first_questions_at_once_see_one_configuration(sink: MemorySink) -> None:
    """Two threads of a request that both ask first get one configuration, whatever comes between.

    The second thread is held at its look for a change, until the first has its answer and the
    configuration is another.
    """
    entered, go_on = Event(), Event()

    class Slow(Held):
        is_slow = False

        def look(self) -> None:
            if self.is_slow:
                self.is_slow = False
                entered.set()
                assert go_on.wait(20)

    source = Slow(experiments_of(1))
    experiments = Engine(sink=sink, sources=[source]).client(id="u1")
    source.is_slow = True
    with ThreadPoolExecutor(2) as pool:
        second = pool.submit(experiments.value, "b", None)
        assert entered.wait(20)
        first = pool.submit(experiments.value, "a", None)
        wait([first], 1)  # where one thread waits for the other, it has no answer yet
        source.put(experiments_of(2))
        go_on.set()
        values = [first.result(20), second.result(20), experiments.value("c", None)]

    assert values in ([1, 1, 1], [2, 2, 2])


@contextmanager
def changing(source: Held) -> Iterator[list[int]]:
    """Change a source all the time, each value in three features at once."""
    is_over, changes = Event(), [0]

    def change() -> None:
        while not is_over.is_set():
            changes[0] += 1
            source.put(flags(a=changes[0], b=changes[0], c=changes[0]))
            sleep(0.0002)

    thread = Thread(target=change)
    thread.start()
    try:
        yield changes
    finally:
        is_over.set()
        thread.join()


def seen(engine: Engine, keys: str = "abca") -> set[object]:
    experiments = engine.client(id="u1")
    return {experiments.value(key, None) for key in keys}


def test_features_that_change_together_are_never_mixed(sink: MemorySink) -> None:
    """Under load from threads, every client sees all of one configuration."""
    source = Held(flags(a=0, b=0, c=0))
    engine = Engine(sink=sink, sources=[source])
    end = monotonic() + 1.0

    def serve(_: int) -> tuple[int, set[object]]:
        most, told = 0, set[object]()
        while monotonic() < end:
            values = seen(engine)
            most = max(most, len(values))
            told |= values
        return most, told

    with changing(source) as changes, ThreadPoolExecutor(8) as pool:
        served = list(pool.map(serve, range(8)))

    assert {most for most, _ in served} == {1}
    assert changes[0] > 10
    assert len(set[object]().union(*(told for _, told in served))) > 10


async def test_features_that_change_together_are_never_mixed_in_tasks(sink: MemorySink) -> None:
    """Under load from tasks and the threads that they start, it holds as well."""
    source = Held(flags(a=0, b=0, c=0))
    engine = Engine(sink=sink, sources=[source])

    async def serve() -> set[object]:
        experiments, told = engine.client(id="u1"), set[object]()
        for key in "abca":
            told.add(experiments.value(key, None))
            await asyncio.sleep(0)
            told.add(await asyncio.to_thread(experiments.value, key, None))
        return told

    with changing(source) as changes:
        served: list[set[object]] = []
        for _ in range(10):
            served += await asyncio.gather(*(serve() for _ in range(20)))

    assert {len(told) for told in served} == {1}
    assert changes[0] > 3


def test_threads_of_one_client_are_never_mixed(sink: MemorySink) -> None:
    """Threads of one request that ask first at the same time see one configuration."""
    source = Held(flags(a=0, b=0, c=0))
    engine = Engine(sink=sink, sources=[source])
    with changing(source), ThreadPoolExecutor(3) as pool:
        for _ in range(300):
            experiments = engine.client(id="u1")
            values = set(pool.map(experiments.value, "abc", [None] * 3))

            assert len(values) == 1


# A source that has nothing yet.


def test_a_source_without_a_document_serves_what_else_there_is(
    sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """Until it has one, its keys have their defaults, in strict mode, too, and the log tells."""
    source = Held()
    engine = Engine([Feature("a", 1)], sink=sink, sources=[source], strict=True)
    experiments = engine.client(id="u1")
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        told = [experiments.value("a", None), experiments.value("b", "default")]
        assert not experiments.is_on("b")
        assert not experiments.run("x").in_experiment

    assert told == [1, "default"]
    assert "'b' was asked for before a configuration came from held" in caplog.text
    source.put(flags(b=2))
    assert engine.client().value("b", "default") == 2
    with pytest.raises(UnknownExperimentError):
        engine.client().run("x")
    with pytest.raises(UnknownFeatureError):
        engine.client().is_on("c")


def test_a_document_that_comes_is_waited_for(sink: MemorySink) -> None:
    """A script waits until every source has a document, and no longer."""
    first, second = Held(flags(a=1), "first"), Held(None, "second")
    engine = Engine(sink=sink, sources=[first, second])
    began = monotonic()
    assert engine.wait_until_ready(0.05) is False
    assert 0.04 < monotonic() - began < 2

    def come() -> None:
        sleep(0.05)
        second.put(flags(b=2))

    later = Thread(target=come)
    later.start()
    assert engine.wait_until_ready(20) is True
    later.join()
    assert monotonic() - began < 5
    assert engine.client().value("b", None) == 2


def test_waiting_looks_for_changes(sink: MemorySink) -> None:
    """A source that reads when it is looked at is looked at while a script waits."""

    class Lazy(Held):
        def look(self) -> None:
            super().look()
            if self.looks == 3:
                self.put(flags(a=1))

    source = Lazy()

    assert Engine(sink=sink, sources=[source]).wait_until_ready(20)
    assert source.looks == 3


def test_without_sources_it_is_ready(sink: MemorySink) -> None:
    """An engine that has all in code waits for nothing."""
    assert Engine([Feature("a", 1)], sink=sink).wait_until_ready(0)


def test_a_request_looks_once(sink: MemorySink) -> None:
    """Whatever it asks, and not before it asks."""
    source = Held(flags(a=1, b=2))
    engine = Engine(sink=sink, sources=[source])
    experiments = engine.client()
    looks = source.looks
    for key in "abab":
        experiments.value(key, None)

    assert source.looks - looks == 1


# The end.


def test_closing_closes_all(sink: MemorySink, caplog: pytest.LogCaptureFixture) -> None:
    """One that raises keeps no other from being closed, and the log names it."""

    class Stuck(Held):
        def close(self, timeout: float = 5.0) -> None:
            super().close(timeout)
            raise OSError("stuck")

    sources = [Held(flags(a=1), "one"), Stuck(flags(), "two"), Held(flags(), "three")]
    engine = Engine(sink=sink, sources=sources)
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        engine.close(1.0)

    assert [len(source.closed) for source in sources] == [1, 1, 1]
    assert "source two: OSError('stuck')" in caplog.text
    assert engine.client().value("a", None) == 1


def test_closing_keeps_its_timeout(sink: MemorySink) -> None:
    """Each source gets what the ones before it have left of the time."""

    class Slow(Held):
        def close(self, timeout: float = 5.0) -> None:
            super().close(timeout)
            sleep(timeout)

    sources = [Slow(flags(), "one"), Slow(flags(), "two"), Slow(flags(), "three")]
    began = monotonic()
    Engine(sink=sink, sources=sources).close(0.1)

    assert monotonic() - began < 0.5
    assert [len(source.closed) for source in sources] == [1, 1, 1]
    assert sources[2].closed[0] < 0.01


def test_a_source_that_does_not_open_is_an_error(sink: MemorySink) -> None:
    """A source that is set up wrongly stops the start, and leaves none open behind it."""

    class Wrong(Held):
        def open(self, changed: Callable[[], None]) -> None:
            raise DocumentError("features", "is 5, must be an object")

    first = Held(flags(a=1))
    with pytest.raises(DocumentError, match="features: is 5"):
        Engine(sink=sink, sources=[first, Wrong()])

    assert len(first.closed) == 1


class NoSource:
    name = "no source"


SAME = Held()


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        pytest.param(5, "sources: is 5, must be a list of sources", id="number"),
        pytest.param("flags.json", "sources: is 'flags.json', must be a list", id="text"),
        pytest.param(["flags.json"], "sources[0]: is 'flags.json', must be a source", id="path"),
        pytest.param([Held(), Held], "sources[1]: is <class", id="class"),
        pytest.param([SAME, Held(), SAME], "must be another one than sources[0]", id="same-twice"),
        pytest.param([NoSource()], "sources[0]: is <", id="object"),
    ],
)
def test_what_is_no_source_is_refused(sources: Any, message: str) -> None:
    """A mistake is told when the engine is made, with its place."""
    with pytest.raises(ConfigurationError) as caught:
        Engine(sink=MemorySink(), sources=sources)

    assert message in str(caught.value)
