"""The client and the engine, without any web framework."""

from __future__ import annotations

import datetime
import enum
import logging
import pickle
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from abmiddleware import (
    DefinitionError,
    Engine,
    Experiment,
    Exposure,
    Journal,
    JournalReader,
    Link,
    MemorySink,
    OutcomeRow,
    Reason,
    RecordError,
    UnknownExperimentError,
    VariationMeta,
)
from abmiddleware.exposures.records import ExposureRow
from tests.recorded import of_units
from tests.request_facts import Page

MODEL = Experiment("ranking-model", ["linear", "boosted"], hash_version=2)
PRICE = Experiment("price", [9.99, 11.99], hash_attribute="company", weights=[0.5, 0.5])


@pytest.fixture
def engine(sink: MemorySink) -> Engine:
    return Engine([MODEL, PRICE], sink=sink, service="batch")


def test_a_script_uses_the_same_client(engine: Engine, sink: MemorySink) -> None:
    """Without a web request a client runs experiments for whom it is told."""
    with engine.client(id="u1", country="NL") as experiments:
        value = experiments.run(MODEL).value

    assert value in MODEL.variations
    assert sink.exposures[0].unit_id == "u1"
    assert sink.exposures[0].service == "batch"


def test_with_writes_once_at_its_end(tmp_path: Path) -> None:
    """Within `with`, all records go out together at the end, also when it ends by an error."""
    journal = tmp_path / "journal.jsonl"
    engine = Engine([MODEL], journal=journal)

    def fail() -> None:
        with engine.client(id="u1") as experiments:
            experiments.run(MODEL)
            assert not journal.exists()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert len(list(JournalReader(journal))) == 1


def test_without_with_each_record_is_written_at_once(engine: Engine, sink: MemorySink) -> None:
    """A client that nobody closes loses nothing."""
    engine.client(id="u1").run(MODEL)

    assert len(sink.exposures) == 1


