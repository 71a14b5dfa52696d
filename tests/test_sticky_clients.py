"""Sticky buckets through a client: kept, saved when used, and without harm when a store fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from abmiddleware import (
    ConfigurationError,
    Engine,
    Experiment,
    ExperimentClient,
    Feature,
    MemorySink,
    Prerequisite,
    Reason,
    Result,
    Rule,
    VariationMeta,
)
from abmiddleware.sticky import MemoryStickyStore, StickyDocument
from tests.recorded import of_units

META = [VariationMeta("control"), VariationMeta("new")]
TREATED, CONTROL = [0, 1], [1, 0]


def button(weights: Sequence[float] = TREATED, **fields: Any) -> Experiment[str]:
    """Return the experiment of these tests: all are treated, unless told otherwise."""
    return Experiment("button", ["a", "b"], weights=weights, **{"meta": META, **fields})


TREAT = button()


class CountingStore:
    """A store that tells what was asked of it."""

    def __init__(self) -> None:
        self.store = MemoryStickyStore()
        self.loads: list[list[str]] = []
        self.saves: list[StickyDocument] = []

    def load(self, keys: Sequence[str]) -> Mapping[str, StickyDocument]:
        self.loads.append(list(keys))
        return self.store.load(keys)

    def save(self, document: StickyDocument) -> None:
        self.saves.append(document)
        self.store.save(document)

    def kept(self, key: str = "id||u1") -> dict[str, str]:
        document = self.store.load([key]).get(key)
        return {} if document is None else dict(document.assignments)


class AsyncStore(CountingStore):
    """The same, awaited."""

    async def load(self, keys: Sequence[str]) -> Mapping[str, StickyDocument]:  # type: ignore[override]
        await asyncio.sleep(0)
        return CountingStore.load(self, keys)

    async def save(self, document: StickyDocument) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        CountingStore.save(self, document)


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


def client(store: Any, sink: MemorySink, *definitions: Any, **attributes: Any) -> ExperimentClient:
    """Return the client of an engine, which stands for a process of a certain configuration."""
    engine = Engine(definitions, sink=sink, sticky=store)
    return engine.client(**{"id": "u1", **attributes})


def keep(store: CountingStore, assignment: str = "button__0", key: str = "id||u1") -> None:
    """Keep a unit in the new variation."""
    store.store.save(StickyDocument.of(key, {assignment: "new"}))


def told(result: Result[Any]) -> tuple[bool, str, Reason, bool]:
    return result.in_experiment, result.key, result.reason, result.sticky_bucket_used


STICKY = (True, "new", Reason.STICKY, True)
SPLIT = (True, "new", Reason.SPLIT, False)


# What is kept.


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"coverage": 0.0}, id="coverage"),
        pytest.param({"weights": CONTROL}, id="weights"),
        pytest.param({"weights": None, "ranges": [(0, 1), (1, 1)]}, id="ranges"),
        pytest.param({"condition": {"country": "NL"}}, id="condition"),
        pytest.param({"namespace": ("other", 0.999999, 1)}, id="namespace"),
        pytest.param({"seed": "other", "weights": CONTROL}, id="seed"),
        pytest.param({"prerequisites": [Prerequisite("no", {"value": 1})]}, id="prerequisite"),
    ],
)
def test_a_unit_keeps_its_variation(store: CountingStore, sink: MemorySink, changed: Any) -> None:
    """Whatever changes of who takes part and what they get, who was in stays as they were."""
    first = client(store, sink, TREAT).run("button")
    again = client(store, sink, button(**changed)).run("button")
    other = client(store, sink, button(**changed), id="u2").run("button")

    assert (told(first), told(again)) == (SPLIT, STICKY)
    assert (again.value, again.bucket is not None) == ("b", True)
    assert told(other)[1:] != STICKY[1:]
    assert store.kept() == {"button__0": "new"}
    assert [each.unit_id for each in sink.exposures if each.variation_key == "new"] == ["u1", "u1"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"active": False}, Reason.DISABLED, id="inactive"),
        pytest.param({"status": "stopped"}, Reason.STOPPED, id="stopped"),
        pytest.param({"force": 0}, Reason.FORCED, id="force"),
        pytest.param({"disable_sticky_bucketing": True, "weights": CONTROL}, "split", id="off"),
        pytest.param({"meta": None, "weights": CONTROL}, Reason.SPLIT, id="no-meta"),
    ],
)
def test_what_a_bucket_does_not_outlive(
    store: CountingStore, sink: MemorySink, changed: Any, reason: Reason
) -> None:
    """An experiment that is over or forced, or that does without buckets, decides by itself."""
    keep(store)
    result = client(store, sink, button(**changed)).run("button")

    assert (result.key in ("control", "0"), result.reason) == (True, reason)
    assert not result.sticky_bucket_used


def test_a_new_bucket_version_buckets_anew(store: CountingStore, sink: MemorySink) -> None:
    """A rise of `bucket_version` forgets what was before it, and keeps that beside."""
    keep(store)
    result = client(store, sink, button(CONTROL, bucket_version=1)).run("button")

    assert told(result) == (True, "control", Reason.SPLIT, False)
    assert store.kept() == {"button__0": "new", "button__1": "control"}


def test_a_least_bucket_version_keeps_out(store: CountingStore, sink: MemorySink) -> None:
    """Who was bucketed under an older version is out; their document is not touched."""
    keep(store)
    strict = button(bucket_version=1, min_bucket_version=1)
    result = client(store, sink, strict).run("button")
    newcomer = client(store, sink, strict, id="u2").run("button")

    assert told(result) == (False, "control", Reason.BLOCKED, True)
    assert told(newcomer) == SPLIT
    assert (store.kept(), len(sink.exposures)) == ({"button__0": "new"}, 1)


def test_a_login_keeps_the_variation(store: CountingStore, sink: MemorySink) -> None:
    """Who was known by the device keeps its variation as a user, and gets it as theirs."""
    by_user = button(hash_attribute="user_id", fallback_attribute="device")
    changed = button(CONTROL, hash_attribute="user_id", fallback_attribute="device")
    before = client(store, sink, by_user, device="d1").run("button")
    after = client(store, sink, changed, device="d1", user_id="7").run("button")
    elsewhere = client(store, sink, changed, device="d2", user_id="7").run("button")

    assert (before.hash_attribute, before.hash_value) == ("device", "d1")
    assert (after.hash_attribute, after.hash_value) == ("user_id", "7")
    assert [told(result) for result in (before, after, elsewhere)] == [SPLIT, STICKY, STICKY]
    assert store.kept("user_id||7") == store.kept("device||d1") == {"button__0": "new"}
    assert store.kept("device||d2") == {}


def test_a_features_experiment_is_sticky(store: CountingStore, sink: MemorySink) -> None:
    """The experiment of a feature's rule keeps its units as any other."""

    def flag(weights: list[float]) -> Feature[str]:
        rule = Rule(key="button", variations=["a", "b"], weights=weights, meta=META)
        return Feature("flag", "none", rules=[rule])

    assert client(store, sink, flag([0, 1])).value("flag", "") == "b"
    assert client(store, sink, flag([1, 0])).value("flag", "") == "b"
    assert store.kept() == {"button__0": "new"}


