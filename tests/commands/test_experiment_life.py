"""A team leads an experiment from its plan to what was learnt, by the commands."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core.management import call_command
from django.test import override_settings
from flask import Flask

from abmiddleware import Engine, Experiment, Journal, MemorySink, cli
from abmiddleware.design.ledger import Ledger, Outcome, Step
from abmiddleware.design.lifecycle import Decision, Status
from abmiddleware_flask import Experiments

DESIGNS = """
[metrics.conversion]
kind = "proportion"
event = "purchase"

[metrics.latency]
kind = "mean"
event = "latency"
aggregate = "max"
direction = "down"
margin = 0.05

[experiments.button]
hypothesis = "Because carts are left at the second step, one click raises conversion by 10 %."
owner = "ana@shop.example"
surface = ["checkout"]
goals = ["conversion"]
guardrails = ["latency"]
start = 2026-11-02
end = 2099-12-07
mde = 0.3
baseline = 0.1
units_per_day = 3000
sequential = true
tuning = 4000
decision_rule = "Ship if conversion is better and latency holds; else stay."
confirmed = ["exposure", "aa", "qa"]
"""
Command = Callable[..., tuple[int, str]]


class Team:
    """A team with an experiment, and a second one by the same visitors."""

    def __init__(self, place: Path, capsys: pytest.CaptureFixture[str], **second: Any) -> None:
        self.place, self._capsys = place, capsys
        (place / "designs.toml").write_text(DESIGNS)
        self.engine = Engine(
            [
                Experiment("button", ["old", "new"], hash_version=2, seed="button-1"),
                Experiment("colour", ["blue", "green"], hash_version=2, **second),
            ],
            sink=Journal(place / "visits.jsonl"),
        )

    def visit(self, count: int = 2_000) -> None:
        """Let visitors meet both, of whom more buy with the new button."""
        source = random.Random(7)  # noqa: S311  # made up
        for number in range(count):
            with self.engine.client(id=f"v{number}") as client:
                is_new = client.run("button").value == "new"
                client.run("colour")
                client.track("latency", source.gauss(100, 10))
                if source.random() < 0.1 + 0.08 * is_new:
                    client.track("purchase", 20.0)

    def __call__(self, command: str, *arguments: str) -> tuple[int, str]:
        """Run a command; return its exit code and what it printed."""
        told = [command, *arguments]
        if command not in ("impact", "plan"):
            told += ["--designs", str(self.place / "designs.toml")]
        if command != "plan":
            told += ["--ledger", str(self.place / "experiments.jsonl")]
        code = cli.main(told, engine=lambda: self.engine)
        out, err = self._capsys.readouterr()
        return code, out + err


@pytest.fixture
def team(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Team:
    return Team(tmp_path, capsys, seed="colour-1")


def begin(team: Team) -> None:
    for to in ("draft", "ready", "running"):
        assert team("step", "button", to, "--by", "ana")[0] == 0


def test_a_life_from_the_plan_to_the_archive(team: Team) -> None:
    """Lint, steps, status, report, decision, archive and impact, on real records."""
    assert team("lint") == (1, team("lint")[1])
    (team.place / "designs.toml").write_text(DESIGNS.replace("2099-12-07", "2026-12-13"))
    code, said = team("lint", "button")
    assert (code, said.splitlines()[-1]) == (1, "1 error, 0 warnings")
    assert "tuning: is 4,000, must be near 126,000" in said
    (team.place / "designs.toml").write_text(
        DESIGNS.replace("2099-12-07", "2026-12-13").replace("4000", "126000")
    )
    assert team("lint") == (0, "0 errors, 0 warnings\n")
    begin(team)
    team.visit()

    code, said = team("status")
    assert code == 0
    assert "button" in said
    assert "running" in said
    code, said = team("report", "button")
    assert code == 0
    assert "visitors" in said
    report = team.place / "report.json"
    report.write_text(team("report", "button", "--json")[1])
    assert team("step", "button", "stopped", "--why", "clear")[0] == 0
    code, said = team(
        "step", "button", "decided", "--decision", "ship", "--variation", "1",
        "--learnings", "One click helps.", "--report", str(report),
    )  # fmt: skip
    assert (code, "ship 1" in said) == (0, True)

    code, said = team("archive", "one", "CLICK")
    assert code == 0
    assert "learnt: One click helps." in said
    assert team("archive", "nothing of the kind") == (1, "0 of 1 experiments\n")
    assert len(json.loads(team("archive", "--decision", "ship", "--json")[1])) == 1
    outcome = Ledger(team.place / "experiments.jsonl").steps("button")[-1].outcome
    assert isinstance(outcome, Outcome)
    assert (outcome.metric, outcome.variation, outcome.units) == ("conversion", "1", 2_000)
    assert 0.2 < outcome.lift < 1.6
    assert "fewer than six outcomes" in team("impact")[1]


def test_a_note_of_lint_fails_nothing(team: Team) -> None:
    """Not even where warnings do."""
    designs = DESIGNS.replace("2099-12-07", "2026-12-13").replace("4000", "126000")
    record = designs[designs.index("[experiments.button]") :].replace(".button", ".colour")
    elsewhere = record.replace("checkout", "search")
    (team.place / "designs.toml").write_text(designs + elsewhere)

    code, said = team("lint", "--strict")
    assert (code, said.splitlines()[-1]) == (0, "0 errors, 0 warnings, 2 notes")
    assert "note: experiments.button.goals: conversion is a goal of 'colour', too" in said
    (team.place / "designs.toml").write_text(
        designs + elsewhere.replace("decision_rule", "why_unequal")
    )
    assert team("lint", "--strict")[0] == 1


def test_status_tells_what_to_do_next(team: Team) -> None:
    """Of what runs, what was stopped, and what has no step."""
    team.visit(200)
    code, said = team("status", "--json")
    (one,) = json.loads(said)["experiments"]

    assert (code, one["units"], one["status"]) == (0, 200, "idea")
    assert one["action"] == "it has units but is idea in the ledger: write its steps"


def test_status_finds_experiments_that_go_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two that hash by one seed: who sees one variation always sees the same of the other."""
    team = Team(tmp_path, capsys, seed="button-1")
    record = DESIGNS[DESIGNS.index("[experiments.button]") :].replace(".button", ".colour")
    (tmp_path / "designs.toml").write_text(DESIGNS + record)
    team.visit(400)
    code, said = team("status")

    assert code == 1
    assert "button and colour: who sees a variation of one sees a variation of the other" in said
    (crossing,) = json.loads(team("status", "--json")[1])["crossings"]
    assert crossing["units"]["0"]["1"] == crossing["units"]["1"]["0"] == 0