def test_a_unit_that_nothing_gives_is_told(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """An experiment by an attribute that is misspelled or forgotten is in the log, once."""
    for _ in range(3):
        engine.client(id="u1", compny="acme").run(PRICE)

    assert caplog.text.count("experiment 'price' is randomised by 'company'") == 1


def test_an_outcome_without_a_unit_is_a_mistake(sink: MemorySink) -> None:
    """An outcome that could count for nobody raises in tests and is counted else."""
    with pytest.raises(RecordError, match="has no unit"):
        Engine(sink=sink, strict=True).client().track("purchase")
    relaxed = Engine(sink=sink, strict=False)
    relaxed.client().track("purchase")

    assert relaxed.lost == {"outcome invalid": 1}
    assert sink.records == []


def test_without_an_id_nobody_is_in(engine: Engine, sink: MemorySink) -> None:
    """A script has no visitor: without an id the control is served and nothing recorded."""
    result = engine.client().run(MODEL)

    assert (result.in_experiment, result.value) == (False, "linear")
    assert result.reason == "no_unit"
    assert sink.records == []


def test_a_key_and_its_object_are_one(engine: Engine, sink: MemorySink) -> None:
    """Asking by key and by object gives one answer and one exposure."""
    experiments = engine.client(id="u1")

    assert experiments.run("ranking-model") is experiments.run(MODEL)
    assert len(sink.exposures) == 1


def test_an_unregistered_experiment_runs(engine: Engine, sink: MemorySink) -> None:
    """An experiment object needs no registration."""
    banner = Experiment("banner", [("grid", 3), ("list", 1)])

    assert engine.client(id="u1").run(banner).value in banner.variations
    assert sink.exposures[0].experiment_key == "banner"


def test_two_experiments_with_one_key_are_an_error(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """Two different definitions of one key raise in tests, and warn in production."""
    twin = Experiment("ranking-model", ["linear", "deep"])
    with pytest.raises(DefinitionError, match="ranking-model: is the key of two"):
        engine.client(id="u1").run(twin)
    relaxed = Engine([MODEL], sink=MemorySink(), strict=False)
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        relaxed.client(id="u1").run(twin)

    assert "is the key of two different experiments" in caplog.text


def test_an_equal_definition_is_no_twin(engine: Engine) -> None:
    """An experiment that is built anew in each call, but the same, is fine."""
    for _ in range(3):
        again = Experiment("ranking-model", ["linear", "boosted"], hash_version=2)
        assert engine.client(id="u1").run(again).in_experiment


def test_an_unknown_key_names_the_nearest(engine: Engine) -> None:
    """The error of a mistyped key says what was probably meant."""
    with pytest.raises(UnknownExperimentError, match="did you mean 'ranking-model'") as caught:
        engine.client(id="u1").run("ranking-modle")

    assert caught.value.nearest == ("ranking-model",)


@pytest.mark.parametrize("strict", [True, False])
def test_a_key_of_a_wrong_type_is_unknown(sink: MemorySink, strict: bool) -> None:
    """What is neither key nor experiment is a clear error in tests and no experiment else."""
    experiments = Engine([MODEL], sink=sink, strict=strict).client(id="u1")
    wrong: Any = 7
    if strict:
        with pytest.raises(UnknownExperimentError, match="no experiment '7'"):
            experiments.run(wrong)
    else:
        assert experiments.run(wrong).reason == "unknown"
        assert experiments.peek(wrong).reason == "unknown"


def test_value_gives_the_default_outside(engine: Engine) -> None:
    """`value` is the variation for who is in, and the default for who is not."""
    assert engine.client(company="acme").value(PRICE, 1.0) in PRICE.variations
    assert engine.client().value(PRICE, 1.0) == 1.0


def test_assignments_are_those_seen(engine: Engine) -> None:
    """`assignments` lists what was run and peeked so far."""
    experiments = engine.client(id="u1", company="acme")
    assert experiments.assignments == {}
    run, peeked = experiments.run(MODEL), experiments.peek(PRICE)

    assert experiments.assignments == {"ranking-model": run, "price": peeked}


def test_identify_does_not_change_an_answer(engine: Engine, sink: MemorySink) -> None:
    """What is decided keeps its answer; what is decided later uses the new attributes."""
    experiments = engine.client(id="u1")
    before = experiments.run(MODEL)
    experiments.identify(id="u2", company="acme")

    assert experiments.run(MODEL) is before
    assert experiments.run(PRICE).hash_value == "acme"
    assert len(sink.exposures) == 2


def test_a_user_is_linked_once(engine: Engine, sink: MemorySink) -> None:
    """Naming the same user again in one request records no second link."""
    experiments = engine.client(id="u1")
    experiments.identify(user_id=7)
    experiments.identify(user_id=7)
    experiments.identify(country="NL")

    assert len(sink.records) == 1


def test_a_newcomer_is_linked_when_the_id_is_issued(sink: MemorySink) -> None:
    """A login before the first experiment is linked as soon as the visitor has an id."""
    experiments = Engine([MODEL], sink=sink).request_client(Page())
    experiments.identify(user_id=7)
    experiments.run(MODEL)
    experiments.response_starts()

    assert {type(record) for record in sink.records} == {Link, Exposure}
    assert sink.exposures[0].unit_id == next(
        record.id_a for record in sink.records if isinstance(record, Link)
    )


def test_threads_of_a_newcomer_agree_on_the_id(sink: MemorySink) -> None:
    """Whichever thread issues the id, the cookie has the one that was exposed."""
    engine = Engine([MODEL], sink=sink)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(200):
            sink.clear()
            experiments = engine.request_client(Page())
            list(pool.map(experiments.run, [MODEL] * 8))
            experiments.response_starts()
            (cookie,) = experiments.cookies()

            assert cookie is not None
            assert cookie.value.split(".")[0] == sink.exposures[0].unit_id


@pytest.mark.parametrize("given", [1234567890123456789, Decimal(1234567890123456789)])
def test_a_large_id_is_recorded_in_full(
    engine: Engine, sink: MemorySink, given: int | Decimal
) -> None:
    """An id beyond 2**53 is hashed as other SDKs do, and recorded as other tables have it."""
    experiments = engine.client(id=given)
    experiments.run(MODEL)
    experiments.track("purchase")

    assert sink.exposures[0].unit_id == "1234567890123456789"
    assert sink.outcomes[0].unit_ids == {"id": "1234567890123456789"}
    assert experiments.run(MODEL).bucket == engine.client(id=1234567890123456800).run(MODEL).bucket


def test_an_outcome_counts_for_unregistered_experiments(sink: MemorySink) -> None:
    """The unit of an experiment that was never given to the engine is on outcomes as well."""
    engine = Engine(sink=sink)
    engine.client(id="u1", company="acme").run(PRICE)
    engine.client(id="u1", company="acme").track("purchase")

    assert sink.outcomes[0].unit_ids == {"id": "u1", "company": "acme"}


def test_an_outcome_is_recorded_as_it_was(engine: Engine, sink: MemorySink) -> None:
    """What the application changes after `track` is not in the record."""
    cart = ["book"]
    with engine.client(id="u1") as experiments:
        experiments.track("purchase", 5, items=cart, event="sale")
        cart.clear()

    assert sink.outcomes[0].properties == {"items": ["book"], "event": "sale"}


def test_another_experiment_of_the_key_keeps_its_types(sink: MemorySink) -> None:
    """In one request, too, a second definition of a key is an error in tests, else itself."""
    twin = Experiment("ranking-model", [1.0, 2.0])
    with pytest.raises(DefinitionError, match="two different experiments"):
        run_both(Engine([MODEL], sink=sink), twin)
    results = run_both(Engine([MODEL], sink=sink, strict=False), twin)

    assert [type(result.value) for result in results] == [str, float]
    assert len(sink.exposures) == 2  # of MODEL, once for each engine


def run_both(engine: Engine, twin: Experiment[float]) -> list[Any]:
    experiments = engine.client(id="u1")
    return [experiments.run(MODEL), experiments.run(twin)]


def test_who_is_out_needs_no_attribute(sink: MemorySink) -> None:
    """An inactive experiment, or one whose condition fails, computes no unit."""
    calls: list[object] = []
    engine = Engine(sink=sink, attributes={"company": calls.append})
    experiments = engine.request_client(Page())
    experiments.run(Experiment("off", [1, 2], hash_attribute="company", active=False))
    experiments.run(Experiment("no", [1, 2], hash_attribute="company", condition={"a": 1}))

    assert calls == []


def test_a_definition_built_anew_has_the_same_answer(engine: Engine, sink: MemorySink) -> None:
    """Within one client, too, an equal definition is the same experiment, exposed once."""
    experiments = engine.client(id="u1")
    again = Experiment("ranking-model", ["linear", "boosted"], hash_version=2)

    assert experiments.run(MODEL) is experiments.run(again)
    assert len(sink.exposures) == 1


def test_a_newcomer_is_linked_by_an_outcome(engine: Engine, sink: MemorySink) -> None:
    """A login and an outcome before any experiment are linked by the id that the outcome has."""
    experiments = engine.request_client(Page())
    experiments.identify(user_id=7)
    experiments.track("purchase")
    experiments.response_starts()
    links = [record for record in sink.records if isinstance(record, Link)]

    assert [link.id_b for link in links] == ["7"]
    assert sink.outcomes[0].unit_ids == {"id": links[0].id_a, "user_id": "7"}


def test_what_json_lacks_is_recorded_all_the_same(tmp_path: Path) -> None:
    """Ids and properties that no row can hold as they are still reach the journal."""
    journal = tmp_path / "journal.jsonl"
    experiments = Engine(journal=journal).client(id=10**5000)
    experiments.track("purchase", items={"a": object(), "b": "\ud800", "c": 10**30})
    (row,) = JournalReader(journal)

    assert isinstance(row, OutcomeRow)
    assert row.unit_ids == {"id": "Infinity"}
    assert row.properties["items"]["c"] == 10**30


def test_records_keep_their_order(engine: Engine, sink: MemorySink) -> None:
    """However many wait, they are written in the order they came."""
    with engine.client(id="u1") as experiments:
        for number in range(2500):
            experiments.track("step", number)
        waiting = 2500 - len(sink.outcomes)

    assert [outcome.value for outcome in sink.outcomes] == list(range(2500))
    assert waiting <= 1000


def test_an_experiment_can_be_pickled(engine: Engine) -> None:
    """A worker process can be handed an experiment."""
    copied = pickle.loads(pickle.dumps(MODEL))  # noqa: S301  # our own bytes

    assert copied.plan.config_hash == MODEL.plan.config_hash
    assert engine.client(id="u1").run(copied) == engine.client(id="u1").run(MODEL)


def test_a_definition_does_not_change_with_its_list(engine: Engine) -> None:
    """Changing the list of variations afterwards changes no experiment."""
    variations = ["a", "b"]
    copy = Experiment("copy", variations)
    variations.append("c")

    assert copy.variations == ("a", "b")


class Color(enum.Enum):
    RED = "red"


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("given", "hashed"),
    [
        pytest.param(uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005", id="uuid"),
        pytest.param(7, "7", id="integer"),
        pytest.param(7.0, "7", id="float"),
        pytest.param(Decimal("7.50"), "7.5", id="decimal"),
        pytest.param(Color.RED, "red", id="enum"),
        pytest.param(Text("text"), "text", id="text-subclass"),
        pytest.param(datetime.date(2026, 11, 22), "2026-11-22", id="date"),
        pytest.param((1, 2), "1,2", id="tuple"),
        pytest.param(True, "true", id="true"),
    ],
)
def test_ids_of_python_types_have_one_text(
    engine: Engine, sink: MemorySink, given: object, hashed: str
) -> None:
    """An id of a usual Python type is hashed by its text, the same in every process."""
    engine.client(id=given).run(MODEL)

    assert [exposure.unit_id for exposure in sink.exposures] == [hashed]


def test_an_object_is_no_id(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """An object whose text may differ between processes identifies nobody, and the log says so."""
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        result = engine.client(id=object()).run(MODEL)

    assert not result.in_experiment
    assert "attribute 'id' counts as missing" in caplog.text


def test_attributes_are_computed_only_when_read(sink: MemorySink) -> None:
    """A function of an attribute is called once, and only when an experiment reads it."""
    calls: list[str] = []

    def resolver(name: str) -> Any:
        def resolve(_: object) -> str:
            calls.append(name)
            return f"{name}-value"

        return resolve

    engine = Engine(
        [MODEL, PRICE],
        sink=sink,
        attributes={"company": resolver("company"), "country": resolver("country")},
    )
    experiments = engine.request_client(Page())
    experiments.run(MODEL)
    assert calls == []
    experiments.run(PRICE)
    experiments.peek(PRICE)

    assert calls == ["company"]
    assert engine.client(id="u1").run(PRICE).reason == "no_unit"  # a script has no request
    assert calls == ["company"]


def test_a_failing_attribute_counts_as_missing(
    sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """An attribute's function that raises breaks nothing: the unit is not in, the log tells."""
    engine = Engine([PRICE], sink=sink, attributes={"company": lambda _: 1 / 0})
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        result = engine.request_client(Page()).run(PRICE)

    assert result.reason is Reason.NO_UNIT
    assert "'company' counts as missing" in caplog.text


def test_recorded_attributes_are_those_allowed(sink: MemorySink) -> None:
    """Exposures carry the attributes on the list, and no others."""
    engine = Engine([MODEL], sink=sink, record_attributes=["country", "plan"])
    engine.client(id="u1", country="NL", email="u1@example.com").run(MODEL)

    assert sink.exposures[0].attributes == {"country": "NL", "plan": None}


def test_a_late_exposure_records_the_attributes_of_its_answer(sink: MemorySink) -> None:
    """What is peeked is exposed with the attributes as they were then, however often they change.

    Ids that are known since then stand with it all the same.
    """
    names = ["plan", "country", "browser", "fresh"]
    engine = Engine(
        [MODEL],
        sink=sink,
        record_attributes=names,
        attributes={"country": lambda _: "NL", "browser": lambda _: "Firefox"},
    )
    experiments = engine.request_client(Page())
    experiments.identify(plan="free")
    experiments.peek(MODEL)
    experiments.identify(plan="gold", country="BE")
    experiments.identify(plan="none", fresh=True, user_id=7)
    experiments.expose(MODEL)
    experiments.response_starts()
    exposure = sink.exposures[0]

    assert exposure.attributes == {
        "plan": "free",
        "country": "NL",
        "browser": "Firefox",
        "fresh": None,
    }
    assert exposure.alt_ids == {"user_id": "7"}


@pytest.mark.parametrize("is_within", [True, False], ids=["with", "at-once"])
def test_only_what_waited_is_recorded_with_older_attributes(
    sink: MemorySink, is_within: bool
) -> None:
    """An experiment that is decided after a change is recorded with it; each is recorded once."""
    engine = Engine([MODEL, PRICE], sink=sink, record_attributes=["plan"])
    client = engine.client(id="u1", company="acme", plan="free")
    with client if is_within else nullcontext():
        client.peek(MODEL)
        client.identify(plan="gold")
        client.run(PRICE)
        client.run(MODEL)
        client.run(MODEL)

    assert [(told.experiment_key, told.attributes["plan"]) for told in sink.exposures] == [
        ("price", "gold"),
        ("ranking-model", "free"),
    ]


def test_other_known_ids_are_recorded(engine: Engine, sink: MemorySink) -> None:
    """An exposure carries the other ids that are known, so that analyses can join by them."""
    engine.client(id="u1", company="acme", user_id=7).run(PRICE)

    assert sink.exposures[0].alt_ids == {"id": "u1", "user_id": "7"}


def test_an_exposure_says_what_was_decided(sink: MemorySink) -> None:
    """The record names the variation's key, the phase and the definition."""
    test = Experiment(
        "copy",
        ["a", "b"],
        ranges=[(0, 0), (0, 1)],
        meta=[VariationMeta("short"), VariationMeta("long")],
        phase=3,
    )
    engine = Engine([test], sink=sink)
    engine.client(id="u1").run(test)
    exposure = sink.exposures[0]

    assert (exposure.variation_key, exposure.variation_id, exposure.phase) == ("long", 1, 3)
    assert exposure.config_hash == test.plan.config_hash
    assert exposure.kind == "exposed"


@pytest.mark.parametrize(
    ("event", "value"),
    [
        ("", None),
        (None, None),
        ("buy", "42"),
        ("buy", float("nan")),
        ("buy", True),
        ("buy", 10**400),
    ],
)
def test_a_wrong_outcome_is_an_error_in_tests_and_counted_else(event: Any, value: Any) -> None:
    """An outcome that cannot be recorded raises in tests; in production it is counted as lost."""
    with pytest.raises(RecordError, match="must be a"):
        Engine(sink=MemorySink(), strict=True).client(id="u1").track(event, value)
    relaxed = Engine(sink=MemorySink(), strict=False)
    relaxed.client(id="u1").track(event, value)

    assert relaxed.lost == {"outcome invalid": 1}


def test_fifty_threads_issue_one_answer(engine: Engine, sink: MemorySink) -> None:
    """Fifty threads on one client get the same result object and expose once."""
    for _ in range(20):
        sink.clear()
        experiments = engine.client(id=str(uuid.uuid4()))
        with ThreadPoolExecutor(50) as pool:
            results = list(pool.map(experiments.run, [MODEL] * 50))

        assert len({id(result) for result in results}) == 1
        assert len(sink.exposures) == 1


def test_a_client_keeps_its_snapshot(engine: Engine) -> None:
    """A client decides by the configuration it first asked, though the engine has a newer one."""
    experiments = engine.client(id="u1")
    experiments.peek("ranking-model")
    engine.snapshot = Engine([], sink=MemorySink()).snapshot

    assert experiments.run("ranking-model").in_experiment
    with pytest.raises(UnknownExperimentError):
        engine.client(id="u1").run("ranking-model")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"enabled": False}, (False, "linear", "disabled"), id="disabled"),
        pytest.param({"qa_mode": True}, (False, "linear", "qa_mode"), id="qa-mode"),
        pytest.param(
            {"forced_variations": {"ranking-model": 1}}, (True, "boosted", "forced"), id="forced"
        ),
    ],
)
def test_options_of_the_process_are_not_recorded(
    sink: MemorySink, options: Any, expected: tuple[bool, str, str]
) -> None:
    """Switched off, in QA mode or forced, the variation is served and nothing is recorded."""
    result = Engine([MODEL], sink=sink, **options).client(id="u1").run(MODEL)

    assert (result.in_experiment, result.value, result.reason) == expected
    assert of_units(sink) == []


