"""What an experiment may not conclude: of silence, of one arm of many, of days that are to come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from abmiddleware.analysis.analysing import analyse
from abmiddleware.analysis.analysis import Analysis
from abmiddleware.analysis.history import History
from abmiddleware.analysis.subject import Subject, Variation
from abmiddleware.analysis.warehouse import open_journal
from abmiddleware.design.designs import Designs
from abmiddleware.design.metrics import EventSource, Metric
from abmiddleware.design.record import ExperimentRecord
from tests.analysis.records import AB, DAY, START_US, after, exposure, outcome, write

CONVERSION = Metric(kind="proportion", event="purchase")
SILENT = Metric(kind="mean", event="nothing", direction="down", margin=0.05)
LATENCY = Metric(kind="mean", event="latency", direction="down", margin=0.05)


def three(*weights: float) -> Subject:
    return Subject("button", [Variation(*of) for of in zip("abc", "abc", weights, strict=True)])


def crowd(
    rates: Sequence[float], units: int = 6_000, days: float = 14, seed: int = 1
) -> list[dict[str, Any]]:
    """Return units that come evenly, and buy as often as the rates of their variations say."""
    source, found = np.random.default_rng(seed), []
    for unit in range(units):
        arm, at = unit % len(rates), START_US + round(unit * days * DAY / units)
        found.append(exposure(unit, "abc"[arm], at))
        if source.random() < rates[arm]:
            found.append(outcome(unit, "purchase", 1.0, at + 5))
    return found


def analysed(
    tmp_path: Path,
    rows: list[dict[str, Any]],
    metrics: dict[str, Metric],
    days: float = 14.5,
    *,
    subject: Subject = AB,
    history: History | None = None,
    **fields: Any,
) -> Analysis:
    planned = {"start": after(0).date(), "end": after(13).date(), "goals": ("conversion",)}
    record = ExperimentRecord(**{**planned, **fields})
    designs = Designs.of(metrics, {"button": record})
    journal = open_journal(write(tmp_path / "journal.jsonl", rows))
    return analyse(subject, designs, journal, history=history, now=after(days))


@pytest.mark.parametrize(
    "guardrail", [SILENT, Metric(kind="quantile", event="nothing", level=0.9, direction="down")]
)
def test_a_guardrail_of_which_nothing_is_known_does_not_hold(
    tmp_path: Path, guardrail: Metric
) -> None:
    """An event that nobody sends, or too few units: nothing is shipped."""
    metrics = {"conversion": CONVERSION, "guard": guardrail}
    found = analysed(tmp_path, crowd([0.1, 0.2]), metrics, guardrails=("guard",))

    assert (found.status, found.winner) == ("inconclusive", "")
    assert "guardrails are not yet clear" in found.sentence


def test_one_guardrail_that_holds_does_not_speak_for_the_others(tmp_path: Path) -> None:
    """Each must hold."""
    rows = crowd([0.1, 0.2])
    rows += [outcome(n, "latency", 100.0 + n % 7, START_US + 20 * DAY) for n in range(6_000)]
    rows += [outcome(n, "latency", 100.0 + n % 7, START_US + 14 * DAY - 1) for n in range(6_000)]
    metrics = {"conversion": CONVERSION, "latency": LATENCY, "silent": SILENT}
    both = analysed(tmp_path, rows, metrics, guardrails=("latency", "silent"))
    alone = analysed(tmp_path, rows, metrics, guardrails=("latency",))

    assert (both.status, alone.status) == ("inconclusive", "ship")


@pytest.mark.parametrize("weights", [(0.5, 0.5, 0.0), (0.5, 0.4998, 0.0002)])
def test_a_variation_that_hardly_anybody_meets_hides_no_split(
    tmp_path: Path, weights: tuple[float, float, float]
) -> None:
    """The others are tested without it."""
    rows = [exposure(n, "aab"[n % 3]) for n in range(6_000)]
    found = analysed(tmp_path, rows, {"conversion": CONVERSION}, subject=three(*weights))

    assert found.status == "unhealthy"
    assert found.health.exposed is not None
    assert found.health.exposed.p_value < 1e-6


@pytest.mark.parametrize("days", [14.01, 17, 20.9])
def test_a_fixed_plan_waits_until_the_last_unit_has_had_its_time(
    tmp_path: Path, days: float
) -> None:
    """Else each day between would be another look; then the result does not move any more."""
    metrics = {
        "conversion": Metric(kind="proportion", event="purchase", window_days=7),
        "month": Metric(kind="proportion", event="purchase", window_days=28),
    }
    rows = crowd([0.1, 0.2])
    found = analysed(tmp_path, rows, metrics, days, secondary=("month",))

    assert (found.status, found.winner) == ("waiting", "")
    assert found.withheld == (
        "the plan is to decide at its end, and when the 7 days of the last units are over: come "
        "back on 2026-11-23"
    )
    first, later = (
        analysed(tmp_path, rows, metrics, of, secondary=("month",)) for of in (21.0, 30)
    )
    assert (first.status, first.metrics) == ("ship", later.metrics)
    assert first.metrics[1].withheld == "the 28 days of the last units are over on 2026-12-14"


def test_one_bad_variation_does_not_decide_for_the_others(tmp_path: Path) -> None:
    """What is not known to harm may still win; where all harm, the control stays."""
    metrics = {"conversion": CONVERSION}
    subject = three(1, 1, 1)
    status = [
        analysed(
            tmp_path, crowd(rates, 9_000), metrics, subject=subject, sequential=is_sequential
        ).status
        for rates, is_sequential in (
            ((0.2, 0.1, 0.2), False),
            ((0.2, 0.1, 0.1), False),
            ((0.2, 0.1, 0.21), True),
            ((0.2, 0.1, 0.3), False),
        )
    ]

    assert status == ["inconclusive", "roll back", "running", "ship"]


def test_activations_that_are_to_come_do_not_count(tmp_path: Path) -> None:
    """Neither in the split, nor in what was done."""
    rows = crowd([0.2, 0.2])
    rows += [outcome(n, "opened", None, START_US + 14 * DAY - 9) for n in range(1_000)]
    rows += [outcome(n, "opened", None, START_US + 20 * DAY) for n in range(1_000, 2_000)]
    for days in (14.5, 30):
        found = analysed(tmp_path, rows, {"conversion": CONVERSION}, days, activation="opened")
        assert sum(arm.units for arm in found.arms) == 1_000, days


def test_what_happens_before_the_activation_is_not_from_before_the_treatment(
    tmp_path: Path,
) -> None:
    """Else CUPED would take the treatment's own effect off."""
    source, rows = np.random.default_rng(2), []
    for unit in range(4_000):
        is_new = unit % 2
        rows.append(exposure(unit, "ab"[is_new]))
        rows += [
            outcome(unit, "view", float(source.poisson(4)), START_US - DAY),
            outcome(unit, "view", float(source.poisson(4) + 3 * is_new), START_US + 1_000),
            outcome(unit, "opened", None, START_US + DAY),
            outcome(unit, "view", float(source.poisson(4)), START_US + DAY + 1),
        ]
    views = Metric(kind="mean", event="view", cuped_days=2)
    found = analysed(tmp_path, rows, {"conversion": views}, activation="opened")
    (verdict,) = found.metrics[0].verdicts

    assert verdict.word == "flat"
    assert abs(verdict.comparison.effect.estimate) < 0.2


