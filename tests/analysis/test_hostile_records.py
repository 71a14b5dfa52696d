"""What is said of records that are not as they should be: the truth, or that it is not known."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from abmiddleware.analysis.analysing import analyse
from abmiddleware.analysis.analysis import Analysis, MetricResult, Verdict
from abmiddleware.analysis.inference import guardrails, means, proportions, quantiles, sequential
from abmiddleware.analysis.inference.comparison import Comparison, NoLift
from abmiddleware.analysis.moments import Moments
from abmiddleware.analysis.report.data import as_csv, as_json
from abmiddleware.analysis.report.page import as_page
from abmiddleware.analysis.subject import Subject, Variation
from abmiddleware.analysis.warehouse import Warehouse, open_journal, open_warehouse
from abmiddleware.design.designs import Designs
from abmiddleware.design.metrics import EventSource, Measure, Metric
from abmiddleware.design.record import ExperimentRecord
from abmiddleware.exceptions import ConfigurationError
from tests.analysis.records import AB, DAY, START_US, after, exposure, outcome, write

Row = dict[str, Any]
CONVERSION = Metric(kind="proportion", event="purchase")
REVENUE = Metric(kind="mean", event="purchase", unit="€")
PER_VIEW = Metric(
    kind="ratio", event="purchase", denominator=Measure(event="view", aggregate="count")
)
#: One of each kind.
METRICS = {
    "conversion": CONVERSION,
    "revenue": REVENUE,
    "capped": Metric(kind="mean", event="purchase", cap=0.9),
    "adjusted": Metric(kind="mean", event="purchase", cuped_days=3),
    "adjusted-share": Metric(kind="proportion", event="purchase", cuped_days=3),
    "per-view": PER_VIEW,
    "per-view-adjusted": Metric(
        kind="ratio",
        event="purchase",
        cuped_days=3,
        denominator=Measure(event="view", aggregate="count"),
    ),
    "p90": Metric(kind="quantile", event="purchase", level=0.9),
    "back": Metric(kind="retention", event="purchase", after_days=1, window_days=8),
    "funnel": Metric(kind="funnel", steps=("view", "purchase")),
}


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def crowd(units: int = 100) -> list[Row]:
    """Return exposures, half of them of each variation."""
    return [exposure(unit, "ab"[unit % 2]) for unit in range(units)]


def bought(values: Mapping[int, float | None], at_us: int = START_US + 5) -> list[Row]:
    """Return a purchase of each unit, with its value."""
    return [outcome(unit, "purchase", value, at_us) for unit, value in values.items()]


def viewed(units: range, at_us: int = START_US + 1) -> list[Row]:
    """Return a view of each unit."""
    return [outcome(unit, "view", None, at_us) for unit in units]


def analysed(
    warehouse: Warehouse,
    metrics: Mapping[str, Metric],
    *,
    role: str = "secondary",
    is_sequential: bool = False,
    subject: Subject = AB,
    sources: Mapping[str, EventSource] | None = None,
) -> Analysis:
    """Return the analysis of all metrics at the end of the plan, which every report can show."""
    fields: Row = {role: tuple(metrics), "sequential": is_sequential}
    record = ExperimentRecord(start=after(0).date(), end=after(13).date(), **fields)
    designs = Designs.of(dict(metrics), {"button": record}, dict(sources or {}))
    analysis = analyse(subject, designs, warehouse, now=after(22.5))
    for form in (as_page, as_json, as_csv):
        assert form(analysis)
    return analysis


def of(analysis: Analysis, name: str) -> MetricResult:
    """Return what is said of a metric."""
    return next(one for one in analysis.metrics if one.name == name)


def verdicts(analysis: Analysis) -> dict[str, Verdict]:
    """Return the verdicts, by metric, of those that have one."""
    return {one.name: one.verdicts[0] for one in analysis.metrics if one.verdicts}


def is_near(one: Comparison, two: Comparison) -> bool:
    """Tell whether two comparisons say the same: sums differ by their order."""
    numbers = [
        [of.control, of.treatment, of.p_value, of.effect.low, of.effect.high, of.standard_error]
        for of in (one, two)
    ]
    return one.no_lift == two.no_lift and numbers[0] == pytest.approx(numbers[1])


# Time.


def test_what_is_stamped_before_the_exposure_counts_as_before(journal: Path) -> None:
    """A clock that runs behind moves nothing into an effect; CUPED sees it."""
    early = bought(dict.fromkeys(range(100), 7.0), START_US - 1)
    same = bought({0: 5.0}, START_US)
    analysis = analysed(open_journal(write(journal, [*crowd(), *early, *same])), METRICS)

    assert [cell.successes for cell in of(analysis, "conversion").cells] == [1, 0]
    assert [cell.value for cell in of(analysis, "revenue").cells] == [0.1, 0.0]
    assert verdicts(analysis)["adjusted"].word == "flat"


def test_an_exposure_of_the_future_is_of_nobody_yet(journal: Path) -> None:
    """By a clock that runs ahead: neither the unit nor its outcomes count."""
    ahead = [exposure(f"f{n}", "b", START_US + 60 * DAY) for n in range(30)]
    rows = [*ahead, *(outcome(f"f{n}", "purchase", 9.0, START_US + DAY) for n in range(30))]
    analysis = analysed(open_journal(write(journal, [*crowd(), *rows])), {"m": REVENUE})

    assert [arm.units for arm in analysis.arms] == [50, 50]
    assert [cell.value for cell in of(analysis, "m").cells] == [0.0, 0.0]
    alone = analysed(open_journal(write(journal, rows)), {"m": REVENUE})
    assert (alone.status, alone.sentence) == ("no data", "Nobody has met button yet.")


def test_a_clock_that_jumps_back_takes_the_first_exposure(journal: Path) -> None:
    """Whatever the order in which they were written."""
    rows = [exposure(0, "a", START_US + DAY), *crowd(), exposure(0, "a", START_US + 2 * DAY)]
    rows += bought({0: 3.0}, START_US + DAY // 2)
    analysis = analysed(open_journal(write(journal, rows)), {"m": REVENUE})

    assert of(analysis, "m").cells[0].value == pytest.approx(3 / 50)


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMPTZ"])
def test_timestamps_of_a_source_keep_their_fractions(journal: Path, kind: str) -> None:
    """An event half a second after the exposure is not before it."""
    rows = [exposure(unit, "ab"[unit % 2], START_US + 300_000) for unit in range(100)]
    warehouse = open_journal(write(journal, rows), {"orders": ORDERS})
    warehouse.backend.raw_sql(
        f"CREATE TABLE orders AS SELECT unnest(range(100)) AS visitor, 2.0 AS price, "
        f"{kind} '2026-11-02 00:00:00.700001' AS happened"
    )
    metric = Metric(kind="mean", source="orders", column="price")
    analysis = analysed(warehouse, {"m": metric}, sources={"orders": ORDERS})

    assert [cell.value for cell in of(analysis, "m").cells] == [2.0, 2.0]


# Units.


def test_numbers_are_the_units_that_their_digits_name(journal: Path) -> None:
    """7 is `7` wherever it stands; `007` is another, and 7.0 and null are none of them."""
    rows = [
        *(exposure(0, variation, unit_id=unit) for unit, variation in ((7, "a"), ("7", "a"))),
        exposure("007", "b"),
        *(exposure(unit, "ab"[unit % 2]) for unit in (11, 12)),
        *(outcome(0, "purchase", 1.0, unit_ids={"id": unit}) for unit in (7, "7")),
        outcome(0, "purchase", 100.0, unit_ids={"id": "007"}),
        *(outcome(0, "purchase", 5e3, unit_ids={"id": unit}) for unit in (7.0, None, [7], "07")),
        outcome(0, "purchase", 5e3, unit_ids={"user_id": 7}),
        outcome(0, "purchase", 5e3, unit_ids={}),
    ]
    found = open_journal(write(journal, rows))
    analysis = analysed(found, {"m": Metric(kind="mean", event="purchase")})

    assert [(cell.units, cell.value) for cell in of(analysis, "m").cells] == [(2, 1.0), (2, 50.0)]
    assert analysis.health.crossovers == 0


@pytest.mark.parametrize("kind", ["json", "string"])
def test_numbers_are_units_in_a_table_too(journal: Path, kind: str) -> None:
    """Whether its ids are JSON or text of it."""
    rows = [*crowd(8), *(outcome(0, "purchase", 1.0, unit_ids={"id": unit}) for unit in (2, "4"))]
    warehouse = table(journal, rows, kind)

    assert of(analysed(warehouse, {"m": REVENUE}), "m").cells[0].value == 0.5


def test_a_number_of_a_source_is_the_unit_of_its_digits(journal: Path) -> None:
    """A column of integers beside ids that are text."""
    rows = [*crowd(), exposure("007", "a"), exposure("008", "b")]
    warehouse = open_journal(write(journal, rows), {"orders": ORDERS})
    warehouse.backend.raw_sql(
        f"CREATE TABLE orders AS SELECT unnest([7, 8]) AS visitor, 51.0 AS price, "
        f"{START_US} AS happened"
    )
    metric = Metric(kind="mean", source="orders", column="price")
    analysis = analysed(warehouse, {"m": metric}, sources={"orders": ORDERS})

    assert [cell.value for cell in of(analysis, "m").cells] == [1.0, 1.0]


# Columns.

ORDERS = EventSource(table="orders", time="happened", ids={"id": "visitor"})


def table(journal: Path, rows: list[Row], kind: str = "json", without: str = "") -> Warehouse:
    """Return a warehouse with tables as an agent fills them, but for a column of one."""
    source = open_journal(write(journal, rows))
    for name in ("exposures", "outcomes"):
        of, _, column = without.partition(".")
        found = getattr(source, name)
        if name == "outcomes":
            found = found.mutate(unit_ids=found.unit_ids.cast(kind))
        source.backend.create_table(name, found.drop(column) if of == name else found)
    return open_warehouse(source.backend)


@pytest.mark.parametrize(
    "column",
    [
        *(f"outcomes.{name}" for name in ("unit_ids", "ts_us", "event", "value", "event_id")),
        *(f"exposures.{name}" for name in ("unit_id", "variation_key", "forced", "phase")),
    ],
)
def test_a_column_that_a_table_lacks_is_told(journal: Path, column: str) -> None:
    """With the table, those that there are, and the mend."""
    where, _, name = column.partition(".")
    problem = f"{where}: there is no column '{name}', only .*; must be a table that the agent or"

    with pytest.raises(ConfigurationError, match=problem):
        table(journal, [*crowd(), *bought({0: 1.0})], without=column)


def test_exposures_without_a_unit_or_a_variation_are_left_out_and_told(journal: Path) -> None:
    """And who does not say whether it was forced was not."""
    rows = crowd()
    rows += [exposure("x", "a", unit_id=None), exposure("y", "b", variation_key=None)]
    rows += [exposure("z", "b", forced=None)]
    analysis = analysed(open_journal(write(journal, rows)), {"m": REVENUE})

    assert "2 exposures lack a unit or a variation and are left out" in analysis.health.warnings
    assert sum(arm.units for arm in analysis.arms) == len(crowd()) + 1


@pytest.mark.parametrize(
    ("source", "metric", "message"),
    [
        ({"time": "when"}, {}, "sources.orders.time: there is no column 'when', only 'visitor'"),
        ({"ids": {"id": "who"}}, {}, "sources.orders.ids.id: there is no column 'who'"),
        ({"ids": {"user_id": "visitor"}}, {}, "sources.orders.ids: has no 'id'"),
        ({"table": "order"}, {}, "sources.orders: cannot be read"),
        ({}, {"column": "cost"}, "sources.orders.cost: there is no column 'cost', only 'visitor'"),
    ],
)
def test_what_a_source_lacks_is_told(journal: Path, source: Row, metric: Row, message: str) -> None:
    """By the place where it is configured, with what there is."""
    orders = EventSource(
        **{"table": "orders", "time": "happened", "ids": {"id": "visitor"}, **source}
    )
    warehouse = open_journal(write(journal, crowd()), {"orders": orders})
    warehouse.backend.raw_sql("CREATE TABLE orders (visitor BIGINT, price DOUBLE, happened BIGINT)")
    of_source = Metric(kind="mean", source="orders", **{"column": "price", **metric})

    with pytest.raises(ConfigurationError, match=message):
        analysed(warehouse, {"m": of_source}, sources={"orders": orders})


def test_a_field_that_lines_lack_is_as_if_it_were_null(journal: Path) -> None:
    """Outcomes without a value add nothing, without ids are of nobody."""
    rows = [*crowd(), *bought(dict.fromkeys(range(10), 2.0))]
    for place, name in ((101, "value"), (103, "unit_ids"), (105, "ts_us"), (107, "event")):
        del rows[place][name]
    analysis = analysed(open_journal(write(journal, rows)), {"m": REVENUE, "c": CONVERSION})

    assert [cell.value for cell in of(analysis, "m").cells] == [0.2, 0.04]
    assert [cell.successes for cell in of(analysis, "c").cells] == [5, 2]


# Nobody and nothing.


def test_all_units_in_the_variation_leave_nothing_to_compare(journal: Path) -> None:
    """Not one metric has a verdict, and the split is told."""
    rows = [exposure(unit, "b") for unit in range(100)]
    rows += bought(dict.fromkeys(range(100), 1.0))
    analysis = analysed(open_journal(write(journal, rows)), METRICS)

    assert analysis.status == "unhealthy"
    assert "0 for 50, 100 for 50" in analysis.health.problems[0]
    assert verdicts(analysis) == {}
    assert all(one.withheld for one in analysis.metrics)


def test_a_variation_without_a_share_may_be_met_by_nobody(journal: Path) -> None:
    """The others are compared; it has no value."""
    three = Subject("button", [*AB.variations, Variation("c", "off", 0.0)])
    rows = [*crowd(), *bought({unit: float(unit) for unit in range(100)})]
    analysis = analysed(open_journal(write(journal, rows)), METRICS, subject=three)

    assert analysis.health.is_good
    assert {one.variation for result in analysis.metrics for one in result.verdicts} == {"b"}
    assert [cell.value for cell in of(analysis, "revenue").cells][2] is None


@pytest.mark.parametrize("is_sequential", [False, True])
@pytest.mark.parametrize("role", ["goals", "guardrails"])
def test_without_any_outcome_nothing_is_shown(
    journal: Path, role: str, is_sequential: bool
) -> None:
    """Nothing is better, no guardrail holds, and no variation is shipped."""
    found = open_journal(write(journal, crowd(4_000)))
    analysis = analysed(found, METRICS, role=role, is_sequential=is_sequential)

    assert analysis.status in ("running", "inconclusive")
    assert {one.word for one in verdicts(analysis).values()} <= {"flat", "open"}
    assert all(one.comparison.lift is None for one in verdicts(analysis).values())
    assert of(analysis, "p90").verdicts == []


# Values.


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_no_number_adds_nothing(journal: Path, value: float | None) -> None:
    """The event is one, all the same."""
    rows = [*crowd(), *bought({unit: float(unit % 7) for unit in range(100)})]
    rows += viewed(range(100))
    plain = analysed(open_journal(write(journal, rows)), METRICS)
    odd = bought({1: value}, START_US + 6)
    analysis = analysed(open_journal(write(journal, [*rows, *odd])), METRICS)

    for name in ("conversion", "revenue", "capped", "per-view", "adjusted"):
        for one, two in zip(of(analysis, name).cells, of(plain, name).cells, strict=True):
            assert one.units == two.units
            assert one.value == pytest.approx(two.value)
        assert is_near(*(verdicts(each)[name].comparison for each in (analysis, plain)))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_in_a_source_adds_nothing(journal: Path, value: str) -> None:
    """As data frames write what is missing."""
    warehouse = open_journal(write(journal, crowd()), {"orders": ORDERS})
    warehouse.backend.raw_sql(
        f"CREATE TABLE orders AS SELECT unnest(range(100)) AS visitor, 2.0::DOUBLE AS price, "
        f"{START_US} AS happened UNION ALL SELECT 3, '{value}'::DOUBLE, {START_US}"
    )
    metric = Metric(kind="mean", source="orders", column="price")
    analysis = analysed(warehouse, {"m": metric}, sources={"orders": ORDERS})

    assert [cell.value for cell in of(analysis, "m").cells] == [2.0, 2.0]


@pytest.mark.parametrize("value", [1e300, -1e300, 1e80])
def test_a_value_whose_square_is_no_number_proves_nothing(journal: Path, value: float) -> None:
    """The mean is told; neither an effect nor a lift follows from it, and nothing breaks."""
    rows = [*crowd(), *bought({unit: float(unit % 7) for unit in range(100)})]
    rows += [*viewed(range(100)), *bought({1: value}, START_US + 6)]
    for is_sequential in (False, True):
        found = open_journal(write(journal, rows))
        analysis = analysed(found, METRICS, is_sequential=is_sequential)

        for name in ("revenue", "adjusted", "per-view", "per-view-adjusted"):
            assert of(analysis, name).cells[1].value == pytest.approx(value / 50)
            for one in of(analysis, name).verdicts:
                assert (one.word, one.p_value, one.comparison.lift) == ("flat", 1.0, None)
        # A cap lowers what is too large.
        assert ("capped" in verdicts(analysis)) == (value > 0)


@pytest.mark.parametrize(("direction", "word"), [("up", "worse"), ("down", "better")])
def test_losses_that_grow_have_fallen(journal: Path, direction: str, word: str) -> None:
    """A lift has the sign of the effect, below zero, too, and by every way to compute it."""
    source = np.random.default_rng(1)
    values = {unit: float(source.normal(-12 if unit % 2 else -10, 1)) for unit in range(100)}
    rows = [*crowd(), *bought(values), *viewed(range(100))]
    metrics = {
        name: Metric(**{**_fields(metric), "direction": direction})
        for name, metric in METRICS.items()
        if name in ("revenue", "capped", "adjusted", "per-view", "p90")
    }
    for is_sequential in (False, True):
        found = open_journal(write(journal, rows))
        for one in verdicts(analysed(found, metrics, is_sequential=is_sequential)).values():
            assert one.word == word
            assert one.comparison.lift is not None
            assert one.comparison.effect.high < 0
            assert one.comparison.lift.low < one.comparison.lift.estimate < 0
            assert one.comparison.lift.high < 0
            assert one.comparison.lift.estimate == pytest.approx(-0.2, abs=0.06)


def _fields(metric: Metric) -> Row:
    return {name: getattr(metric, name) for name in metric.__struct_fields__}


def test_from_a_loss_to_a_gain_there_is_a_difference_and_no_lift(journal: Path) -> None:
    """And why is told."""
    rows = [*crowd(), *bought({unit: 5.0 + unit / 9 if unit % 2 else -9.0 for unit in range(100)})]
    analysis = analysed(open_journal(write(journal, rows)), {"m": REVENUE})
    comparison = verdicts(analysis)["m"].comparison

    assert (comparison.lift, comparison.no_lift) == (None, NoLift.SIGN)
    assert comparison.effect.low > 0


# All and none.


@pytest.mark.parametrize("is_sequential", [False, True])
def test_where_all_convert_there_is_no_difference(journal: Path, is_sequential: bool) -> None:
    """And it is not known to the last digit: the interval has a width."""
    rows = [*crowd(), *bought(dict.fromkeys(range(100), 1.0))]
    found = open_journal(write(journal, rows))
    verdict = verdicts(analysed(found, {"m": CONVERSION}, is_sequential=is_sequential))["m"]

    assert (verdict.word, verdict.p_value) == ("flat", 1.0)
    assert verdict.comparison.effect.low < -0.05
    assert verdict.comparison.effect.high > 0.05
    assert verdict.comparison.lift is None


@pytest.mark.parametrize("is_sequential", [False, True])
def test_where_all_convert_and_none_the_difference_is_found(
    journal: Path, is_sequential: bool
) -> None:
    """The p-value and the interval say the same."""
    rows = [*crowd(), *bought(dict.fromkeys(range(0, 100, 2), 1.0))]
    found = open_journal(write(journal, rows))
    verdict = verdicts(analysed(found, {"m": CONVERSION}, is_sequential=is_sequential))["m"]

    assert verdict.word == "worse"
    assert verdict.comparison.effect.high < 0


@pytest.mark.parametrize("control", [(0, 40), (40, 40), (20, 40)])
@pytest.mark.parametrize("treatment", [(0, 40), (40, 40)])
def test_shares_of_nothing_and_of_all_have_an_error(
    control: tuple[int, int], treatment: tuple[int, int]
) -> None:
    """So that the interval of every look leaves zero out only where its p-value is small."""
    fixed = proportions.compare(control, treatment)
    wide = sequential.at_every_look(fixed, 80, 1_000, 0.05)

    assert fixed.standard_error > 0
    assert (wide.p_value < 0.05) == (not wide.effect.low <= 0 <= wide.effect.high)


# Nothing to divide by.


@pytest.mark.parametrize("is_sequential", [False, True])
@pytest.mark.parametrize("seen", [range(0), range(0, 100, 2), range(1, 100, 2)])
def test_a_ratio_without_a_denominator_is_none(
    journal: Path, seen: range, is_sequential: bool
) -> None:
    """In one variation or in both: nothing is found, and the reason is not one of signs."""
    rows = [*crowd(), *bought({unit: float(unit) for unit in range(100)}), *viewed(seen)]
    found = open_journal(write(journal, rows))
    analysis = analysed(found, {"m": PER_VIEW}, is_sequential=is_sequential)

    assert [cell.value is None for cell in of(analysis, "m").cells] == [
        0 not in seen,
        1 not in seen,
    ]
    for one in of(analysis, "m").verdicts:
        assert (one.word, one.p_value) == ("flat", 1.0)
        assert (one.comparison.lift, one.comparison.no_lift) == (None, NoLift.UNDEFINED)


def test_a_ratio_without_anything_before_is_not_adjusted(journal: Path) -> None:
    """As of visitors who are all new: it is the plain one."""
    source = np.random.default_rng(2)
    rows = [*crowd(), *bought({unit: float(source.exponential()) for unit in range(100)})]
    rows += viewed(range(100))
    found = verdicts(analysed(open_journal(write(journal, rows)), METRICS))

    assert is_near(found["per-view-adjusted"].comparison, found["per-view"].comparison)
    assert found["per-view"].comparison.effect.low < 0 < found["per-view"].comparison.effect.high


# Inference without spread.


def alike(mean: float, units: int = 50) -> Moments:
    """Return the moments of values that are all the same."""
    return Moments(units, {"value": mean}, {("value", "value"): 0.0})


@pytest.mark.parametrize(("one", "two"), [(0.0, 0.0), (1.0, 1.0), (3.0, 2.0)])
def test_values_without_spread_have_an_open_interval(one: float, two: float) -> None:
    """Neither are they different, nor does a guardrail hold or is harmed by them."""
    found = means.compare(alike(one), alike(two))

    assert (found.effect.estimate, found.effect.low, found.effect.high) == (
        two - one, -math.inf, math.inf,
    )  # fmt: skip
    assert (found.p_value, found.lift, found.method) == (1.0, None, "no spread")
    for direction in (1, -1):
        assert guardrails.p_of_harm(found, 0.02, direction) == 1.0
        assert not guardrails.is_harmed(found, direction)


@pytest.mark.parametrize("mean", [1e-9, -1e-9, 0.0])
@pytest.mark.parametrize("other", [0.0, 5.0, -5.0])
def test_a_mean_next_to_zero_breaks_nothing(mean: float, other: float) -> None:
    """Its lift has no bounds; the difference, its interval and its p-value are Welch's."""
    source = np.random.default_rng(3)
    values = [source.normal(0, 1, units) for units in (300, 500)]
    one, two = (of - of.mean() + at for of, at in zip(values, (mean, other), strict=True))
    for left, right in ((one, two), (two, one)):
        found = means.compare(spread(left), spread(right))
        welch = stats.ttest_ind(right, left, equal_var=False)
        interval = welch.confidence_interval()

        assert found.lift is None
        assert found.p_value == pytest.approx(welch.pvalue, rel=1e-6)
        assert (found.effect.low, found.effect.high) == pytest.approx((interval.low, interval.high))
        assert (found.control, found.treatment) == pytest.approx(
            (left.mean(), right.mean()), abs=1e-9
        )


