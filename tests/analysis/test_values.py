"""What counts of a unit, against the same computed by hand in Python."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pytest

from abmiddleware.analysis.activity import Activity
from abmiddleware.analysis.aggregating import capped, moments
from abmiddleware.analysis.analysing import analyse
from abmiddleware.analysis.analysis import Analysis, MetricResult
from abmiddleware.analysis.moments import BEFORE, DIVISOR, VALUE, Moments
from abmiddleware.analysis.population import Population, population
from abmiddleware.analysis.sentences import left_out_of
from abmiddleware.analysis.unit_values import eligible, unit_values
from abmiddleware.analysis.warehouse import COLUMNS, Warehouse, open_journal, open_warehouse
from abmiddleware.design.designs import Designs
from abmiddleware.design.metrics import Measure, Metric
from abmiddleware.design.record import ExperimentRecord
from tests.analysis.records import (
    AB,
    DAY,
    START_US,
    after,
    exposure,
    outcome,
    suppression,
    write,
)

Row = dict[str, Any]
#: Returns the moments of a metric, by variation.
Found = Callable[..., dict[str, Moments]]


def people(journal: Warehouse, until_us: int) -> Population:
    return population(journal.exposures, "button", 0, until_us)


def activity(warehouse: Warehouse, units: Any, until_us: int, metric: Metric) -> Activity:
    return Activity(units, warehouse, "id", until_us, until_us, metric.cuped_days)


def found(path: Path, rows: list[Row], metric: Metric, days: float = 30) -> dict[str, Moments]:
    """Return the moments of a metric over a journal of rows."""
    journal, until_us = open_journal(write(path, rows)), START_US + round(days * DAY)
    everybody = people(journal, until_us).units
    units = eligible(everybody, metric, until_us)
    counts = {
        row["variation"]: row["units"]
        for row in units.group_by("variation").agg(units=units.count()).to_pyarrow().to_pylist()
    }
    values = unit_values(metric, activity(journal, everybody, until_us, metric))
    return moments(capped(values, metric), counts)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def crowd(events: Callable[[random.Random, int], list[Row]]) -> list[Row]:
    """Return 400 units with their events."""
    source = random.Random(1)  # noqa: S311  # made up
    rows = []
    for unit in range(400):
        rows.append(exposure(unit, "ab"[unit % 2], START_US + source.randrange(DAY)))
        rows += events(source, unit)
    source.shuffle(rows)
    return rows


def by_hand(rows: list[Row], amount: Callable[[Row, int], float]) -> dict[str, list[float]]:
    """Return each unit's sum of amounts of its events, by variation."""
    exposed = {row["unit_id"]: row for row in rows if row["type"] == "exposure"}
    totals = dict.fromkeys(exposed, 0.0)
    for row in rows:
        if row["type"] == "outcome":
            unit = row["unit_ids"]["id"]
            totals[unit] += amount(row, exposed[unit]["ts_us"])
    return {
        variation: [
            total for unit, total in totals.items() if exposed[unit]["variation_key"] == variation
        ]
        for variation in "ab"
    }


def purchases(source: random.Random, unit: int) -> list[Row]:
    """Return some purchases of a unit, before and after its first day."""
    return [
        outcome(
            unit, "purchase", source.expovariate(0.05), START_US + source.randrange(-10, 20) * DAY
        )
        for _ in range(source.randrange(4))
    ]


def test_a_mean_sums_what_came_in_the_window(journal: Path) -> None:
    """From the first exposure to the end of the window; who did nothing is a zero."""
    rows = crowd(purchases)
    result = found(journal, rows, Metric(kind="mean", event="purchase", window_days=7))
    hand = by_hand(rows, lambda row, at: row["value"] * (at <= row["ts_us"] < at + 7 * DAY))

    for variation, values in hand.items():
        assert result[variation].units == len(values) == 200
        assert result[variation].mean() == pytest.approx(np.mean(values))
        assert result[variation].variance() == pytest.approx(np.var(values, ddof=1))


def test_what_was_before_is_summed_apart(journal: Path) -> None:
    """Up to the first exposure, with its covariance."""
    rows = crowd(purchases)
    metric = Metric(kind="mean", event="purchase", window_days=7, cuped_days=5)
    result = found(journal, rows, metric)
    after_ = by_hand(rows, lambda row, at: row["value"] * (at <= row["ts_us"] < at + 7 * DAY))
    before = by_hand(rows, lambda row, at: row["value"] * (at - 5 * DAY <= row["ts_us"] < at))

    for variation in "ab":
        covariance = np.cov(after_[variation], before[variation])
        assert result[variation].mean(BEFORE) == pytest.approx(np.mean(before[variation]))
        assert result[variation].covariances[VALUE, BEFORE] == pytest.approx(covariance[0, 1])
        assert result[variation].variance(BEFORE) == pytest.approx(covariance[1, 1])