def test_the_largest_of_losses_is_no_zero(tmp_path: Path) -> None:
    """Where some events are from before, too."""
    rows = [exposure(unit, "ab"[unit % 2]) for unit in range(100)]
    rows += [outcome(unit, "loss", -6.0 - unit % 2, START_US + 5) for unit in range(100)]
    rows += [outcome(unit, "loss", -3.0 - unit % 3, START_US - 5) for unit in range(100)]
    metric = Metric(kind="mean", event="loss", aggregate="max", cuped_days=2)
    found = analysed(tmp_path, rows, {"conversion": metric})

    assert [cell.value for cell in found.metrics[0].cells] == [-6.0, -7.0]


def test_a_visit_that_somebody_forced_is_no_first_day(tmp_path: Path) -> None:
    """Nor the last one."""
    rows = [*crowd([0.1, 0.1]), exposure("qa", "a", START_US - 21 * DAY, forced=True)]
    found = analysed(tmp_path, rows, {"conversion": CONVERSION}, start=None, end=None)

    assert found.days == 15


def test_the_last_day_of_a_plan_is_not_before_its_end(tmp_path: Path) -> None:
    """Who stops it then has kept to it."""
    history = History(began_us=START_US, stopped_us=START_US + round(13.7 * DAY))
    found = analysed(tmp_path, crowd([0.1, 0.2]), {"conversion": CONVERSION}, history=history)

    assert (found.withheld, found.status) == ("", "ship")


def test_what_was_stopped_is_not_running(tmp_path: Path) -> None:
    """A sequential plan that found nothing."""
    history = History(began_us=START_US, stopped_us=START_US + 10 * DAY)
    found = analysed(
        tmp_path, crowd([0.1, 0.1]), {"conversion": CONVERSION}, history=history, sequential=True
    )

    assert found.status == "inconclusive"
    assert found.sentence.endswith("no decision follows from it.")


def test_a_decision_within_a_week_is_told(tmp_path: Path) -> None:
    """A weekend is no Monday."""
    rows, metrics = crowd([0.1, 0.2], days=1), {"conversion": CONVERSION}
    first, later = (analysed(tmp_path, rows, metrics, days, sequential=True) for days in (1.5, 7.5))

    assert (first.status, later.status) == ("ship", "ship")
    text = "it has run 2 of 7 days, and people differ by the day of the week"
    assert text in first.health.warnings
    assert not any("of 7 days" in one for one in later.health.warnings)