def test_a_ratio_next_to_zero_breaks_nothing() -> None:
    """Its difference is that of a ratio that is as far from zero as one likes."""
    source = np.random.default_rng(4)
    clicks, sessions = source.normal(0, 1, (2, 400)), source.integers(1, 9, (2, 400))
    arms = []
    for away in (0.0, 50.0):
        for value, divisor in zip(clicks, sessions, strict=True):
            near_zero = value - divisor * value.sum() / divisor.sum()
            arms.append(spread(near_zero + away * divisor, divisor))
    near, far = means.compare(arms[0], arms[1]), means.compare(arms[2], arms[3])

    assert (near.lift, near.no_lift) == (None, NoLift.NEAR_ZERO)
    assert near.p_value == pytest.approx(far.p_value)
    assert near.effect.high == pytest.approx(far.effect.high)
    assert near.standard_error == pytest.approx(far.standard_error)


def spread(*columns: Any) -> Moments:
    """Return the moments of values, and of a divisor if there is one."""
    covariance = np.atleast_2d(np.cov(np.array(columns)))
    names = ("value", "divisor")[: len(columns)]
    return Moments(
        len(columns[0]),
        {name: float(np.mean(of)) for name, of in zip(names, columns, strict=True)},
        {
            (left, right): float(covariance[i, j])
            for i, left in enumerate(names)
            for j, right in enumerate(names)
            if i <= j
        },
    )