def test_two_experiments_share_a_document(store: CountingStore, sink: MemorySink) -> None:
    """What one request saves for one unit does not take away what it had."""
    keep(store, "other__0")
    experiments = client(store, sink, TREAT)
    experiments.run("button")
    experiments.run(Experiment("third", [1, 2], weights=TREATED, meta=META))

    assert store.kept() == {"other__0": "new", "button__0": "new", "third__0": "new"}


# When it is saved.


def test_a_peek_saves_when_it_is_exposed(store: CountingStore, sink: MemorySink) -> None:
    """An assignment that took no effect is not kept."""
    experiments = client(store, sink, TREAT)
    peeked = experiments.peek("button")
    assert (store.saves, sink.records, told(peeked)) == ([], [], SPLIT)
    experiments.expose("button")
    experiments.expose("button")

    assert experiments.run("button") is peeked
    assert store.saves == [StickyDocument("id", "u1", {"button__0": "new"})]
    assert len(sink.exposures) == 1


def test_what_is_kept_already_is_not_saved_again(store: CountingStore, sink: MemorySink) -> None:
    """A second request writes nothing."""
    keep(store)
    client(store, sink, TREAT).run("button")

    assert store.saves == []


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"forced_variations": {"button": 1}}, id="forced"),
        pytest.param({"qa_mode": True}, id="qa-mode"),
        pytest.param({"enabled": False}, id="disabled"),
    ],
)
def test_what_is_not_counted_is_not_saved(
    store: CountingStore, sink: MemorySink, options: Any
) -> None:
    """Forced variations, QA mode and the off switch leave no bucket behind."""
    Engine([TREAT], sink=sink, sticky=store, **options).client(id="u1").run("button")

    assert (store.saves, of_units(sink)) == ([], [])


