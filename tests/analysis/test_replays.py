"""A/A tests pass for what is sound, and fail for the mistakes that they are there to find."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy import stats

from abmiddleware import Experiment
from abmiddleware.analysis.aggregating import capped, moments
from abmiddleware.analysis.replays.making import recorded, synthetic, whole_clusters
from abmiddleware.analysis.replays.replaying import replay
from abmiddleware.analysis.replays.trial import Trial
from abmiddleware.analysis.replays.units import Measured, Units
from abmiddleware.analysis.replays.verdict import Replays
from abmiddleware.analysis.subject import Subject
from abmiddleware.analysis.warehouse import Warehouse, open_journal
from abmiddleware.design.designs import Designs
from abmiddleware.design.metrics import Measure, Metric
from abmiddleware.design.record import ExperimentRecord
from abmiddleware.evaluation.definition import Definition
from abmiddleware.evaluation.plan import compile_plan
from abmiddleware.exceptions import ConfigurationError, DefinitionError
from tests.analysis.records import DAY, START_US, exposure, outcome, write

CONVERSION = Metric(kind="proportion", event="purchase")
REVENUE = Metric(kind="mean", event="purchase")
PLAN = Experiment("button", ["old", "new"], hash_version=2).plan
RECORD = ExperimentRecord(
    goals=("conversion",), baseline=0.3, deviation=0.3, end=dt.date(2026, 12, 14)
)
SEQUENTIAL = msgspec.structs.replace(RECORD, sequential=True, tuning=500)
REPLAYS = 300
FOREVER = 2**61


def replayed(units: Units, record: ExperimentRecord = RECORD, **options: Any) -> Replays:
    """Return what replays of an experiment of two variations find."""
    return replay(units, Trial.of(PLAN, record, **options), REPLAYS)


def shares(count: int = 600, **options: Any) -> Units:
    """Return units of which three in ten have it."""
    return synthetic("conversion", CONVERSION, RECORD, count, **options)


# Made up.


def test_a_share_keeps_its_promise() -> None:
    """Its false positives are as alpha says, with the exact interval, and its splits are well."""
    found = replayed(shares())

    assert found.passes, found.problems
    assert (found.units, found.replays, found.metrics) == (600, REPLAYS, ["conversion"])
    assert found.share == found.finds / REPLAYS
    assert found.low == pytest.approx(stats.beta.ppf(0.025, found.finds, REPLAYS - found.finds + 1))
    assert found.high == pytest.approx(
        stats.beta.ppf(0.975, found.finds + 1, REPLAYS - found.finds)
    )
    assert found.p_value == pytest.approx(stats.binomtest(found.finds, REPLAYS, 0.05).pvalue)


def test_both_versions_of_the_hash_keep_their_promise() -> None:
    """Over experiments, too: replays of the first version do not go together."""
    finds = dict.fromkeys((1, 2), 0)
    for version in finds:
        for number in range(6):
            plan = Experiment(f"button-{number}", ["a", "b"], hash_version=version).plan
            found = replay(shares(400), Trial.of(plan, RECORD), 100)
            assert found.passes, found.problems
            finds[version] += found.finds

    assert all(stats.binomtest(count, 600, 0.05).pvalue > 0.01 for count in finds.values())


@pytest.mark.parametrize("baseline", [0.3, -0.3], ids=["gamma", "normal"])
def test_a_mean_keeps_its_promise(baseline: float) -> None:
    """By Welch's test, of values that are skewed and of values that are not."""
    record = msgspec.structs.replace(RECORD, baseline=baseline)
    units = synthetic("revenue", REVENUE, record, 600)

    (values,) = units.measured["revenue"].columns.values()
    assert values.mean() == pytest.approx(baseline, abs=0.05)
    assert values.std() == pytest.approx(0.3, abs=0.05)
    assert replayed(units, record).passes


def test_unequal_weights_of_three_variations_keep_it_together() -> None:
    """Holm holds alpha for all comparisons at once; less than it is no fault."""
    plan = Experiment("button", ["a", "b", "c"], weights=[0.5, 0.3, 0.2]).plan
    found = replay(shares(900), Trial.of(plan, RECORD), REPLAYS)

    assert found.passes, found.problems
    assert found.is_conservative


def test_peeking_fails_a_fixed_plan_and_no_sequential_one() -> None:
    """Whoever stops at the first find finds too much, unless each look was planned for."""
    peeked = replayed(shares(), looks=6)

    assert not peeked.passes
    assert peeked.low > 0.05
    assert "(peeking)" in peeked.problems[0]
    assert replayed(shares(), SEQUENTIAL, looks=6).passes


def test_pooled_phases_of_a_weight_ramp_fail_while_the_rate_changes() -> None:
    """Late units buy more, and more of them see the new; the same units pass without a ramp."""
    units = shares(1_000, drift=1.0)
    ramped = replayed(units, ramp=(0.05, 0.5))

    assert not ramped.passes
    assert ramped.low > 0.05
    assert "phases of other weights are pooled" in ramped.problems[0]
    assert "the split is alarming" in ramped.problems[1]
    assert replayed(units).passes