def test_quantiles_that_are_points_say_nothing() -> None:
    """Those of values that are all alike, of which nobody knows how they spread."""
    one, two = (quantiles.Quantile(50, at, at, at) for at in (7.0, 8.0))

    for found in (quantiles.compare(one, two), quantiles.compare(one, one)):
        assert (found.p_value, found.standard_error, found.effect.high) == (1.0, 0.0, math.inf)


def test_a_quantile_far_smaller_than_its_doubt_has_no_lift() -> None:
    """Its interval is beyond what a number holds."""
    one, two = quantiles.Quantile(50, 1e-3, -50.0, 50.0), quantiles.Quantile(50, 2e-3, -50.0, 50.0)

    assert quantiles.compare(one, two).lift is None


# Lines.


@pytest.mark.parametrize("size", [1, 17, 60, 200])
def test_a_torn_last_line_loses_that_line_alone(journal: Path, size: int) -> None:
    """Wherever a crash cut it, and whatever follows."""
    rows = [*crowd(), *bought(dict.fromkeys(range(100), 1.0))]
    torn = json.dumps(outcome(0, "purchase", 1e6)).encode()[:size]
    write(journal, rows)
    whole = analysed(open_journal(journal), {"m": REVENUE})
    journal.write_bytes(journal.read_bytes() + torn + b"\n\xff\xfe\n" + b"\0" * 64 + b"\n")

    assert analysed(open_journal(journal), {"m": REVENUE}) == whole


@pytest.mark.parametrize(
    "fields", [{"ts_us": "soon"}, {"phase": "zero"}, {"forced": "maybe"}, {"unit_id": {"a": 1}}]
)
def test_a_line_of_other_types_is_no_unit_of_a_variation(journal: Path, fields: Row) -> None:
    """The lines beside it are read."""
    found = open_journal(write(journal, [*crowd(), exposure("odd", "a", **fields)]))
    analysis = analysed(found, {"m": REVENUE})

    assert sum(arm.units for arm in analysis.arms) in (100, 101)
    assert analysis.arms[1].units == 50