def test_who_is_out_is_not_saved(store: CountingStore, sink: MemorySink) -> None:
    """Without a unit, or outside of coverage, there is nothing to keep."""
    client(store, sink, button(coverage=0.0)).run("button")
    client(store, sink, TREAT, id="").run("button")

    assert store.saves == []


# How often the store is asked.


def test_a_request_loads_once(store: CountingStore, sink: MemorySink) -> None:
    """Whatever number of experiments and features is asked, and however often."""
    flag = Feature("flag", 0, rules=[Rule(key="rule", variations=[1, 2], meta=META)])
    price = Experiment("price", [1, 2], meta=META, hash_attribute="company")
    experiments = client(store, sink, TREAT, price, flag, company="acme")
    for _ in range(2):
        experiments.run("button")
        experiments.run("price")
        experiments.is_on("flag")
        experiments.peek(Experiment("more", [1, 2], meta=META))

    assert store.loads == [["id||u1", "company||acme"]]
    assert [document.key for document in store.saves] == ["id||u1", "company||acme", "id||u1"]


def test_what_needs_no_bucket_loads_nothing(store: CountingStore, sink: MemorySink) -> None:
    """An experiment without units or buckets does not ask the store."""
    experiments = client(store, sink, id="")
    experiments.run(TREAT)
    experiments.run(Experiment("off", [1, 2], active=False))
    experiments.run(Experiment("plain", [1, 2], disable_sticky_bucketing=True))

    assert store.loads == []


def test_threads_of_one_client_agree(store: CountingStore, sink: MemorySink) -> None:
    """Fifty threads that ask at once get one answer, exposed once."""
    with ThreadPoolExecutor(50) as pool:
        for number in range(10):
            sink.clear()
            experiments, start = client(store, sink, TREAT, id=f"u{number}"), Barrier(50)

            def ask(
                _: int, experiments: ExperimentClient = experiments, start: Barrier = start
            ) -> int:
                start.wait(20)
                return id(experiments.run("button"))

            assert len(set(pool.map(ask, range(50)))) == 1
            assert len(sink.exposures) == 1


# Stores that fail.


class BrokenStore:
    """A store whose backend is down: for loads, saves, or both."""

    def __init__(self, *broken: str) -> None:
        self.broken = broken
        self.store = MemoryStickyStore()

    def load(self, keys: Sequence[str]) -> Mapping[str, StickyDocument]:
        if "load" in self.broken:
            raise TimeoutError("the store is down")
        return self.store.load(keys)

    def save(self, document: StickyDocument) -> None:
        if "save" in self.broken:
            raise ConnectionError("the store is down")
        self.store.save(document)


class AsyncBrokenStore(BrokenStore):
    """The same, awaited."""

    async def load(self, keys: Sequence[str]) -> Mapping[str, StickyDocument]:  # type: ignore[override]
        return BrokenStore.load(self, keys)

    async def save(self, document: StickyDocument) -> None:  # type: ignore[override]
        BrokenStore.save(self, document)


@pytest.mark.parametrize(
    ("broken", "failures"),
    [
        pytest.param(["load"], {"loaded": 2, "skipped": 2}, id="load"),
        pytest.param(["save"], {"saved": 2}, id="save"),
        pytest.param(["load", "save"], {"loaded": 2, "skipped": 2}, id="both"),
    ],
)
@pytest.mark.parametrize("kind", [BrokenStore, AsyncBrokenStore], ids=["sync", "async"])
async def test_a_store_that_fails_breaks_nothing(
    sink: MemorySink,
    caplog: pytest.LogCaptureFixture,
    kind: type[BrokenStore],
    broken: list[str],
    failures: dict[str, int],
) -> None:
    """The assignment is the one without buckets, exposed; the failure is counted and logged."""
    engine = Engine([TREAT], sink=sink, sticky=kind(*broken))
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        for _ in range(2):
            assert told(await engine.client(id="u1").arun("button")) == SPLIT

    assert engine.health().sticky_failures == failures
    assert len(sink.exposures) == 2
    assert caplog.text.count("sticky buckets could not be") == 1
    assert "the store is down" in caplog.text