class Explosive(str):
    """A text that cannot be compared."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    __hash__ = str.__hash__


def test_an_evaluation_that_fails_serves_the_control(
    sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever an attribute does, the view gets the control, and the log tells."""
    targeted = Experiment("targeted", ["off", "on"], condition={"plan": "gold"})
    experiments = Engine([targeted], sink=sink).client(id="u1")
    experiments._context["plan"] = Explosive("gold")
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        result = experiments.run(targeted)

    assert (result.in_experiment, result.value, result.reason) == (False, "off", "error")
    assert "the control is served" in caplog.text
    assert sink.records == []


def test_the_journal_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a sink records go to a journal, named by argument, environment or default."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ABMIDDLEWARE_JOURNAL", raising=False)
    default = Engine().sink
    monkeypatch.setenv("ABMIDDLEWARE_JOURNAL", str(tmp_path / "named.jsonl"))
    named, given = Engine().sink, Engine(journal=tmp_path / "given.jsonl").sink
    names = [sink.path.name for sink in (default, named, given) if isinstance(sink, Journal)]

    assert names == ["abmiddleware.jsonl", "named.jsonl", "given.jsonl"]


def test_the_row_is_what_was_exposed(tmp_path: Path) -> None:
    """What the journal holds reads back as the exposure."""
    engine = Engine([MODEL], journal=tmp_path / "journal.jsonl", service="batch")
    result = engine.client(id="ü-1").run(MODEL)
    (row,) = JournalReader(tmp_path / "journal.jsonl")

    assert isinstance(row, ExposureRow)
    assert (row.v, row.type, row.unit_type, row.unit_id) == (1, "exposure", "id", "ü-1")
    assert (row.variation_key, row.variation_id) == (result.key, result.variation_id)
    assert row.service == "batch"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([Color.RED], id="enum-in-list"),
        pytest.param([Text("red")], id="text-subclass-in-list"),
        pytest.param([("red",)[0], uuid.UUID(int=5)], id="uuid-in-list"),
        pytest.param((Color.RED,), id="enum-in-tuple"),
    ],
)
def test_values_within_lists_count_as_elsewhere(given: object) -> None:
    """A condition that keeps a role out is not passed by a role of another type."""
    banned = Experiment("banned", ["a", "b"], condition={"roles": {"$in": ["red"]}})
    engine = Engine([banned], sink=MemorySink(), attributes={"roles": given})

    assert engine.client(id="u1", roles=given).run(banned).in_experiment
    assert engine.client(id="u1").run(banned).in_experiment


