"""What the ledger keeps of a decision, and what it adds up."""

from __future__ import annotations

from pathlib import Path

import pytest

from abmiddleware.analysis.analysing import analyse
from abmiddleware.analysis.impact import impacts
from abmiddleware.analysis.report.data import as_json
from abmiddleware.analysis.warehouse import open_journal
from abmiddleware.design.ledger import Outcome, Step
from abmiddleware.design.lifecycle import Decision
from abmiddleware.design.outcomes import outcome_of
from tests.analysis.records import AB, after, exposure, write
from tests.analysis.test_analysing import designs, rows


@pytest.fixture
def report(tmp_path: Path) -> Path:
    journal = open_journal(write(tmp_path / "journal.jsonl", rows()))
    path = tmp_path / "report.json"
    path.write_text(as_json(analyse(AB, designs(), journal, now=after(14.5))))
    return path


def test_an_outcome_is_that_of_the_variation_that_is_named(report: Path) -> None:
    """Or of the first; the control has none, nor has one that is not there."""
    found = outcome_of(str(report), "button", "b")

    assert found is not None
    assert (found.metric, found.variation, found.units) == ("conversion", "b", 4_000)
    assert outcome_of(str(report), "button", "") == found
    assert outcome_of(str(report), "button", "a") is None
    assert outcome_of(str(report), "button", "z") is None


def test_what_cannot_be_trusted_leaves_no_outcome(tmp_path: Path) -> None:
    """Of an experiment whose split is wrong."""
    records = [*rows(), *(exposure(f"x{n}", "a") for n in range(1_000))]
    journal = open_journal(write(tmp_path / "journal.jsonl", records))
    analysis = analyse(AB, designs(), journal, now=after(14.5))
    (tmp_path / "report.json").write_text(as_json(analysis))

    assert analysis.status == "unhealthy"
    assert analysis.metrics[0].verdicts
    assert outcome_of(str(tmp_path / "report.json"), "button", "b") is None


def decided(number: int, lift: float, decision: Decision) -> Step:
    return Step(
        at="2026-11-02T00:00:00Z",
        key=f"e{number}",
        to="decided",
        by="ana",
        decision=decision,
        variation="b",
        outcome=Outcome("conversion", "b", lift, 0.01),
    )


def test_an_invalid_experiment_tells_nothing_of_the_others() -> None:
    """One that was broken, and so moved far, does not make theirs more believable."""
    real = [decided(n, 0.002 * (-1) ** n, "ship") for n in range(6)]
    (alone,) = impacts(real)
    (beside,) = impacts([*real, decided(9, 1.5, "invalid")])

    assert alone == beside
    assert alone.shipped_shrunken is not None