def test_units_of_hashed_clusters_fail_and_the_clusters_pass() -> None:
    """The wrong unit: those of a cluster are alike, and all of them have one variation."""
    units = shares(1_000, cluster_size=10, correlation=0.3)
    wrong = replayed(units)

    assert not wrong.passes
    assert wrong.low > 0.05
    assert "clusters are hashed and units are tested" in wrong.problems[0]
    clusters = whole_clusters(units)
    assert len(clusters.ids) == 100
    assert replayed(clusters).passes
    assert replayed(msgspec.structs.replace(units, clusters=None)).passes


def test_too_few_events_are_told() -> None:
    """An exact test of a handful of events finds less than it may."""
    units = synthetic("conversion", CONVERSION, msgspec.structs.replace(RECORD, baseline=0.01), 200)
    found = replayed(units)

    assert not found.passes
    assert found.problems[0].startswith("too little is found")


def test_ids_that_the_hash_cannot_spread_alarm_the_split() -> None:
    """As where one id stands for everybody."""
    units = msgspec.structs.replace(shares(200), ids=["nobody"] * 200)
    found = replayed(units)

    assert found.alarms == REPLAYS
    assert "ids that are not unique" in found.problems[-1]


def test_whole_clusters_have_the_sums_of_their_units() -> None:
    """Of those that count; what was before is divided by the units, too."""
    flags = np.array([True, True, False, True])
    columns = {"value": np.array([1.0, 2.0, 4.0, 8.0]), "before": np.array([1.0, 0, 0, 3.0])}
    measured = {"revenue": Measured(REVENUE, flags, columns)}
    found = whole_clusters(Units(["a", "b", "c", "d"], measured, ["y", "x", "x", "y"]))

    summed = found.measured["revenue"].columns
    assert found.ids == ["y", "x"]
    assert {name: list(column) for name, column in summed.items()} == {
        "value": [9, 2],
        "divisor": [2, 1],
        "before": [4, 0],
        "divisor_before": [2, 1],
    }


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"looks": 0}, "looks: is 0, must be 1 or more"),
        ({"ramp": (0.5, 1.0)}, "ramp: has 1, must have shares between 0 and 1"),
    ],
    ids=["looks", "ramp"],
)
def test_a_trial_that_cannot_be_is_refused(options: dict[str, Any], problem: str) -> None:
    """With what it must be."""
    with pytest.raises(ConfigurationError, match=problem):
        Trial.of(PLAN, RECORD, **options)


def test_an_experiment_that_includes_nobody_is_refused() -> None:
    """Its hash is of no version, or its ranges are empty; a payload may have either."""
    empty = Experiment("x", ["a", "b"], ranges=[(0.0, 0.0), (0.5, 0.5)]).plan
    with pytest.raises(DefinitionError, match=r"x\.ranges: include nobody"):
        Trial.of(empty, RECORD)
    unknown = compile_plan(Definition("x", ["a", "b"], hash_version=3))
    with pytest.raises(DefinitionError, match=r"x\.hash_version: is 3, must be 1 or 2"):
        Trial.of(unknown, RECORD)


def test_too_few_replays_and_units_are_refused() -> None:
    """Their share says nothing."""
    with pytest.raises(ConfigurationError, match="replays: is 99, must be 100 or more"):
        replay(shares(), Trial.of(PLAN, RECORD), 99)
    with pytest.raises(ConfigurationError, match="has 99 units, must have 100 or more"):
        shares(99)


def test_units_are_made_up_of_what_the_record_says() -> None:
    """Of one without a baseline none can be, nor of a ratio."""
    ratio = Metric(kind="ratio", event="purchase", denominator=Measure(event="visit"))
    with pytest.raises(DefinitionError, match="baseline: is 0, must be between 0 and 1"):
        synthetic("conversion", CONVERSION, ExperimentRecord(), 200)
    with pytest.raises(DefinitionError, match="deviation: must be given for a mean"):
        synthetic("revenue", REVENUE, ExperimentRecord(baseline=1.0), 200)
    with pytest.raises(ConfigurationError, match="'basket' is a ratio"):
        synthetic("basket", ratio, RECORD, 200)
    with pytest.raises(ConfigurationError, match="correlation: is 1, must be 0 or more"):
        shares(correlation=1.0)
    with pytest.raises(ConfigurationError, match="cluster_size: is 0"):
        shares(cluster_size=0)


# Recorded.

METRICS = {
    "conversion": CONVERSION,
    "revenue": Metric(kind="mean", event="purchase", cuped_days=7, window_days=2, cap_at=40),
    "basket": Metric(
        kind="ratio", event="purchase", denominator=Measure(event="visit", aggregate="count")
    ),
    "through": Metric(kind="funnel", steps=("visit", "purchase")),
}
DESIGNS = Designs.of(METRICS, {"button": RECORD})