def test_a_ratio_has_both_sums_of_each_unit(journal: Path) -> None:
    """Also of units that have one of the two alone."""

    def events(source: random.Random, unit: int) -> list[Row]:
        views = [outcome(unit, "view", None) for _ in range(source.randrange(4))]
        return [*purchases(source, unit), *views]

    rows = crowd(events)
    for row in rows:
        if row["type"] == "exposure":
            row["ts_us"] = START_US - 20 * DAY
    denominator = Measure(event="view", aggregate="count")
    metric = Metric(kind="ratio", event="purchase", denominator=denominator)
    result = found(journal, rows, metric)
    values = by_hand(rows, lambda row, _: row["value"] if row["event"] == "purchase" else 0.0)
    views = by_hand(rows, lambda row, _: float(row["event"] == "view"))

    for variation in "ab":
        covariance = np.cov(values[variation], views[variation])
        assert result[variation].ratio == pytest.approx(
            sum(values[variation]) / sum(views[variation])
        )
        assert result[variation].covariances[VALUE, DIVISOR] == pytest.approx(covariance[0, 1])


def test_a_count_a_largest_and_a_share(journal: Path) -> None:
    """Of the same events."""
    rows = crowd(purchases)
    for row in rows:
        if row["type"] == "exposure":
            row["ts_us"] = START_US - 20 * DAY
    counted = by_hand(rows, lambda row, _: 1.0)
    for aggregate, expected in (
        ("count", counted),
        ("max", None),
    ):
        metric = Metric(kind="mean", event="purchase", aggregate=aggregate)  # type: ignore[arg-type]
        result = found(journal, rows, metric)
        if expected is None:
            largest: dict[str, float] = {}
            for row in rows:
                if row["type"] == "outcome":
                    unit = row["unit_ids"]["id"]
                    largest[unit] = max(largest.get(unit, 0.0), row["value"])
            mean = sum(value for unit, value in largest.items() if int(unit) % 2 == 0) / 200
            assert result["a"].mean() == pytest.approx(mean)
        else:
            assert result["a"].mean() == pytest.approx(np.mean(expected["a"]))
    share = found(journal, rows, Metric(kind="proportion", event="purchase"))
    assert share["b"].total == pytest.approx(sum(one > 0 for one in counted["b"]))


def test_retention_counts_what_comes_later(journal: Path) -> None:
    """From `after_days` to the end of the window."""
    rows = [
        *(exposure(unit, "ab"[unit % 2]) for unit in range(12)),
        outcome(0, "visit", None, START_US + 6 * DAY),
        outcome(2, "visit", None, START_US + 7 * DAY),
        outcome(4, "visit", None, START_US + 13 * DAY),
        outcome(6, "visit", None, START_US + 14 * DAY),
    ]
    metric = Metric(kind="retention", event="visit", after_days=7, window_days=14)

    assert found(journal, rows, metric)["a"].total == 2


def test_a_funnel_asks_for_the_order_of_its_steps(journal: Path) -> None:
    """Each not before the one that comes first; one event is not two steps."""
    rows = [*(exposure(unit, "a") for unit in range(10)), *(exposure(f"b{n}", "b") for n in "12")]
    for unit, events in enumerate(["cp", "pc", "p", "c", "cxp", "ccp", "pcp"]):
        for at, event in enumerate(events, 1):
            name = {"c": "cart", "p": "purchase", "x": "other"}[event]
            rows.append(outcome(unit, name, None, START_US + at))
    cart = found(journal, rows, Metric(kind="funnel", steps=("cart", "purchase")))
    twice = found(journal, rows, Metric(kind="funnel", steps=("cart", "cart")))

    assert cart["a"].total == 4
    assert twice["a"].total == 1
    assert cart["b"].total == 0


def test_a_cap_lowers_what_is_above_it(journal: Path) -> None:
    """By a number, or by a quantile of the units that have something."""
    rows = [exposure(unit, "ab"[unit % 2]) for unit in range(200)]
    rows += [outcome(unit, "purchase", float(unit + 1)) for unit in range(100)]
    at = found(journal, rows, Metric(kind="mean", event="purchase", cap_at=50.0))
    by = found(journal, rows, Metric(kind="mean", event="purchase", cap=0.5))

    assert at["a"].mean() == pytest.approx(np.minimum(np.arange(1, 101, 2), 50).sum() / 100)
    assert by["a"].mean() == pytest.approx(np.minimum(np.arange(1, 101, 2), 50.5).sum() / 100)


