"""Each rule finds its mistake, and nothing in an experiment that is right."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from abmiddleware import Experiment, Prerequisite
from abmiddleware.design.designs import Designs
from abmiddleware.design.ledger import Ledger, Outcome, Step, now
from abmiddleware.design.lifecycle import Status
from abmiddleware.design.lint.conflicts import overlap
from abmiddleware.design.lint.finding import Finding
from abmiddleware.design.lint.linting import lint
from abmiddleware.design.lock import changes, digest_of, locked_plan
from abmiddleware.design.metrics import EventSource, Metric
from abmiddleware.design.record import ExperimentRecord
from abmiddleware.design.shares import effective

TODAY = dt.date(2026, 11, 1)
METRICS = {
    "conversion": Metric(kind="proportion", event="purchase", window_days=7),
    "revenue": Metric(kind="mean", event="purchase"),
    "latency": Metric(kind="mean", event="latency", aggregate="max", direction="down"),
    "free": Metric(kind="mean", event="refund", aggregate="count", margin=0.0),
}
GOOD: dict[str, Any] = {
    "hypothesis": "Because carts are left at the second step, one click raises conversion by 10 %.",
    "owner": "ana@shop.example",
    "surface": ("checkout",),
    "goals": ("conversion",),
    "guardrails": ("latency",),
    "start": dt.date(2026, 11, 2),
    "end": dt.date(2026, 11, 15),
    "mde": 0.1,
    "baseline": 0.1,
    "units_per_day": 3_000.0,
    "decision_rule": "Ship if conversion is better and latency holds; else stay.",
    "confirmed": ("exposure", "aa", "qa"),
}


def button(**fields: Any) -> Experiment[str]:
    return Experiment("button", ["old", "new"], hash_version=2, **fields)


def found(
    record: dict[str, Any] | None = None,
    experiment: Experiment[Any] | None = None,
    others: tuple[Experiment[Any], ...] = (),
    *,
    ledger: Ledger | None = None,
    tmp: Path = Path("nowhere"),
    records: dict[str, ExperimentRecord] | None = None,
    calendar: dict[str, list[dt.date]] | None = None,
    excludes: bool = True,
) -> list[Finding]:
    """Return what lint finds in an experiment that is right but for what is given."""
    one = experiment or button()
    made = ExperimentRecord(**{**GOOD, **(record or {})})
    designs = Designs(METRICS, {"button": made, **(records or {})}, {}, calendar or {})
    plans = {each.key: each.plan for each in (one, *others)}
    return lint(
        one.plan, designs, plans, ledger or Ledger(tmp / "none"), today=TODAY, excludes=excludes
    )


def test_an_experiment_that_is_right_has_no_finding() -> None:
    """By no rule."""
    assert found() == []


@pytest.mark.parametrize(
    ("record", "rule", "level", "problem"),
    [
        ({"hypothesis": "Green."}, "L1", "error", "has 6 characters"),
        ({"hypothesis": "x" * 50}, "L1", "error", "has no direction"),
        ({"owner": ""}, "L2", "error", "must name who answers"),
        ({"end": None}, "L2", "error", "must be the planned last day"),
        ({"goals": ()}, "L3", "error", "are missing"),
        ({"goals": ("conversion", "free"), "units_per_day": 9e4}, "L3", "warning", "are two"),
        ({"guardrails": ()}, "L4", "warning", "must not get worse"),
        ({"guardrails": ("free",)}, "L4", "error", "has the margin 0"),
        ({"secondary": ("latency",)}, "L5", "error", "'latency' has two roles"),
        ({"mde": 0.0}, "L6", "error", "baseline and units_per_day must be given"),
        ({"mde": 0.02}, "L6", "error", "to find 2.0% with a power of 80%"),
        ({"units_per_day": 100.0}, "L7", "error", "brings 70 conversions of a variation"),
        ({"mde": 0.6}, "L8", "warning", "is 60%"),
        ({"end": dt.date(2026, 11, 4)}, "L9", "error", "3 days, must be whole weeks"),
        ({"end": dt.date(2026, 11, 10)}, "L9", "error", "9 days, must be whole weeks"),
        ({"end": dt.date(2026, 11, 8), "mde": 0.2}, "L9", "warning", "should be 14 or more"),
        ({"end": dt.date(2026, 12, 20)}, "L9", "warning", "many visitors have another id"),
        ({"sequential": True, "tuning": 500}, "L21", "error", "must be near 42,000"),
        ({"goals": ("revenue",), "deviation": 0.3}, "L23", "warning", "sums without a cap"),
        ({"decision_rule": ""}, "L24", "warning", "should say what is done"),
        ({"confirmed": ("qa",)}, "L17", "error", "lacks 'exposure'"),
        ({"confirmed": ("exposure",)}, "L25", "warning", "lacks 'qa'"),
        ({"activation": "opened"}, "L18", "warning", "lacks 'activation'"),
        ({"confirmed": ("exposure", "qa")}, "L19", "error", "lacks 'aa': `abmiddleware aa` passed"),
    ],
)
def test_a_mistake_of_the_record_is_found(
    record: dict[str, Any], rule: str, level: str, problem: str
) -> None:
    """With its rule, its level and the mend."""
    hits = [one for one in found(record) if one.rule == rule and problem in one.problem]

    assert [one.level for one in hits] == [level]
    assert hits[0].path.startswith("experiments.button")


def test_mistakes_of_the_definition_are_found() -> None:
    """Weights that are not equal without a reason; nobody excluded; a bad day."""
    uneven = button(weights=[0.2, 0.8])
    more = {"units_per_day": 5_000.0}
    assert [one.rule for one in found(more, uneven)] == ["L11"]
    assert found({**more, "why_unequal": "the old one is costly"}, uneven) == []
    ranges = button(ranges=[(0.0, 0.1), (0.1, 0.5)])
    assert [one.rule for one in found(more, ranges)] == ["L11"]
    assert [one.rule for one in found(excludes=False)] == ["L25"]
    holidays = {"founders' day": [GOOD["end"]]}
    assert [one.rule for one in found(calendar=holidays)] == ["L10"]
    many = {f"m{n}": METRICS["free"] for n in range(11)}
    designs = Designs(METRICS | many, {"button": ExperimentRecord(**GOOD, secondary=tuple(many))})
    one = button()
    hits = lint(one.plan, designs, {"button": one.plan}, Ledger("none"), today=TODAY)
    assert [hit.rule for hit in hits] == ["L22"]


def test_few_clusters_are_found() -> None:
    """Companies, say, are fewer than visitors: below 20 no test holds."""
    company = button(hash_attribute="company")
    few = {"units_per_day": 2.0, "baseline": 0.5}
    hits = [one for one in found(few, company) if one.rule == "L16"]
    assert [hit.level for hit in hits] == ["error"]
    assert "brings 14 units by 'company' of a variation, must bring 20" in hits[0].problem
    some = [one for one in found({**few, "units_per_day": 5.0}, company) if one.rule == "L16"]
    assert [hit.level for hit in some] == ["warning"]
    assert not [one for one in found({**few, "units_per_day": 9.0}, company) if one.rule == "L16"]


def test_who_is_held_out_of_all_changes_is_held_out_of_each(tmp_path: Path) -> None:
    """By a prerequisite, or by a part of one namespace; the holdout itself may run."""
    holdout: Experiment[Any] = Experiment(
        "holdout", ["out", "in"], hash_version=2, namespace=("all", 0.0, 0.1)
    )
    records = {"holdout": ExperimentRecord(tags=("holdout",))}
    asking = button(prerequisites=[Prerequisite("holdout", {"value": "in"})])
    apart = button(namespace=("all", 0.1, 1.0))

    (hit,) = found(others=(holdout,), records=records)
    assert (hit.rule, hit.level) == ("L14", "error")
    assert "lack 'holdout', whose control must meet nothing new" in hit.problem
    assert found(experiment=asking, others=(holdout,), records=records) == []
    assert found(experiment=apart, others=(holdout,), records=records) == []


def test_an_experiment_that_decides_who_is_in_another_is_told() -> None:
    """Its variations do not share the visitors of the second alike."""
    page: Experiment[Any] = Experiment("page", ["long", "short"], hash_version=2)
    asking = button(prerequisites=[Prerequisite("page", {"value": "short"})])
    hits = found(experiment=asking, others=(page,))

    assert [(hit.rule, hit.level) for hit in hits] == [("L14", "warning")]
    assert "'page' decides who is in" in hits[0].problem


def test_a_new_phase_needs_a_seed_of_its_own(tmp_path: Path) -> None:
    """Else units keep what they met."""
    ledger = running(tmp_path, button())
    (hit,) = found(experiment=button(phase=1), ledger=ledger)

    assert "is that of the phase before" in hit.problem
    assert found(experiment=button(phase=1, seed="button-2"), ledger=ledger) == []


@pytest.mark.parametrize(("stopped", "rules"), [("2026-09-20", ["L13"]), ("2026-06-20", [])])
def test_a_seed_that_was_used_lately_is_found(
    tmp_path: Path, stopped: str, rules: list[str]
) -> None:
    """Units bring along what they met; after 90 days hardly."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ways: tuple[Status, ...] = ("draft", "ready", "running", "stopped")
    for to in ways:
        ledger.append(Step(at=f"{stopped}T12:00:00Z", key="before", to=to, by="ana"))
    before: Experiment[Any] = Experiment("before", ["a", "b"], hash_version=2, seed="button")

    assert [hit.rule for hit in found(others=(before,), ledger=ledger)] == rules


