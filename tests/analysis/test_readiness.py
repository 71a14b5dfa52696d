"""Lint looks at what was recorded: whether a plan can be measured on it."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

from abmiddleware import Experiment
from abmiddleware.analysis.readiness import readiness
from abmiddleware.analysis.warehouse import open_journal
from abmiddleware.design.designs import Designs
from abmiddleware.design.ledger import Ledger
from abmiddleware.design.lint.finding import Case, Finding
from abmiddleware.design.metrics import Measure, Metric
from abmiddleware.design.record import ExperimentRecord
from abmiddleware.evaluation.buckets import bucket_ranges, choose_variation
from abmiddleware.evaluation.hashing import bucket_of
from tests.analysis.records import DAY, START_US, after, exposure, outcome, write

EACH = Measure(event="purchase", aggregate="count")
METRICS = {
    "conversion": Metric(kind="proportion", event="purchase", window_days=7, cuped_days=14),
    "revenue": Metric(kind="mean", event="purchase"),
    "basket": Metric(kind="ratio", event="purchase", denominator=EACH),
    "checked": Metric(kind="funnel", steps=("cart", "purchase")),
}
NOW = after(20)


def rows(units: int = 2_000) -> list[dict[str, Any]]:
    """Return what units of some other experiment did, of which every fifth bought."""
    source = random.Random(3)  # noqa: S311  # made up
    found = []
    for unit in range(units):
        found.append(exposure(unit, "a", START_US + 10 * DAY, experiment_key="other"))
        if source.random() < 0.2:
            found.append(outcome(unit, "purchase", source.uniform(5, 20), START_US + 15 * DAY))
    return found


def found(
    tmp_path: Path,
    records: list[dict[str, Any]],
    goals: tuple[str, ...] = ("conversion", "revenue", "basket", "checked"),
    **definition: Any,
) -> list[Finding]:
    one: Experiment[Any] = Experiment("button", ["old", "new"], hash_version=2, **definition)
    designs = Designs.of(METRICS, {"button": ExperimentRecord(goals=goals)})
    case = Case(
        one.plan,
        designs.experiments["button"],
        designs,
        {"button": one.plan},
        Ledger(tmp_path / "none"),
        dt.date(2026, 11, 22),
    )
    return readiness(case, open_journal(write(tmp_path / "journal.jsonl", records)), NOW)


def test_records_of_units_that_do_what_is_measured_are_right(tmp_path: Path) -> None:
    """Whatever experiment they met."""
    assert found(tmp_path, rows()) == []


def test_a_metric_without_events_is_found(tmp_path: Path) -> None:
    """By its name and that of the event (L5)."""
    records = [row for row in rows() if row.get("event") != "purchase"]
    hits = found(tmp_path, records, ("conversion",))

    assert [hit.rule for hit in hits] == ["L5"]
    assert "'conversion' has no 'purchase' of any unit in 28 days" in hits[0].problem


def test_outcomes_by_other_ids_are_found(tmp_path: Path) -> None:
    """Those of a login, say, where exposures have the visitor's (L15)."""
    records = rows()
    strangers = [outcome(f"user-{n}", "purchase", 9.0, START_US + 16 * DAY) for n in range(100)]
    hits = found(tmp_path, records + strangers, ("conversion",))

    (hit,) = hits
    assert (hit.rule, hit.level) == ("L15", "error")
    assert hit.problem.startswith("100 of ")


def test_without_units_nothing_can_be_tried(tmp_path: Path) -> None:
    """It is said, and is no error."""
    (hit,) = found(tmp_path, rows(), hash_attribute="company")

    assert (hit.rule, hit.level) == ("L15", "warning")
    assert "no unit by 'company' was exposed in the last 28 days" in hit.problem


def test_a_seed_that_spreads_the_past_unevenly_is_found(tmp_path: Path) -> None:
    """Units of one arm bought far more before (L20)."""
    bucket, ranges = bucket_of("unlucky", 2), bucket_ranges(2)
    assert bucket is not None
    records = [row for row in rows() if row["type"] == "exposure"]
    for unit in range(2_000):
        share = 0.3 if choose_variation(bucket(str(unit)), ranges) else 0.2
        if unit % 100 < 100 * share:
            records.append(outcome(unit, "purchase", 10.0 + unit % 7, START_US + 15 * DAY))
    hits = found(tmp_path, records, ("conversion",), seed="unlucky")

    assert [(hit.rule, hit.level) for hit in hits] == [("L20", "warning")]
    assert "spreads 'conversion' of the last 28 days unevenly" in hits[0].problem
    assert found(tmp_path, records, ("conversion",), seed="lucky") == []


def test_a_sum_that_a_few_units_have_is_found(tmp_path: Path) -> None:
    """One of a thousand with more than a fifth of it (L23)."""
    records = rows()
    records += [outcome(unit, "purchase", 5_000.0, START_US + 15 * DAY) for unit in (3, 4)]
    hits = found(tmp_path, records, ("revenue",))

    (hit,) = [hit for hit in hits if hit.rule == "L23"]
    assert "'revenue': 2 units have 6" in hit.problem