class OddStore:
    """A store that somebody wrote in a hurry."""

    def __init__(self, found: Any) -> None:
        self.found = found

    def load(self, _: Sequence[str]) -> Any:
        return self.found

    def save(self, document: StickyDocument) -> None:
        """Keep nothing."""


@pytest.mark.parametrize(
    "found",
    [None, 5, {"id||u1": {"assignments": {"button__0": "new"}}}, {"id||u1": None}],
    ids=["none", "number", "growthbooks-json", "none-for-a-key"],
)
def test_a_store_that_answers_nonsense_breaks_nothing(sink: MemorySink, found: Any) -> None:
    """What is no document counts as a failure of the store, not of the experiment."""
    engine = Engine([TREAT], sink=sink, sticky=OddStore(found))

    assert told(engine.client(id="u1").run("button")) == SPLIT
    assert engine.health().sticky_failures == {"loaded": 1, "skipped": 1}


# Stores that are awaited.


async def test_an_awaited_store_keeps_units() -> None:
    """`arun` and `afeature` load and save as `run` does."""
    sink, store = MemorySink(), AsyncStore()
    rule = Rule(key="rule", variations=["a", "b"], weights=TREATED, meta=META)
    definitions = [TREAT, Feature("flag", "", rules=[rule])]
    experiments = client(store, sink, *definitions)
    first = await experiments.arun("button")
    feature = await experiments.afeature("flag")

    assert (told(first), feature.value) == (SPLIT, "b")
    assert store.kept() == {"button__0": "new", "rule__0": "new"}
    assert store.loads == [["id||u1"]]
    assert told(await client(store, sink, button(CONTROL)).arun("button")) == STICKY
    assert await experiments.arun(TREAT) is experiments.run("button") is first
    assert await experiments.afeature("flag") is experiments.feature("flag") is feature
    assert len(sink.exposures) == 3


async def test_arun_does_as_run_where_nothing_is_awaited(sink: MemorySink) -> None:
    """Without a store, or with one that is not awaited, `arun` is there all the same."""
    store = CountingStore()
    for sticky in (None, store):
        experiments = client(sticky, sink, TREAT, Feature("flag", 1))

        assert told(await experiments.arun("button")) == SPLIT
        assert (await experiments.afeature("flag")).value == 1
    assert store.kept() == {"button__0": "new"}


async def test_run_with_an_awaited_store_is_a_mistake(sink: MemorySink) -> None:
    """In strict mode the error names the store and what to ask in place."""
    experiments = client(AsyncStore(), sink, TREAT, Feature("flag", 1))
    with pytest.raises(ConfigurationError, match=r"AsyncStore must be awaited.*arun\("):
        experiments.run("button")
    with pytest.raises(ConfigurationError, match=r"arun\("):
        experiments.peek(TREAT)
    with pytest.raises(ConfigurationError, match=r"afeature\("):
        experiments.feature("flag")
    assert sink.records == []

    assert told(await experiments.arun("button")) == SPLIT
    assert told(experiments.run("button")) == SPLIT  # decided already
    assert len(sink.exposures) == 1


