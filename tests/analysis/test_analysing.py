"""What may be said of an experiment, and when."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from scipy import stats

from abmiddleware.analysis.analysing import analyse
from abmiddleware.analysis.analysis import Analysis
from abmiddleware.analysis.report.data import COLUMNS, as_csv, as_json
from abmiddleware.analysis.report.page import as_page
from abmiddleware.analysis.report.terminal import print_report
from abmiddleware.analysis.subject import Subject, Variation
from abmiddleware.analysis.warehouse import open_journal
from abmiddleware.design.designs import Designs
from abmiddleware.design.metrics import Metric
from abmiddleware.design.record import ExperimentRecord
from tests.analysis.records import AB, START_US, after, exposure, outcome, suppression, write

CONVERSION = Metric(kind="proportion", event="purchase")
REVENUE = Metric(kind="mean", event="purchase", unit="€")
SLOW = Metric(kind="mean", event="latency", direction="down", unit="ms", margin=0.05)
METRICS = {"conversion": CONVERSION, "revenue": REVENUE, "latency": SLOW}


def rows(
    units: int = 4_000, lift: float = 0.05, slower: float = 0.0, seed: int = 1
) -> list[dict[str, Any]]:
    """Return records of an experiment whose truth is known."""
    source = np.random.default_rng(seed)
    found = []
    for unit in range(units):
        is_new = unit % 2 == 1
        at = START_US + unit
        found.append(exposure(unit, "ab"[is_new], at))
        found.append(outcome(unit, "latency", source.normal(100 + slower * is_new, 10), at + 1))
        if source.random() < 0.1 + lift * is_new:
            found.append(outcome(unit, "purchase", source.exponential(20), at + 2))
    return found


def designs(**fields: Any) -> Designs:
    """Return a record from the first day to the 14th, with a goal."""
    record = {"goals": ("conversion",), "guardrails": ("latency",), "secondary": ("revenue",)}
    days = {"start": after(0).date(), "end": after(13).date()}
    return Designs.of(METRICS, {"button": ExperimentRecord(**{**record, **days, **fields})})


def analysed(
    tmp_path: Path, records: list[dict[str, Any]], of: Designs, days: float = 14.5, **options: Any
) -> Analysis:
    """Return the analysis of records, so many days after the first."""
    journal = open_journal(write(tmp_path / "journal.jsonl", records), of.sources)
    return analyse(options.get("subject", AB), of, journal, now=after(days))


def words(analysis: Analysis) -> dict[str, str]:
    """Return what is said of each metric's first comparison."""
    return {one.name: one.verdicts[0].word for one in analysis.metrics if one.verdicts}


def told(analysis: Analysis) -> str:
    """Return all forms of the report."""
    page = as_page(analysis).partition("</style>")[2]
    return "\n".join([printed(analysis), page, as_json(analysis), as_csv(analysis)])


def printed(analysis: Analysis, width: int = 200) -> str:
    """Return the report as a terminal has it."""
    console = Console(record=True, width=width, file=io.StringIO())
    print_report(console, analysis)
    return console.export_text()


def test_a_fixed_plan_shows_no_effect_before_its_end(tmp_path: Path) -> None:
    """In no form, and in no number; its units and its split are there."""
    analysis = analysed(tmp_path, rows(), designs(), days=13.9)

    assert analysis.status == "waiting"
    assert analysis.withheld == "the plan is to decide at its end: come back on 2026-11-16"
    assert all(one.verdicts == [] and one.cells == [] for one in analysis.metrics)
    assert "After 14 of 14 days with 4,000 visitors" in analysis.sentence
    assert not re.search(r"lift\": |better|worse|[+-]\d+ %", told(analysis))
    assert analysis.health.exposed is not None


def test_at_its_end_it_says_what_to_do(tmp_path: Path) -> None:
    """In a sentence that a product manager can read."""
    analysis = analysed(tmp_path, rows(), designs())

    assert (analysis.status, analysis.winner) == ("ship", "b")
    assert words(analysis) == {"conversion": "better", "latency": "holds", "revenue": "better"}
    assert re.fullmatch(
        r"After 14 of 14 days with 4,000 visitors, new has \d+ % more conversion than old "
        r"\(between \+\d+ % and \+\d+ %\); guardrails hold; traffic is balanced: ship new\.",
        analysis.sentence,
    )


def test_a_harmed_guardrail_stops_a_winner(tmp_path: Path) -> None:
    """However good the goal is."""
    analysis = analysed(tmp_path, rows(slower=8.0), designs())

    assert words(analysis)["latency"] == "harmed"
    assert (analysis.status, analysis.winner) == ("roll back", "")
    assert analysis.sentence.endswith("a guardrail is harmed; traffic is balanced: stay with old.")


