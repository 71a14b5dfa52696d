"""What the ledger tells is in the analysis: locks, ramps, stops, metrics that came later."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from abmiddleware import Experiment
from abmiddleware.analysis.analysing import analyse
from abmiddleware.analysis.analysis import Analysis
from abmiddleware.analysis.history import History
from abmiddleware.analysis.report.page import as_page
from abmiddleware.analysis.subject import Subject
from abmiddleware.analysis.warehouse import open_journal
from abmiddleware.design.designs import Designs
from abmiddleware.design.ledger import Step
from abmiddleware.design.lock import digest_of, locked_plan
from abmiddleware.design.record import ExperimentRecord
from tests.analysis.records import START_US, after, exposure, outcome, write
from tests.analysis.test_analysing import METRICS

BUTTON: Experiment[str] = Experiment("button", ["old", "new"], hash_version=2)
DAY = 86_400_000_000


def designs(**fields: Any) -> Designs:
    days = {"start": after(0).date(), "end": after(13).date()}
    record = {"goals": ("conversion",), "secondary": ("revenue",)}
    return Designs.of(METRICS, {"button": ExperimentRecord(**{**days, **record, **fields})})


def step(days: float, to: str, **fields: Any) -> Step:
    at = (after(0) + dt.timedelta(days=days)).isoformat().replace("+00:00", "Z")
    return Step(at=at, key="button", to=to, by="ana", **fields)  # type: ignore[arg-type]


def start(of: Designs, **fields: Any) -> Step:
    plan = locked_plan(BUTTON.plan, of)
    return step(0, "running", digest=digest_of(plan), plan=plan, config_hash="c0ffee", **fields)


def rows(units: int = 4_000, days: float = 14) -> list[dict[str, Any]]:
    """Return units that come evenly, of which every tenth and every seventh one buys."""
    found = []
    for unit in range(units):
        is_new = unit % 2
        at = START_US + round(unit * days * DAY / units)
        found.append(exposure(unit, "01"[is_new], at))
        if unit // 2 % (7 if is_new else 10) == 0:
            found.append(outcome(unit, "purchase", 10.0, at + 5))
    return found


def analysed(
    tmp_path: Path,
    steps: list[Step],
    of: Designs,
    days: float = 14.5,
    records: list[dict[str, Any]] | None = None,
) -> Analysis:
    journal = write(tmp_path / "journal.jsonl", rows() if records is None else records)
    history = History.of(steps, BUTTON.plan, of)
    subject, now = Subject.of(BUTTON.plan), after(days)
    return analyse(subject, of, open_journal(journal), history=history, now=now)


def test_a_plan_that_was_changed_since_its_start_has_no_winner(tmp_path: Path) -> None:
    """The change is told, by its place."""
    kept, changed = designs(), designs(goals=("revenue",), secondary=())
    steps = [start(kept)]

    assert analysed(tmp_path, steps, kept).status == "ship"
    found = analysed(tmp_path, steps, changed)
    assert (found.status, found.winner) == ("unhealthy", "")
    assert any("record.goals: was" in problem for problem in found.health.problems)


def test_a_lift_beyond_all_that_was_seen_is_told(tmp_path: Path) -> None:
    """Such a one is a mistake more often than a success; few experiments tell nothing."""
    of, journal = designs(), write(tmp_path / "journal.jsonl", rows())
    subject, warehouse, told = Subject.of(BUTTON.plan), open_journal(journal), []
    for past in ([0.05, 0.02, 0.1], [0.05, 0.02, 0.15], [0.01, 0.02]):
        history = History.of([start(of)], BUTTON.plan, of, {"conversion": past})
        analysis = analyse(subject, of, warehouse, history=history, now=after(14.5))
        assert analysis.status == "ship"
        told.append([text for text in analysis.health.warnings if "mistake" in text])

    text = (
        "new moves conversion by +43 %, more than 3 times as much as any of 3 experiments before "
        "(10.0%): look for a mistake before you believe it"
    )
    assert told == [[text], [], []]


def test_what_was_stopped_early_says_nothing(tmp_path: Path) -> None:
    """Of a fixed plan, at the planned end too."""
    of = designs()
    found = analysed(tmp_path, [start(of), step(5.2, "stopped", why="tired")], of)

    assert (found.status, found.winner) == ("inconclusive", "")
    assert found.withheld == (
        "it was stopped on 2026-11-07, before its planned end, 2026-11-15, which alone decides"
    )
    assert not any(metric.verdicts for metric in found.metrics)
    assert found.days == 6
    assert found.sentence.startswith("After 6 of 14 days with 1,486 visitors, traffic is as")


def test_a_sequential_plan_may_be_stopped_at_any_time(tmp_path: Path) -> None:
    """And counts nobody who came later."""
    of = designs(sequential=True, tuning=4_000)
    found = analysed(tmp_path, [start(of), step(10, "stopped", why="clear")], of)

    assert found.withheld == ""
    assert sum(arm.units for arm in found.arms) == 2_858
    assert found.metrics[0].verdicts


def test_who_comes_after_the_planned_end_does_not_count(tmp_path: Path) -> None:
    """So that a result does not change with the day on which one looks."""
    records = rows(6_000, days=21)
    first = analysed(tmp_path, [], designs(), 14.5, records)
    later = analysed(tmp_path, [], designs(), 60, records)

    assert sum(arm.units for arm in later.arms) == sum(arm.units for arm in first.arms) == 4_000
    assert first.metrics == later.metrics


def test_a_metric_that_came_after_the_start_is_marked_and_decides_nothing(tmp_path: Path) -> None:
    """It is corrected by itself, and the page tells."""
    of = designs(secondary=("revenue", "latency"))
    found = analysed(tmp_path, [start(designs(), secondary=("revenue",))], of)
    results = {result.name: result for result in found.metrics}

    assert results["revenue"].retroactive == results["conversion"].retroactive == ""
    assert results["latency"].retroactive == "2026-11-02"
    assert found.status == "ship"
    page = as_page(analysed(tmp_path, [start(designs(), secondary=())], designs()))
    assert "added after the start, 2026-11-02: decides nothing" in page


def test_ramps_and_pauses_are_marked_in_the_picture(tmp_path: Path) -> None:
    """With their coverage."""
    of = designs()
    steps = [
        start(of, coverage=0.1),
        step(3, "running", coverage=0.5, config_hash="c0ffee"),
        step(6, "paused", why="a release"),
        step(7, "running", coverage=0.5, config_hash="c0ffee"),
    ]
    found = analysed(tmp_path, steps, of)

    assert [mark.what for mark in found.marks] == ["10 %", "50 %", "paused", "50 %"]
    page = as_page(found)
    assert page.count('class="mark"') == 4
    assert ">paused</text>" in page


def test_definitions_that_no_step_tells_are_told(tmp_path: Path) -> None:
    """Those that a step tells are not."""
    of = designs()
    records = rows()
    for row in records[:100]:
        if row["type"] == "exposure":
            row["config_hash"] = "unknown"
    found = analysed(tmp_path, [start(of)], of, records=records)

    (warning,) = found.health.warnings
    assert "exposures were decided by definitions that no step of the ledger tells (unknown)" in (
        warning
    )
    steps = [start(of), step(3, "running", coverage=0.5, config_hash="unknown")]
    assert analysed(tmp_path, steps, of, records=records).health.warnings == []


def test_the_planned_sample_is_told(tmp_path: Path) -> None:
    """As the plan's baseline and effect ask, with how far it is."""
    found = analysed(tmp_path, [], designs(baseline=0.1, mde=0.1))

    assert found.planned_units == 29_502
    page = as_page(found)
    assert "Units 4,000 of 29,502" in page
    assert "Day 14 of 14" in page