def test_run_with_an_awaited_store_serves_in_production(
    sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """In production the visitor gets the variation without buckets, and the log says why, once."""
    store = AsyncStore()
    engine = Engine([button(CONTROL)], sink=sink, sticky=store, strict=False)
    keep(store)
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        results = [engine.client(id="u1").run("button") for _ in range(2)]

    assert [result.key for result in results] == ["control", "control"]
    assert (store.loads, store.saves) == ([], [])
    assert caplog.text.count("must be awaited") == 1


@pytest.mark.parametrize("kind", [CountingStore, AsyncStore], ids=["sync", "async"])
async def test_twenty_tasks_expose_once(sink: MemorySink, kind: type[CountingStore]) -> None:
    """Tasks of one request that ask at once get one answer, exposed once and saved."""
    store = kind()
    experiments = client(store, sink, TREAT)
    results = await asyncio.gather(*(experiments.arun("button") for _ in range(20)))

    assert len({id(result) for result in results}) == 1
    assert len(sink.exposures) == 1
    assert store.kept() == {"button__0": "new"}


async def test_twenty_tasks_ask_a_feature_once(sink: MemorySink) -> None:
    """The same holds for a feature, which is told once."""
    used: list[str] = []
    rule = Rule(key="rule", variations=["a", "b"], weights=TREATED, meta=META)
    engine = Engine(
        [Feature("flag", "", rules=[rule])],
        sink=sink,
        sticky=AsyncStore(),
        on_feature_usage=lambda result, _: used.append(result.key),
    )
    experiments = engine.client(id="u1")
    results = await asyncio.gather(*(experiments.afeature("flag") for _ in range(20)))

    assert {result.value for result in results} == {"b"}
    assert ([each.experiment_key for each in sink.exposures], used) == (["rule"], ["flag"])


async def test_tasks_of_many_visitors_keep_apart(sink: MemorySink) -> None:
    """A hundred visitors at once each keep their own."""
    store = AsyncStore()
    half = Experiment("button", ["a", "b"], meta=META)
    engine = Engine([half], sink=sink, sticky=store)
    clients = [engine.client(id=f"u{number}") for number in range(100)]
    results = await asyncio.gather(*(each.arun("button") for each in clients))

    assert {result.key for result in results} == {"control", "new"}
    for number, result in enumerate(results):
        assert store.kept(f"id||u{number}") == {"button__0": result.key}


@pytest.mark.parametrize(
    "wrong",
    [5, "redis://localhost", MemoryStickyStore, object()],
    ids=["number", "url", "class", "object"],
)
def test_what_is_no_store_is_refused(wrong: Any) -> None:
    """A wrong store is told when the engine is made, not in a request."""
    with pytest.raises(ConfigurationError, match=r"^sticky: is "):
        Engine(sink=MemorySink(), sticky=wrong)


class SlowStore(AsyncStore):
    """One whose saves take until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.is_open = asyncio.Event()

    async def save(self, document: StickyDocument) -> None:  # type: ignore[override]
        await self.is_open.wait()
        await super().save(document)


async def test_a_save_that_was_cancelled_is_made_up_for(sink: MemorySink) -> None:
    """Who asks again after a timeout gets the variation saved, and is not told it was before."""
    store = SlowStore()
    experiments = client(store, sink, TREAT)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(experiments.arun("button"), 0.05)
    store.is_open.set()
    result = await experiments.arun("button")

    assert (result.reason, result.sticky_bucket_used) == (Reason.SPLIT, False)
    assert store.kept() == {"button__0": "new"}
    assert len(sink.exposures) == 1


def test_what_was_not_saved_is_not_called_sticky(sink: MemorySink) -> None:
    """An experiment that a feature runs too is a split in both while the store is down."""
    runs = Feature("color", "x", rules=[Rule(key="button", variations=["y", "z"], meta=META)])
    experiments = client(BrokenStore("load", "save"), sink, button([0.5, 0.5]), runs)
    told = [experiments.run("button"), experiments.feature("color").experiment_result]

    assert [None if result is None else result.reason for result in told] == [
        Reason.SPLIT,
        Reason.SPLIT,
    ]


@pytest.mark.parametrize("kind", [BrokenStore, AsyncBrokenStore], ids=["sync", "async"])
async def test_what_could_not_be_loaded_is_not_saved_over(
    sink: MemorySink, kind: type[BrokenStore]
) -> None:
    """A unit that gets another variation while its own is out of reach has it back afterwards."""
    store = kind()
    assert told(await client(store, sink, TREAT).arun("button")) == SPLIT
    store.broken = ("load",)
    assert (await client(store, sink, button(CONTROL)).arun("button")).key == "control"
    store.broken = ()

    assert told(await client(store, sink, button(CONTROL)).arun("button")) == STICKY


async def test_a_store_that_is_down_is_asked_once_a_request(sink: MemorySink) -> None:
    """Twenty experiments of one page do not wait for it twenty times."""
    many = [Experiment(f"e{number}", ["a", "b"], meta=META) for number in range(20)]
    engine = Engine(many, sink=sink, sticky=BrokenStore("load", "save"))
    experiments = engine.client(id="u1")
    for each in many:
        experiments.run(each)

    assert engine.health().sticky_failures == {"loaded": 1, "skipped": 20}
    assert len(sink.exposures) == 20


class MixedStore(AsyncStore):
    """One whose saves alone are awaited."""

    load = CountingStore.load  # type: ignore[assignment]


def test_a_store_is_awaited_as_a_whole_or_not() -> None:
    """Saves that nobody awaits would be lost without a word."""
    with pytest.raises(ConfigurationError, match="MixedStore has one of load and save"):
        Engine(sticky=MixedStore())  # type: ignore[arg-type]  # so a type checker says it, too