def test_a_guardrail_that_is_not_clear_stops_a_winner_too(tmp_path: Path) -> None:
    """What is not shown to hold does not hold."""
    analysis = analysed(tmp_path, rows(slower=4.8), designs())

    assert words(analysis)["latency"] == "open" or words(analysis)["latency"] == "harmed"
    assert analysis.status != "ship"


def test_nothing_found_is_no_decision(tmp_path: Path) -> None:
    """At the end of a fixed plan."""
    analysis = analysed(tmp_path, rows(lift=0.0), designs())

    assert analysis.status == "inconclusive"
    assert "which may be chance" in analysis.sentence
    assert analysis.sentence.endswith("no decision follows from it.")


def test_worse_is_rolled_back(tmp_path: Path) -> None:
    """A goal that has become worse."""
    analysis = analysed(tmp_path, rows(lift=-0.05), designs())

    assert words(analysis)["conversion"] == "worse"
    assert analysis.status == "roll back"


def test_an_unhealthy_experiment_has_no_winner(tmp_path: Path) -> None:
    """A split that is not as configured, say, whatever the effect."""
    records = [row for row in rows(8_000) if not (
        row["type"] == "exposure" and row["variation_key"] == "b" and int(row["unit_id"]) % 10 == 1
    )]  # fmt: skip
    analysis = analysed(tmp_path, records, designs())

    assert (analysis.status, analysis.winner) == ("unhealthy", "")
    assert "the numbers cannot be trusted: the split" in analysis.sentence
    assert "ship" not in told(analysis)


def test_many_crossovers_are_unhealthy(tmp_path: Path) -> None:
    """Somebody's unit changes from request to request."""
    records = rows() + [exposure(unit, "a", START_US + 9) for unit in range(1, 100, 2)]
    analysis = analysed(tmp_path, records, designs())

    assert analysis.status == "unhealthy"
    assert "50 units (1.2%) met two variations" in analysis.health.problems[0]


def test_what_the_definition_does_not_know_is_unhealthy(tmp_path: Path) -> None:
    """A third variation; units of another kind."""
    strange = [exposure(f"s{n}", "c") for n in range(5)]
    users = [exposure(f"u{n}", "a", unit_type="user_id") for n in range(3)]
    analysis = analysed(tmp_path, [*rows(), *strange, *users], designs())

    assert "5 units met a variation 'c', which the definition lacks" in analysis.health.problems[0]
    assert "3 exposures are of units by 'user_id', not by 'id'" in analysis.health.problems[1]


def test_few_clusters_are_refused(tmp_path: Path) -> None:
    """Below 20 of a variation; below 40 they are warned of."""
    companies = Subject("button", AB.variations, "company")
    for count, status, note in (
        (30, "unhealthy", "must have 20"),
        (60, "inconclusive", "somewhat"),
    ):
        records = [
            exposure(f"c{unit}", "ab"[unit % 2], unit_type="company") for unit in range(count)
        ]
        records += [
            outcome("", "purchase", 1.0, START_US + 5, unit_ids={"company": f"c{unit}"})
            for unit in range(0, count, 3)
        ]
        analysis = analysed(
            tmp_path, records, designs(guardrails=(), secondary=()), subject=companies
        )
        assert analysis.status == status
        assert note in " ".join([*analysis.health.problems, *analysis.health.warnings])


def test_a_sequential_plan_may_be_looked_at_any_day(tmp_path: Path) -> None:
    """With wider intervals; what it finds, it says at once."""
    early = analysed(tmp_path, rows(lift=0.08), designs(sequential=True), days=3)
    fixed = analysed(tmp_path, rows(lift=0.08), designs(), days=15)

    assert early.status == "ship"
    assert early.sequential
    wide, narrow = (one.metrics[0].verdicts[0].comparison.effect for one in (early, fixed))
    assert wide.high - wide.low > 1.3 * (narrow.high - narrow.low)
    flat = analysed(tmp_path, rows(lift=0.0), designs(sequential=True), days=3)
    assert flat.status == "running"
    assert flat.sentence.endswith("let it run.")


def test_without_a_plan_intervals_hold_at_every_look(tmp_path: Path) -> None:
    """And all metrics are shown; no goal, no decision."""
    analysis = analysed(tmp_path, rows(), Designs.of(METRICS))

    assert analysis.sequential
    assert analysis.status == "running"
    assert {one.role for one in analysis.metrics} == {"secondary"}
    assert "there is no goal to decide by" in analysis.sentence


def test_several_goals_are_corrected_by_holm(tmp_path: Path) -> None:
    """Over all variations; secondary metrics by Benjamini and Hochberg."""
    analysis = analysed(
        tmp_path, rows(lift=0.02), designs(goals=("conversion", "revenue"), secondary=())
    )
    raw = [one.verdicts[0].comparison.p_value for one in analysis.metrics if one.role == "goal"]
    shown = [one.verdicts[0].p_value for one in analysis.metrics if one.role == "goal"]

    assert min(shown) == pytest.approx(min(2 * min(raw), 1.0))
    assert max(shown) == pytest.approx(max(2 * min(raw), *raw))