def test_status_without_anything_under_way_says_so(team: Team) -> None:
    """Before the first visitor there is no journal, after it no experiment."""
    (team.place / "designs.toml").write_text("[metrics]\n")
    team.visit(1)

    assert team("status") == (0, "nothing is under way\n")


def test_the_page_of_a_report_is_written(team: Team) -> None:
    """With its sentence on the terminal."""
    team.visit(400)
    page = team.place / "report.html"
    code, said = team("report", "button", "--html", str(page))

    assert code == 0
    assert said.splitlines() == [said.splitlines()[0], str(page)]
    assert said.splitlines()[0] in page.read_text()
    code, said = team("report", "button", "--csv")
    assert said.splitlines()[1].startswith("button,running,goal,conversion,1,")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("report", "bottom"), "bottom: is no experiment of the engine, which has 'button', 'col"),
        (("report", "button", "--journal", "nowhere"), "journal: there is no file nowhere"),
        (("step", "button", "running"), "cannot become running: must be a draft and ready first"),
        (("step", "bottom", "draft"), r"experiments.bottom: is missing"),
        (("lint", "bottom"), "bottom: is no experiment of the engine"),
    ],
)
def test_what_is_told_wrong_is_said(team: Team, arguments: tuple[str, ...], problem: str) -> None:
    """With the place, and what must be."""
    code, said = team(*arguments)

    assert code == 2
    assert problem in said


def test_a_file_of_designs_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """By the option that names it."""
    engine = Engine([Experiment("button", ["old", "new"])], sink=MemorySink())
    assert cli.main(["lint", "--designs", "no.toml"], engine=lambda: engine) == 2
    assert "--designs: there is no file no.toml" in capsys.readouterr().err