def records(units: int = 300, effect: float = 0.0) -> list[dict[str, Any]]:
    """Return records of units that all saw one of two variations, ten of each company."""
    source = np.random.default_rng(5)
    rich = source.gamma(1.0, 1.0, units // 10)
    found = []
    for unit in range(units):
        at = START_US + unit * DAY // 100
        ids = {"unit_ids": {"id": str(unit), "company": f"c{unit // 10}"}}
        found.append(exposure(unit, "ab"[unit % 2], at))
        found.append(outcome(unit, "visit", None, at + 1, **ids))
        if source.random() < 0.2 * rich[unit // 10] + effect * (unit % 2):
            found.append(outcome(unit, "purchase", source.exponential(20), at + 2, **ids))
        if source.random() < 0.5:
            found.append(outcome(unit, "purchase", source.exponential(20), at - 9, **ids))
    return found


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    place = tmp_path_factory.mktemp("records") / "journal.jsonl"
    return open_journal(write(place, records(effect=0.3)))


def taken(warehouse: Warehouse, *names: str, until_us: int = FOREVER, by: str = "") -> Units:
    """Return recorded units, with metrics."""
    return recorded(Subject.of(PLAN), DESIGNS, warehouse, names, until_us, by)


def test_recorded_units_pass_whatever_they_saw(warehouse: Warehouse) -> None:
    """An effect between what were the variations is none between those of a replay."""
    found = replayed(taken(warehouse, "conversion"))

    assert found.passes, found.problems
    assert found.units == 300


def test_recorded_values_are_those_of_an_analysis(warehouse: Warehouse) -> None:
    """Capped, with what was before and with zeros; only of units whose window has closed."""
    from abmiddleware.analysis.activity import Activity
    from abmiddleware.analysis.population import population
    from abmiddleware.analysis.unit_values import eligible, unit_values

    until_us = START_US + 4 * DAY
    units = taken(warehouse, *METRICS, until_us=until_us)
    assert units.ids == [str(unit) for unit in range(300)]
    people = population(warehouse.exposures, "button", 0, until_us).units
    for name, metric in METRICS.items():
        activity = Activity(people, warehouse, "id", until_us, until_us, 7)
        values = capped(unit_values(metric, activity), metric)
        count = eligible(people, metric, until_us).filter(people.variation == "b").count()
        theirs = moments(values, {"b": count.to_pyarrow().as_py()})["b"]
        measured = units.measured[name]
        seen = measured.counts & np.array([int(unit) % 2 == 1 for unit in units.ids])
        ours = {column: of[seen].mean() for column, of in measured.columns.items()}
        assert ours == pytest.approx(dict(theirs.means)), name
        assert int(seen.sum()) == theirs.units


def test_metrics_are_replayed_together(warehouse: Warehouse) -> None:
    """Shares, means with CUPED and ratios, with Holm over all."""
    assert replayed(taken(warehouse, "conversion", "revenue", "basket")).passes


def test_recorded_units_that_are_hashed_by_company_fail(warehouse: Warehouse) -> None:
    """By the ids that outcomes have beside the unit's; tested by company they pass."""
    units = taken(warehouse, "conversion", by="company")

    assert units.hashed[:11] == ["c0"] * 10 + ["c1"]
    assert not replayed(units).passes
    assert len(whole_clusters(units).ids) == 30
    with pytest.raises(ConfigurationError, match="by: is 'team', must be an id that outcomes"):
        taken(warehouse, "conversion", by="team")


def test_an_experiment_without_units_is_no_test(warehouse: Warehouse) -> None:
    """It says how to make some up."""
    subject = Subject.of(Experiment("colour", ["a", "b"]).plan)
    with pytest.raises(ConfigurationError, match="colour: has 0 units, must have 100 or more"):
        recorded(subject, DESIGNS, warehouse, ["conversion"], FOREVER)


def test_only_units_that_were_activated_take_part(tmp_path: Path) -> None:
    """Where the record names an activation, as in the analysis."""
    rows = [exposure(unit, "a") for unit in range(200)]
    rows += [outcome(unit, "open", None, START_US + 1) for unit in range(150)]
    designs = Designs.of(METRICS, {"button": ExperimentRecord(activation="open")})
    journal = open_journal(write(tmp_path / "journal.jsonl", rows))
    found = recorded(Subject.of(PLAN), designs, journal, ["conversion"], FOREVER)

    assert len(found.ids) == 150


def test_few_units_of_a_variation_are_not_compared() -> None:
    """A variation with one unit has no spread."""
    trial = Trial.of(Experiment("x", ["a", "b"], weights=[0.999, 0.001]).plan, RECORD)

    assert replay(shares(200), trial, 100).finds == 0