def test_a_unit_counts_when_its_window_has_closed(journal: Path) -> None:
    """Others have had less time."""
    rows = [exposure(unit, "ab"[unit % 2], START_US + unit * DAY // 10) for unit in range(100)]
    metric = Metric(kind="proportion", event="purchase", window_days=7)

    assert found(journal, rows, metric, days=12)["a"].units == 26


def test_values_near_a_thousand_million_keep_their_spread(journal: Path) -> None:
    """In the warehouse, too."""
    rows = [exposure(unit, "ab"[unit % 2]) for unit in range(1_000)]
    values = np.random.default_rng(1).normal(1e9, 2.9, 1_000)
    rows += [outcome(unit, "size", float(value)) for unit, value in enumerate(values)]
    result = found(journal, rows, Metric(kind="mean", event="size"))

    assert result["a"].variance() == pytest.approx(np.var(values[::2], ddof=1), rel=1e-6)


def test_a_quantile_is_of_all_events(journal: Path) -> None:
    """And its interval knows that those of a unit are alike."""
    source = np.random.default_rng(2)
    rows = [exposure(unit, "ab"[unit % 2]) for unit in range(600)]
    values: dict[int, list[float]] = {0: [], 1: []}
    for unit in range(600):
        level = source.normal(100, 20)
        for value in source.normal(level, 1, 10):
            rows.append(outcome(unit, "latency", float(value)))
            values[unit % 2].append(float(value))
    metric = Metric(kind="quantile", event="latency", level=0.9, direction="down")
    designs = Designs.of({"p90": metric}, {"button": record(secondary=("p90",))})
    result = analysed(journal, rows, designs).metrics[0]
    comparison = result.verdicts[0].comparison

    assert comparison.control == pytest.approx(np.quantile(values[0], 0.9))
    naive = np.std(values[0]) / np.sqrt(3_000)
    assert comparison.standard_error > 2 * naive


def record(**fields: Any) -> ExperimentRecord:
    return ExperimentRecord(start=after(0).date(), end=after(13).date(), **fields)


def analysed(path: Path, rows: list[Row], designs: Designs, days: float = 30) -> Analysis:
    return analyse(AB, designs, open_journal(write(path, rows)), now=after(days))


def metric_of(analysis: Analysis, name: str) -> MetricResult:
    (found_,) = (one for one in analysis.metrics if one.name == name)
    return found_


# Data that is not as it should be.


def test_events_that_came_twice_count_once(journal: Path) -> None:
    """And exposures that came often are one unit."""
    rows = crowd(purchases)
    metric = Metric(kind="mean", event="purchase")
    once = found(journal, rows, metric)
    twice = found(journal, [*rows, *rows, *rows[:50]], metric)

    for variation, moments_ in once.items():
        assert twice[variation].units == moments_.units
        assert twice[variation].mean() == pytest.approx(moments_.mean(), rel=1e-12)
        assert twice[variation].variance() == pytest.approx(moments_.variance(), rel=1e-12)


def test_torn_lines_are_passed_over(journal: Path) -> None:
    """And what is no record: the rest is as it was."""
    rows = crowd(purchases)
    metric = Metric(kind="mean", event="purchase")
    whole = found(journal, rows, metric)
    lines = journal.read_text().splitlines()
    lines[100:100] = [
        '{"v":1,"type":"outcome","event_id":"x","ts_us":17',
        "\0\0\0",
        "[]",
        "17",
        "x",
    ]
    (journal.parent / "torn.jsonl").write_text("\n".join(lines))
    torn = open_journal(journal.parent / "torn.jsonl")
    units = people(torn, START_US + 30 * DAY)

    assert sum(units.counts.values()) == 400
    values = unit_values(metric, activity(torn, units.units, START_US + 30 * DAY, metric))
    found_ = moments(values, units.counts)
    assert found_["a"].mean() == pytest.approx(whole["a"].mean(), rel=1e-12)
    assert found_["b"].variance() == pytest.approx(whole["b"].variance(), rel=1e-12)


def test_units_are_texts_whatever_they_look_like(journal: Path) -> None:
    """`007` is not 7, and 7 is `7`."""
    rows = [exposure("007", "a"), exposure("7", "b"), exposure("u", "a"), exposure("w", "b")]
    rows += [outcome("007", "purchase", 1.0), outcome(7, "purchase", 3.0)]
    result = found(journal, rows, Metric(kind="mean", event="purchase"))

    assert (result["a"].total, result["b"].total) == (1.0, 3.0)


def test_who_met_two_variations_is_left_out_and_counted(journal: Path) -> None:
    """Events of such a unit count for none."""
    rows = [exposure(unit, "ab"[unit % 2]) for unit in range(1_000)]
    rows += [exposure(0, "b", START_US + 5), outcome(0, "purchase", 1e6)]
    designs = Designs.of({"m": Metric(kind="mean", event="purchase")})
    analysis = analysed(journal, rows, designs)

    assert [arm.units for arm in analysis.arms] == [499, 500]
    assert analysis.health.crossovers == 1
    assert "1 units (0.1%) met two variations" in analysis.health.warnings[0]
    assert metric_of(analysis, "m").cells[0].value == 0.0


def test_forced_exposures_are_left_out_and_counted(journal: Path) -> None:
    """So are other phases, experiments and kinds."""
    rows = [exposure(unit, "ab"[unit % 2]) for unit in range(100)]
    rows += [exposure(f"f{n}", "b", forced=True) for n in range(7)]
    rows += [exposure("p", "b", phase=1), exposure("k", "b", kind="assigned")]
    rows += [exposure("x", "b", experiment_key="other")]
    analysis = analysed(journal, rows, Designs())

    assert [arm.units for arm in analysis.arms] == [50, 50]
    assert analysis.health.left_out == {"forced": 7}


def test_what_was_not_recorded_is_counted(journal: Path) -> None:
    """By reason, each count once however often it came; not of another phase or time."""
    rows = [exposure(unit, "ab"[unit % 2]) for unit in range(100)]
    bots = suppression("excluded", 1_200, START_US + DAY)
    rows += [bots, bots, suppression("excluded", 4), suppression("prefetch", 30)]
    rows += [suppression("forced", 2), exposure("f", "b", forced=True)]
    rows += [suppression("excluded", 9, phase=1), suppression("excluded", 9, experiment_key="x")]
    rows += [suppression("excluded", 9, START_US + 90 * DAY)]
    analysis = analysed(journal, rows, Designs())

    assert analysis.health.left_out == {"excluded": 1_204, "prefetch": 30, "forced": 3}
    assert left_out_of(analysis) == (
        "exposures that do not count: 1,204 of bots and excluded visitors, 30 of pages loaded "
        "ahead, 3 of forced variations"
    )


def test_a_warehouse_that_was_told_of_nothing_left_out_needs_no_table_for_it() -> None:
    """The table is there from the first bot on."""
    backend = ibis.duckdb.connect()
    for table in ("exposures", "outcomes"):
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS[table].items())
        backend.raw_sql(f"CREATE TABLE {table} ({columns})")
    analysis = analyse(AB, Designs(), open_warehouse(backend), now=after(1))

    assert (analysis.status, analysis.health.left_out) == ("no data", {})


def test_units_whose_time_is_not_over_are_told(journal: Path) -> None:
    """Until the last one's is, the result may move; then nothing is said of it."""
    rows = [exposure(unit, "ab"[unit % 2], START_US + unit // 10 * DAY) for unit in range(100)]
    rows += [outcome(unit, "purchase", 1.0, START_US + unit // 10 * DAY + 5) for unit in range(50)]
    metric = Metric(kind="mean", event="purchase", window_days=7)
    designs = Designs.of({"m": metric, "n": metric, "whole": Metric(kind="mean", event="purchase")})
    write(journal, rows)
    told = [
        analyse(AB, designs, open_journal(journal), now=after(days)).health.warnings
        for days in (9.5, 16, 16.1)
    ]

    text = "their 7 days are over on 2026-11-18, and until then the result may move"
    assert told[0] == [f"70 units do not count yet in m, n: {text}"]
    assert not any("do not count yet" in text for text in [*told[1], *told[2]])


def test_late_and_future_events_do_not_change_what_was_known(journal: Path) -> None:
    """What came after the instant of the analysis is as if it were not."""
    rows = [exposure(unit, "ab"[unit % 2]) for unit in range(100)]
    rows += [outcome(unit, "purchase", 1.0, START_US + DAY) for unit in range(50)]
    later = [
        outcome(99, "purchase", 1e9, START_US + 40 * DAY),
        exposure("z", "a", START_US + 40 * DAY),
    ]
    designs = Designs.of({"m": Metric(kind="mean", event="purchase")})
    before = analysed(journal, rows, designs)
    after_ = analysed(journal, [*later, *rows], designs)

    assert after_ == before


def test_an_empty_arm_is_told(journal: Path) -> None:
    """Nothing is compared with nobody."""
    rows = [exposure(unit, "a") for unit in range(100)]
    designs = Designs.of({"m": Metric(kind="proportion", event="purchase")})
    analysis = analysed(journal, rows, designs)

    assert analysis.status == "unhealthy"
    assert "not as configured: 100 for 50, 0 for 50" in analysis.health.problems[0]
    assert metric_of(analysis, "m").verdicts == []
    assert "too few units" in metric_of(analysis, "m").withheld


def test_no_records_at_all_are_told(journal: Path) -> None:
    """Of a journal that is empty."""
    analysis = analysed(journal, [], Designs.of({"m": Metric(kind="mean", event="x")}))

    assert (analysis.status, analysis.sentence) == ("no data", "Nobody has met button yet.")