def test_an_effect_far_below_what_was_moved_before_is_told(tmp_path: Path) -> None:
    """By the outcomes of three experiments or more."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ways: tuple[Status, ...] = ("draft", "ready", "running", "stopped")
    for key, lift in {"a": 0.3, "b": -0.25, "c": 0.4}.items():
        assert [hit.rule for hit in found(ledger=ledger)] == []
        for to in ways:
            ledger.append(Step(at=now(), key=key, to=to, by="ana"))
        outcome = Outcome("conversion", "1", lift, 0.02)
        ledger.append(Step(at=now(), key=key, to="decided", by="ana", outcome=outcome))
    (hit,) = found(ledger=ledger)

    assert (hit.rule, hit.level) == ("L8", "warning")
    assert "is 10.0%, where half of 3 experiments moved it by 30.0% or more" in hit.problem


def test_an_experiment_without_a_record_is_told() -> None:
    """Nothing else can be said of it."""
    one = button()
    (hit,) = lint(one.plan, Designs(METRICS), {"button": one.plan}, Ledger("none"), today=TODAY)
    assert "must be a record" in str(hit)


def test_seeds_that_go_together_are_found() -> None:
    """By seed, hash version and unit; another of the three is enough."""
    twin = Experiment("twin", ["a", "b"], hash_version=2, seed="button")
    (hit,) = found(others=(twin,))
    assert (hit.rule, hit.level) == ("L13", "error")
    assert "'button' is that of 'twin', too" in hit.problem
    for apart in (
        Experiment("twin", ["a", "b"], hash_version=1, seed="button"),
        Experiment("twin", ["a", "b"], hash_version=2, seed="button", hash_attribute="company"),
        Experiment("twin", ["a", "b"], hash_version=2, seed="button", active=False),
    ):
        assert found(others=(apart,)) == []


@pytest.mark.parametrize(
    ("namespace", "attribute", "problem"),
    [
        (("shop", 0.4, 1.0), "id", "overlaps 'other'"),
        (("shop", 0.5, 1.0), "company", "their parts exclude nobody"),
        (("shop", 0.5, 1.0), "id", ""),
        (("other", 0.0, 1.0), "id", ""),
    ],
)
def test_namespaces_that_exclude_nobody_are_found(
    namespace: tuple[str, float, float], attribute: str, problem: str
) -> None:
    """Overlaps, and members of another unit."""
    other = Experiment(
        "other", ["a", "b"], hash_version=2, namespace=namespace, hash_attribute=attribute
    )
    hits = found(experiment=button(namespace=("shop", 0.0, 0.5)), others=(other,))

    assert [problem in hit.problem for hit in hits] == [True] * bool(problem)


def test_a_namespace_named_as_the_seed_is_found() -> None:
    """Its hash would be that of the variations."""
    (hit,) = found(experiment=button(namespace=("button", 0.0, 0.5)))
    assert "is its seed, too" in hit.problem


def test_one_surface_of_two_experiments_is_told_with_its_overlap() -> None:
    """Unless a namespace keeps them apart."""
    other = Experiment("other", ["a", "b"], hash_version=2, coverage=0.5)
    records = {"other": ExperimentRecord(surface=("checkout", "cart"))}
    (hit,) = found(experiment=button(coverage=0.4), others=(other,), records=records)
    assert (hit.level, "checkout is that of 'other', too; about 20%" in hit.problem) == (
        "warning",
        True,
    )
    one, two = (button(namespace=("s", 0.0, 0.5)), Experiment("o", [1, 2], namespace=("s", 0.5, 1)))
    assert overlap(one.plan, two.plan) == 0.0


@pytest.mark.parametrize(
    ("surface", "level", "where"),
    [("checkout", "error", "on checkout"), ("search", "warning", "though on another surface")],
)
def test_one_parameter_of_two_experiments_is_told(surface: str, level: str, where: str) -> None:
    """On one surface it is an error: who is in both gets what comes last."""
    own = Experiment("button", [{"colour": "red", "size": 2}, {"colour": "blue"}], hash_version=2)
    others = (
        Experiment("other", [{"size": 1}, {"size": 2, "text": "Buy"}], hash_version=2),
        Experiment("third", [{"text": "a"}, {"text": "b"}], hash_version=2),
    )
    records = {key: ExperimentRecord(surface=(surface,)) for key in ("other", "third")}
    (hit,) = [
        one
        for one in found(experiment=own, others=others, records=records)
        if one.path.endswith("variations")
    ]

    assert (hit.rule, hit.level) == ("L14", level)
    assert f"'size' is set by 'other', too, {where}, for about 100% of visitors" in hit.problem


def test_parameters_of_experiments_that_share_nobody_are_no_conflict() -> None:
    """A namespace keeps them apart."""
    own = Experiment("button", [{"size": 2}, {"size": 3}], namespace=("s", 0, 0.5), hash_version=2)
    other = Experiment("o", [{"size": 1}, {"size": 2}], namespace=("s", 0.5, 1), hash_version=2)
    records = {"o": ExperimentRecord(surface=("checkout",))}

    assert found(experiment=own, others=(other,), records=records) == []


def test_experiments_elsewhere_that_move_the_same_goal_are_noted() -> None:
    """All of them in one note, which is no warning; not those that share nobody."""
    own = button(namespace=("s", 0, 0.5))
    others = (
        Experiment("apart", ["a", "b"], hash_version=2, namespace=("s", 0.5, 1)),
        Experiment("banner", ["a", "b"], hash_version=2),
        Experiment("cart", ["a", "b"], hash_version=2),
        Experiment("search", ["a", "b"], hash_version=2),
    )
    goals = {
        "apart": "conversion",
        "banner": "conversion",
        "cart": "revenue",
        "search": "conversion",
    }
    records = {key: ExperimentRecord(surface=(key,), goals=(goal,)) for key, goal in goals.items()}
    (hit,) = found(experiment=own, others=others, records=records)

    assert (hit.rule, hit.level) == ("L14", "note")
    assert "conversion is a goal of 'banner', 'search', too" in hit.problem


def running(tmp_path: Path, experiment: Experiment[Any], coverage: float = 0.5) -> Ledger:
    """Return the history of an experiment that has begun."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    designs = Designs(METRICS, {"button": ExperimentRecord(**GOOD)})
    locked = locked_plan(experiment.plan, designs)
    for to in ("draft", "ready"):
        ledger.append(Step(at=now(), key="button", to=to, by="ana"))
    ledger.append(
        Step(
            at=now(),
            key="button",
            to="running",
            by="ana",
            digest=digest_of(locked),
            plan=locked,
            coverage=coverage,
        )
    )
    return Ledger(ledger.path)