def test_units_that_were_only_assigned_have_a_split_of_their_own(tmp_path: Path) -> None:
    """Of tools that record the assignment before the exposure."""
    records = rows()
    records += [exposure(f"a{unit}", "0", kind="assigned") for unit in range(300)]
    records += [exposure(f"b{unit}", "1", kind="assigned") for unit in range(100)]
    found = analysed(tmp_path, [], designs(), records=records)

    assert found.health.assigned is not None
    assert found.health.assigned.counts == [300, 100]
    assert "the split of 400 assigned units is not as configured" in found.health.problems[0]
    assert found.status == "unhealthy"


def test_an_unhealthy_experiment_says_nothing_of_better_or_worse(tmp_path: Path) -> None:
    """In no form: words, page, JSON."""
    found = analysed(tmp_path, [start(designs())], designs(goals=("revenue",), secondary=()))

    assert {one.word for metric in found.metrics for one in metric.verdicts} == {"untrusted"}
    assert ">untrusted</span>" in as_page(found)


def test_less_traffic_than_planned_is_told(tmp_path: Path) -> None:
    """Below half of it."""
    told = "286 units come a day, where the plan expects 600"
    assert analysed(tmp_path, [], designs(units_per_day=570)).health.warnings == []
    assert told in analysed(tmp_path, [], designs(units_per_day=600)).health.warnings[0]