def test_a_report_needs_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An engine that keeps them elsewhere must be told where they are."""
    engine = Engine([Experiment("button", ["old", "new"])], sink=MemorySink())
    assert cli.main(["report", "button"], engine=lambda: engine) == 2
    assert "--journal: is missing, must name a journal" in capsys.readouterr().err


def test_lint_names_records_of_nothing(team: Team) -> None:
    """A record whose experiment is gone, or misspelled."""
    with (team.place / "designs.toml").open("a") as file:
        file.write('[experiments.bottom]\nowner = "ana"\n')
    code, said = team("lint", "--json")

    assert code == 1
    assert "is the record of no experiment of the engine" in said


def test_impact_draws_lucky_winners_to_zero(team: Team) -> None:
    """By what all decided experiments of a metric tell."""
    ledger = Ledger(team.place / "experiments.jsonl")
    for place, lift in enumerate((0.08, 0.05, -0.01, 0.02, -0.04, 0.00, 0.03)):
        key = f"test-{place}"
        ways: tuple[Status, ...] = ("draft", "ready", "running", "stopped")
        for to in ways:
            ledger.append(Step(at="2026-11-02T00:00:00Z", key=key, to=to, by="ana"))
        outcome = Outcome("conversion", "1", lift, 0.03)
        decided = Step(at="2026-11-20T00:00:00Z", key=key, to="decided", by="ana", outcome=outcome)
        decision: Decision = "ship" if lift > 0.01 else "roll back"
        ledger.append(msgspec.structs.replace(decided, decision=decision))
    (found,) = json.loads(team("impact", "--json")[1])

    assert found["shipped"] == pytest.approx(1.08 * 1.05 * 1.02 * 1.03 - 1)
    assert 0 <= found["shipped_shrunken"] < 0.5 * found["shipped"]
    assert found["avoided_shrunken"] > found["avoided"]
    said = team("impact")[1]
    assert "shipped, all    +19.1%" in said
    assert "0 of 7 decisions tell no outcome" not in said


def test_a_plan_tells_units_days_and_what_else_could_be_found(team: Team) -> None:
    """As a table, a curve, and JSON."""
    code, said = team("plan", "--baseline", "0.1", "--mde", "0.1", "--per-day", "3000")
    assert code == 0
    assert said.startswith("14,751 units of each of 2 variations find +10.0% of 0.1 with a power")
    assert "that takes 14 days, in whole weeks" in said
    assert "weeks  smallest effect that is found" in said
    code, said = team("plan", "--baseline", "0.1", "--mde", "0.1", "--json")
    assert json.loads(said)["units"] == 14_751
    weighted = ("plan", "--baseline", "0.1", "--mde", "0.1", "--weights", "0.9,0.1")
    said = team(*weighted, "--per-day", "3000")[1]
    assert said.startswith("81,950 units in shares of 90% : 10% find +10.0% of 0.1 with a power")
    assert "that takes 28 days, in whole weeks" in said
    code, said = team(*weighted, "--variations", "3")
    assert (code, "weights: are 2, must be one for each of 3" in said) == (2, True)
    said = team("plan", "--baseline", "0.01", "--mde", "0.9")[1]
    assert said.startswith("20,000 units of each")
    assert "the floor of 200 conversions of each variation sets the size" in said
    assert team("plan", "--baseline", "1.1", "--mde", "0.1")[0] == 2


@pytest.mark.parametrize("framework", ["django", "flask"])
def test_frameworks_know_their_engine_and_their_files(team: Team, framework: str) -> None:
    """`manage.py experiments report` and `flask experiments report`."""
    team.visit(400)
    page = team.place / "report.html"
    files = {"DESIGNS": team.place / "designs.toml", "LEDGER": team.place / "experiments.jsonl"}
    if framework == "django":
        with override_settings(EXPERIMENTS={"ENGINE": team.engine, **files}):
            call_command("experiments", "report", "button", "--html", str(page))
    else:
        app = Flask("shop")
        Experiments(app, engine=team.engine)
        told = ["experiments", "report", "button", "--designs", str(files["DESIGNS"])]
        done = app.test_cli_runner().invoke(args=[*told, "--html", str(page)])
        assert done.exit_code == 0, done.output
    assert "400 visitors" in page.read_text()