def test_what_was_locked_must_stay(tmp_path: Path) -> None:
    """Weights, seed, goals and the plan; coverage may rise, and secondary metrics come."""
    ledger = running(tmp_path, button(coverage=0.5))

    assert found(experiment=button(coverage=0.5), ledger=ledger) == []
    for record, experiment, place in (
        ({"alpha": 0.1}, button(coverage=0.5), "record.alpha: was 0.05, is 0.1"),
        ({}, button(coverage=0.5, seed="x"), 'seed: was "button", is "x"'),
        ({}, button(coverage=0.5, weights=[0.6, 0.4]), "weights: was [0.5,0.5], is [0.6,0.4]"),
        ({}, button(ranges=[(0, 0.1), (0.1, 0.4)]), "weights: was [0.5,0.5], is [0.25,0.75]"),
        ({}, button(coverage=0.5, condition={"country": "NL"}), "targeting.condition: was null"),
        ({}, button(coverage=0.5, namespace=("n", 0, 1)), "targeting.namespace: was null"),
        ({"end": dt.date(2026, 11, 22)}, button(coverage=0.5), "record.end"),
    ):
        hits = found(record, experiment, ledger=ledger)
        assert [hit.rule for hit in hits if place in hit.problem] == ["L12"]
    assert found({"secondary": ("revenue",)}, button(coverage=0.5), ledger=ledger) == []
    (down,) = found(experiment=button(coverage=0.4), ledger=ledger)
    assert "must rise" in down.problem
    (up,) = found(experiment=button(coverage=0.6), ledger=ledger)
    assert "which no step tells" in up.problem