def test_an_activation_counts_those_that_really_met_it(tmp_path: Path) -> None:
    """From then on; their split is tested, too."""
    records = rows()
    records += [outcome(unit, "opened", None, START_US + unit + 1) for unit in range(0, 4_000, 4)]
    records += [outcome(unit, "opened", None, START_US + unit + 1) for unit in range(1, 4_000, 4)]
    records += [outcome(unit, "opened", None, START_US - 5) for unit in range(2, 4_000, 4)]
    analysis = analysed(tmp_path, records, designs(activation="opened"))

    assert [arm.units for arm in analysis.arms] == [1_000, 1_000]
    assert analysis.health.activated is not None
    uneven = [
        *rows(),
        *(outcome(u, "opened", None, START_US + u) for u in range(0, 4_000, 3) if u % 2 or u % 9),
    ]
    broken = analysed(tmp_path, uneven, designs(activation="opened"))
    assert broken.status == "unhealthy"
    assert "activated units is not as configured" in broken.health.problems[0]


def test_texts_of_a_definition_are_no_markup(tmp_path: Path) -> None:
    """On the page, in the terminal, wherever they are from."""
    odd = Subject("button", [Variation("a", "<script>x", 0.5), Variation("b", "[bold]new[/]", 0.5)])
    plan = designs(hypothesis="<img src=x onerror=alert(1)>", owner="a&b")
    analysis = analysed(tmp_path, rows(), plan, subject=odd)
    page = as_page(analysis)

    assert "<script" not in page
    assert "<img" not in page
    assert "[bold]new[/]" in told(analysis)


def test_a_report_of_nobody_names_what_it_will_tell(tmp_path: Path) -> None:
    """Without tables of nothing."""
    analysis = analysed(tmp_path, [outcome(1, "purchase", 1.0)], designs())

    assert analysis.status == "no data"
    assert "goals conversion; guardrails latency; secondary revenue" in printed(analysis)
    assert "too few units" not in printed(analysis)
    assert "nobody has met it yet" in as_page(analysis)
    assert "too few units" not in as_page(analysis)


def test_a_report_tells_what_does_not_count(tmp_path: Path) -> None:
    """Bots and forced variations, in the terminal, on the page and in JSON."""
    records = [*rows(), suppression("excluded", 1_204), suppression("forced", 9)]
    analysis = analysed(tmp_path, records, designs())
    text = "xposures that do not count: 1,204 of bots and excluded visitors, 9 of forced variations"

    assert text in printed(analysis)
    assert text in as_page(analysis)
    assert json.loads(as_json(analysis))["health"]["left_out"] == {"excluded": 1204, "forced": 9}


def test_the_page_is_whole_in_itself(tmp_path: Path) -> None:
    """No script, no other file, no address; small enough for a mail."""
    page = as_page(analysed(tmp_path, rows(), designs()))

    assert not re.search(r"<script|src=|href=|https?://|@import|url\(", page)
    assert len(page) < 100_000
    assert page.count("<svg") == 4


def test_json_and_csv_hold_the_same_numbers(tmp_path: Path) -> None:
    """And JSON all of the analysis."""
    analysis = analysed(tmp_path, rows(), designs())
    data = json.loads(as_json(analysis))
    lines = [line.split(",") for line in as_csv(analysis).splitlines()]

    assert lines[0] == list(COLUMNS)
    (goal,) = (dict(zip(lines[0], line, strict=True)) for line in lines if line[2] == "goal")
    effect = data["metrics"][0]["verdicts"][0]["comparison"]["effect"]
    assert float(goal["effect"]) == effect["estimate"]
    assert float(goal["effect_low"]) == effect["low"]
    assert goal["verdict"] == "better"


def test_no_number_has_more_digits_than_its_interval_knows(tmp_path: Path) -> None:
    """A lift of 12.345 % whose interval is 30 % wide is a lift of 12 %."""
    analysis = analysed(tmp_path, rows(), designs())
    lift = analysis.metrics[0].verdicts[0].comparison.lift

    assert lift is not None
    assert lift.high - lift.low > 0.2
    assert re.search(rf"has {abs(lift.estimate):.0%}".replace("%", " %"), analysis.sentence)


def test_true_effects_are_within_their_intervals(tmp_path: Path) -> None:
    """In about 95 of 100 experiments, and a false find in about 5, through the whole path."""
    covered = finds = 0
    for seed in range(40):
        analysis = analysed(tmp_path, rows(600, lift=0.0, seed=seed), designs(guardrails=()))
        effect = analysis.metrics[0].verdicts[0].comparison.effect
        covered += effect.low <= 0.0 <= effect.high
        finds += words(analysis)["conversion"] != "flat"

    assert stats.binomtest(covered, 40, 0.95).pvalue > 0.001
    assert stats.binomtest(finds, 40, 0.05).pvalue > 0.001
