"""A team replays an experiment, to see whether it would find what is not there."""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from abmiddleware import Engine, Experiment, Journal, MemorySink
from abmiddleware.commands import aa
from abmiddleware.exceptions import ConfigurationError, DefinitionError

DESIGNS = """
[metrics.conversion]
kind = "proportion"
event = "purchase"

[metrics.latency]
kind = "quantile"
event = "latency"
level = 0.95

[experiments.button]
goals = ["conversion"]
guardrails = ["latency"]
baseline = 0.3
start = 2026-11-02
end = 2026-12-13
"""
EXPERIMENTS = [
    Experiment("button", ["old", "new"], hash_version=2, seed="button-1"),
    Experiment("company", ["old", "new"], hash_version=2, hash_attribute="company"),
    Experiment("colour", ["blue", "green"], hash_version=2),
]
Command = Callable[..., tuple[int, str]]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(EXPERIMENTS, sink=Journal(tmp_path / "visits.jsonl"))


@pytest.fixture
def command(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command, and returns its exit code and what it printed."""
    designs = tmp_path / "designs.toml"
    designs.write_text(DESIGNS)

    def call(*arguments: str, of: Engine = engine, replays: int = 200) -> tuple[int, str]:
        parser = argparse.ArgumentParser()
        aa.add_arguments(parser)
        told = ["--designs", str(designs), "--replays", str(replays), *arguments]
        options = parser.parse_args(told)
        options.engine = lambda: of
        code = aa.run(options)
        return code, capsys.readouterr().out

    return call


def visit(engine: Engine, count: int = 400) -> None:
    """Let visitors of companies meet an experiment; those of some companies buy more."""
    source = random.Random(7)  # noqa: S311  # made up
    rich = [source.random() for _ in range(count // 10)]
    for number in range(count):
        company = number // 10
        with engine.client(id=f"v{number}", company=f"c{company}") as client:
            client.run("button")
            client.track("visit")
            if source.random() < 0.6 * rich[company]:
                client.track("purchase", 20.0)


def test_units_that_are_made_up_pass(command: Command) -> None:
    """It tells the share with its interval, the splits, and that it passes."""
    code, said = command("button", "--units", "600")

    assert code == 0
    lines = said.splitlines()
    assert lines[0] == "button: 200 replays of 600 units by conversion"
    assert re.fullmatch(
        r"  false positives: \d+, [\d.]+% \(95 % interval [\d.]+% to [\d.]+%\); "
        r"expected 5\.0% \(p = [\d.]+\)",
        lines[1],
    )
    assert lines[2] == "  alarming splits: 0, 0.0%; expected 0.1% (p = 1)"
    assert lines[3:] == ["  passes"]


def test_recorded_units_pass(command: Command, engine: Engine) -> None:
    """Those of the engine's journal, with what they did."""
    visit(engine)
    code, said = command("button", "--json")

    told = json.loads(said)
    assert (code, told["passes"], told["problems"]) == (0, True, [])
    assert (told["units"], told["replays"], told["metrics"]) == (400, 200, ["conversion"])
    assert told["low"] < told["share"] < told["high"]


def test_the_wrong_unit_fails_and_its_mend_passes(command: Command, engine: Engine) -> None:
    """Hashed by company and tested by visitor; then tested by company."""
    visit(engine)
    code, said = command("button", "--by", "company")

    assert code == 1
    assert "  wrong: too much is found: clusters are hashed and units are tested" in said
    assert said.splitlines()[-1] == "  fails"
    assert command("button", "--by", "company", "--test-clusters")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--looks", "6"], "(peeking)"),
        (["--ramp", "0.05,0.5", "--drift", "1"], "phases of other weights are pooled"),
        (["--cluster-size", "10"], "clusters are hashed and units are tested"),
    ],
    ids=["looks", "ramp", "clusters"],
)
def test_mistakes_fail(command: Command, arguments: list[str], problem: str) -> None:
    """With what it probably is."""
    code, said = command("button", "--units", "800", *arguments)

    assert code == 1
    assert problem in said


def test_a_terminal_sees_how_far_it_is(
    command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, so that what is printed stays as it is."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    code, said = command("button", "--units", "200", replays=100)

    assert code in (0, 1)
    assert said.startswith("button: 100 replays")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--units", "300", "--replays", "99"], "replays: is 99, must be 100 or more"),
        (["--metric", "revenue"], "metric: is 'revenue', must be one of 'conversion', 'latency'"),
        (
            ["--metric", "latency"],
            "metric: is 'latency', must be one that each unit has a value of",
        ),
        (["--drift", "0.5"], "drift: is for units that are made up, must have --units"),
        (["--cluster-size", "5"], "cluster_size: is for units that are made up"),
        (["--units", "300", "--by", "company"], "by: is for recorded units, must be --cluster-"),
        (["--units", "300", "--journal", "x"], "units: makes units up, must be left out"),
        (["--units", "300", "--test-clusters"], "test_clusters: is without clusters, must have"),
    ],
)
def test_what_cannot_be_is_told(command: Command, arguments: list[str], problem: str) -> None:
    """With the option, and what it must be."""
    with pytest.raises(ConfigurationError) as raised:
        command("button", *arguments)
    assert problem in str(raised.value)


def test_what_is_missing_is_told(command: Command) -> None:
    """An experiment, a metric, a baseline, or the records."""
    with pytest.raises(DefinitionError, match="buton: is no experiment of the engine"):
        command("buton", "--units", "300")
    with pytest.raises(DefinitionError, match="baseline: is 0, must be between 0 and 1"):
        command("colour", "--units", "300", "--metric", "conversion")
    with pytest.raises(ConfigurationError, match="--journal: is missing"):
        command("button", of=Engine(EXPERIMENTS, sink=MemorySink()))
    with pytest.raises(SystemExit):
        command("button", "--ramp", "much")