def test_unequal_shares_need_more_units() -> None:
    """As many as the harmonic mean of the two smallest tells: at 9 to 1 nearly three times."""
    equal = {"end": dt.date(2026, 11, 15), "units_per_day": 3_000.0}
    assert [hit.rule for hit in found(equal, button())] == []
    uneven = {**equal, "why_unequal": "a costly variation"}
    (hit,) = found(uneven, button(weights=[0.9, 0.1]))

    assert hit.rule == "L6"
    assert "brings 7,560 units of a variation (counted as of equal shares), must" in hit.problem
    assert effective([0.5, 0.5]) == 0.5
    assert effective([0.9, 0.1]) == pytest.approx(0.18)
    assert effective([0.5, 0.5, 0.0]) == 0.5
    assert effective([1.0, 0.0]) == 0.0


def test_a_query_of_the_goal_is_locked(tmp_path: Path) -> None:
    """Another table of orders is another goal."""
    metric = Metric(kind="mean", source="orders", column="price")
    locked = [
        locked_plan(
            button().plan,
            Designs.of(
                {"revenue": metric},
                {"button": ExperimentRecord(goals=("revenue",))},
                {"orders": EventSource(sql=sql, ids={"id": "visitor"})},
            ),
        )
        for sql in ("SELECT * FROM orders", "SELECT * FROM orders WHERE paid")
    ]

    assert changes(*locked)[0].startswith('sources.orders.sql: was "SELECT * FROM orders"')


def test_a_key_that_was_an_experiment_is_found(tmp_path: Path) -> None:
    """Its units keep what they met."""
    ledger = running(tmp_path, button())
    ledger.append(Step(at=now(), key="button", to="stopped", by="ana", why="done"))
    (hit,) = found(ledger=ledger)
    assert "was an experiment before" in hit.problem
