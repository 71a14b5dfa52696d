"""A team takes an experiment from an idea to the archive, and is stopped where it must be."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import pytest

from abmiddleware import Experiment
from abmiddleware.design.archive import cards, search
from abmiddleware.design.designs import Designs
from abmiddleware.design.ledger import Ledger, Outcome, Step
from abmiddleware.design.lock import digest_of
from abmiddleware.design.record import ExperimentRecord
from abmiddleware.design.steps import Request, Team, take
from abmiddleware.exceptions import DefinitionError
from tests.design.test_lint import GOOD, METRICS

BEGIN = ("draft", "ready", "running")


def team(tmp_path: Path, record: dict[str, Any] | None = None, **definition: Any) -> Team:
    """Return a team with one experiment, and what was written of it before."""
    one: Experiment[Any] = Experiment("button", ["old", "new"], hash_version=2, **definition)
    designs = Designs.of(METRICS, {"button": ExperimentRecord(**{**GOOD, **(record or {})})})
    return Team({"button": one.plan}, designs, Ledger(tmp_path / "experiments.jsonl"))


def go(of: Team, *ways: str, **fields: Any) -> Step:
    """Take steps, and return the last."""
    for to in ways:
        step = take(of, Request(key="button", to=to, by="ana", **fields))
    return step


def test_a_start_locks_what_decides(tmp_path: Path) -> None:
    """With a digest, the definition's hash and its coverage."""
    one = team(tmp_path, {"secondary": ("revenue",)}, coverage=0.1)
    start = go(one, *BEGIN)

    assert start.digest == digest_of(start.plan)
    assert start.plan["record"]["goals"] == ["conversion"]
    assert set(start.plan["metrics"]) == {"conversion", "latency"}
    assert (start.coverage, start.secondary) == (0.1, ("revenue",))
    assert start.config_hash == one.plans["button"].config_hash
    assert Ledger(one.ledger.path).start("button") == start


def test_coverage_may_rise_and_nothing_else_may_change(tmp_path: Path) -> None:
    """While it runs."""
    go(team(tmp_path, coverage=0.1), *BEGIN)
    ramp = go(team(tmp_path, coverage=0.5), "running")

    assert (ramp.coverage, ramp.digest) == (0.5, "")
    with pytest.raises(DefinitionError, match=r"coverage: is 0.5 and was 0.5, must rise"):
        go(team(tmp_path, coverage=0.5), "running")
    with pytest.raises(DefinitionError, match=r"locked since .*seed: was .button., is .other."):
        go(team(tmp_path, coverage=0.7, seed="other"), "running")
    with pytest.raises(DefinitionError, match=r"record\.goals: was .*revenue"):
        go(team(tmp_path, {"goals": ("revenue",)}, coverage=0.7), "running")


def test_a_new_phase_locks_anew(tmp_path: Path) -> None:
    """With other weights, and a seed of its own."""
    first = go(team(tmp_path), *BEGIN)
    changed = {"why_unequal": "fewer servers", "units_per_day": 4_000.0}
    of = team(tmp_path, changed, phase=1, seed="button-2", weights=[0.7, 0.3])
    again = go(of, "running")

    assert again.digest not in ("", first.digest)
    assert of.ledger.start("button") == again


def test_a_pause_goes_on_as_it_was(tmp_path: Path) -> None:
    """The plan is looked at, the coverage need not rise."""
    of = team(tmp_path)
    go(of, *BEGIN)
    go(of, "paused", why="a release")

    assert go(of, "running").to == "running"


def test_a_pause_does_not_lower_the_coverage(tmp_path: Path) -> None:
    """Who was in would be out, and come to no other phase."""
    go(team(tmp_path, coverage=0.5), *BEGIN)
    go(team(tmp_path, coverage=0.5), "paused", why="a release")
    with pytest.raises(DefinitionError, match=r"is 0.1 and was 0.5, must not be lower"):
        go(team(tmp_path, coverage=0.1), "running")

    assert go(team(tmp_path, coverage=0.5), "running").coverage == 0.5


@pytest.mark.parametrize(
    ("ways", "to", "fields", "problem"),
    [
        (BEGIN[:1], "ready", {"record": {"owner": ""}}, "has 1 errors of lint: .*owner"),
        ((), "draft", {"record": {"hypothesis": ""}}, "hypothesis: is missing"),
        (BEGIN, "stopped", {}, "why: is missing: one that is stopped needs a reason"),
        ((), "abandoned", {}, "why: is missing"),
        (BEGIN, "decided", {}, "must be stopped first"),
        (BEGIN, "flying", {}, "cannot become 'flying'"),
    ],
)
def test_a_step_that_may_not_be_taken_writes_nothing(
    tmp_path: Path, ways: tuple[str, ...], to: str, fields: dict[str, Any], problem: str
) -> None:
    """And says what is missing."""
    if ways:
        go(team(tmp_path), *ways)
    of = team(tmp_path, **fields)
    with pytest.raises(DefinitionError, match=problem):
        go(of, to)
    assert len(Ledger(of.ledger.path).steps("button")) == len(ways)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "decision: is missing: ship, roll back"),
        ({"decision": "ship"}, "learnings: are missing"),
        (
            {"decision": "ship", "learnings": "x", "variation": "2"},
            "variation: is '2', must be the one to ship: '0', '1'",
        ),
    ],
)
def test_a_decision_says_what_and_why(tmp_path: Path, fields: dict[str, Any], problem: str) -> None:
    """What is shipped, and what was learnt."""
    of = team(tmp_path)
    go(of, *BEGIN)
    go(of, "stopped", why="its end")

    with pytest.raises(DefinitionError, match=problem):
        go(of, "decided", **fields)


def test_somebody_answers_for_each_step(tmp_path: Path) -> None:
    """A step without a name is none."""
    with pytest.raises(DefinitionError, match="by: is missing"):
        take(team(tmp_path), Request(key="button", to="draft", by=""))


def test_experiments_without_a_definition_cannot_run(tmp_path: Path) -> None:
    """Nor can those without a record."""
    of = team(tmp_path)
    with pytest.raises(DefinitionError, match=r"experiments\.other: is missing"):
        take(of, Request(key="other", to="draft", by="ana"))
    designs = Designs.of(METRICS, {**of.designs.experiments, "other": ExperimentRecord(**GOOD)})
    of = msgspec.structs.replace(of, designs=designs)
    take(of, Request(key="other", to="draft", by="ana"))
    with pytest.raises(DefinitionError, match="is no experiment of the engine, which has 'button'"):
        take(of, Request(key="other", to="ready", by="ana"))


def test_the_archive_finds_what_was_learnt_by_its_words(tmp_path: Path) -> None:
    """Of the record, of the decision and of its outcome, whatever their case."""
    of = team(tmp_path)
    go(of, *BEGIN)
    go(of, "stopped", why="its end")
    go(
        of, "decided", decision="ship", variation="1", learnings="Fewer steps help on phones.",
        outcome=Outcome("conversion", "1", 0.1, 0.02),
    )  # fmt: skip
    known = cards(of.designs, Ledger(of.ledger.path))

    (card,) = search(known, "PHONES ship ana@shop conversion")
    today = dt.datetime.now(dt.UTC).date().isoformat()
    assert (card.began, card.stopped, card.decision) == (today, today, "ship")
    assert card.outcome == Outcome("conversion", "1", 0.1, 0.02)
    assert search(known, "phones tablets") == []
    assert search(known, "") == known