def test_a_goal_that_says_nothing_is_told_with_its_reason(tmp_path: Path) -> None:
    """It is there; nobody did it."""
    found = analysed(tmp_path, crowd([0.0, 0.0]), {"conversion": SILENT})

    assert found.status == "inconclusive"
    assert "nothing can be said of conversion: there is nothing to compare" in found.sentence


def test_a_split_that_few_units_do_not_tell_is_not_called_balanced(tmp_path: Path) -> None:
    """Eight units are as they are."""
    rows = crowd([0.5, 0.5], 8)
    found = analysed(tmp_path, rows, {"conversion": CONVERSION}, sequential=True)

    assert found.health.exposed is None
    assert "balanced" not in found.sentence
    assert "as configured" not in found.sentence


def test_the_sentence_tells_the_goal_that_won(tmp_path: Path) -> None:
    """Not the first of two."""
    rows = crowd([0.1, 0.2])
    rows += [outcome(n, "visit", None, START_US + 14 * DAY - 9) for n in range(0, 6_000, 3)]
    metrics = {"visits": Metric(kind="proportion", event="visit"), "conversion": CONVERSION}
    found = analysed(tmp_path, rows, metrics, goals=("visits", "conversion"))

    assert found.status == "ship"
    assert "more conversion than old" in found.sentence


def test_shares_of_nobody_break_no_report(tmp_path: Path) -> None:
    """Of an experiment by companies whose ranges are empty."""
    subject = Subject("button", [Variation("a", "a", 0.0), Variation("b", "b", 0.0)], "company")
    rows = [exposure(n, "ab"[n % 2], unit_type="company") for n in range(100)]

    assert analysed(tmp_path, rows, {"conversion": CONVERSION}, subject=subject).key == "button"


@pytest.mark.parametrize(
    ("level", "units", "draw"),
    [
        (0.5, 2_000, lambda source, n: np.floor(source.exponential(10, n))),
        (0.5, 2_000, lambda source, n: source.integers(0, 2, n).astype(float)),
        (0.95, 2_000, lambda source, n: np.round(source.lognormal(5, 0.5, n), -1)),
        (0.9, 100, lambda source, n: source.exponential(10, n)),
        (0.5, 20, lambda source, n: source.normal(0, 1, n)),
    ],
    ids=["whole", "two", "tens", "few", "fewest"],
)
def test_quantiles_of_any_values_find_something_false_seldom(
    tmp_path: Path, level: float, units: int, draw: Any
) -> None:
    """Those on a grid, such as whole milliseconds, and those of few units: in 5 % at most."""
    source, finds, runs = np.random.default_rng(5), 0, 40
    metric = Metric(kind="quantile", event="latency", level=level)
    for _ in range(runs):
        rows = [exposure(unit, "ab"[unit % 2]) for unit in range(2 * units)]
        values = draw(source, 2 * units)
        rows += [
            outcome(unit, "latency", float(value), START_US + 5)
            for unit, value in enumerate(values)
        ]
        (result,) = analysed(tmp_path, rows, {"conversion": metric}).metrics
        finds += any(one.p_value < 0.05 for one in result.verdicts)

    assert finds <= 7  # of 40 at 5 % that many are seen once in 900 times


@pytest.mark.parametrize(("level", "units"), [(0.5, 19), (0.95, 199), (0.99, 999)])
def test_quantiles_of_too_few_units_are_withheld(tmp_path: Path, level: float, units: int) -> None:
    """Ten must be on the rarer side of it."""
    metric = Metric(kind="quantile", event="latency", level=level)
    for more in (0, 1):
        rows = [exposure(unit, "ab"[unit % 2]) for unit in range(2 * (units + more))]
        rows += [outcome(n, "latency", n * 7 % 97 / 3, START_US + 5) for n in range(len(rows))]
        (result,) = analysed(tmp_path, rows, {"conversion": metric}).metrics
        assert len(result.verdicts) == more


def test_events_of_a_query_are_read(tmp_path: Path) -> None:
    """Its times have microseconds: what comes within the second of the exposure counts."""
    rows = [exposure(unit, "ab"[unit % 2], START_US + 300_000) for unit in range(400)]
    path = write(tmp_path / "journal.jsonl", rows)
    sql = (
        "SELECT i::VARCHAR AS visitor, 2.5 + i % 3 AS price, TIMESTAMP '2026-11-02 00:00:00' + "
        "INTERVAL (CASE WHEN i % 4 < 2 THEN 300001 ELSE 299999 END) MICROSECONDS AS happened "
        "FROM range(400) t(i);"
    )
    source = EventSource(sql=sql, time="happened", ids={"id": "visitor"})
    metric = Metric(kind="mean", source="orders", column="price")
    designs = Designs.of({"revenue": metric}, None, {"orders": source})
    warehouse = open_journal(path, designs.sources)
    (result,) = analyse(AB, designs, warehouse, now=after(1)).metrics

    assert [cell.value for cell in result.cells] == [pytest.approx(1.75, abs=0.3)] * 2
    assert len(result.verdicts) == 1