def test_values_within_objects_count_as_elsewhere(engine: Engine) -> None:
    paying = Experiment("paying", ["a", "b"], condition={"company.spent": {"$gt": 5}})
    client = engine.client(id="u1", company={"spent": Decimal("7.50"), "since": [{"x": 1}]})

    assert client.run(paying).in_experiment


def test_an_object_within_a_list_counts_as_missing(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    endless: list[object] = []
    endless.append(endless)
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        results = [engine.client(id=given).run(MODEL) for given in ([object()], endless)]

    assert [result.in_experiment for result in results] == [False, False]
    assert "attribute 'id' counts as missing" in caplog.text


@pytest.mark.parametrize("options", [{}, {"forced_variations": {"other": 0}}], ids=repr)
@pytest.mark.parametrize("given", [[], [None], [[]]], ids=repr)
def test_an_array_is_a_unit_even_if_its_text_is_empty(
    given: object, options: dict[str, Any], sink: MemorySink
) -> None:
    """It is truthy, so it is hashed, whatever else is asked of the engine."""
    other = Experiment("other", ["a", "b"])
    result = Engine([MODEL, other], sink=sink, **options).client(id=given).run(MODEL)

    assert (result.in_experiment, result.reason) == (True, Reason.SPLIT)
    assert [exposure.unit_id for exposure in sink.exposures] == [""]


def test_a_result_is_not_its_value(engine: Engine) -> None:
    """Taken for it, a view would serve one page to all: that is warned of, and breaks none."""
    result = engine.client(id="u1").run(MODEL)
    with pytest.warns(UserWarning, match="compared as a whole: compare its .value"):
        assert (result == result.value) is False
    with pytest.warns(UserWarning, match="is always true: ask .in_experiment or .value"):
        assert bool(result)
    assert result == engine.client(id="u1").run(MODEL)
    assert {result: 1}[engine.client(id="u1").run(MODEL)] == 1
