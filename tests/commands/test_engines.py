"""A team looks at what an engine serves: `list` and `check`, from a shell, Django and Flask."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings
from flask import Flask

from abmiddleware import Engine, Experiment, Feature, MemorySink, cli
from abmiddleware.sources import File
from abmiddleware_django import conf
from abmiddleware_flask import Experiments

EXPERIMENTS: list[Any] = [
    Experiment("terms", [0, 30], coverage=0.2, weights=[0.25, 0.75], hash_attribute="company"),
    Experiment("checkout-button", ["control", "one-click"]),
    Experiment("old", ["a", "b"], status="stopped"),
    Experiment("paused", ["a", "b"], active=False),
    Feature("new-search", default=False),
]
TABLE = """\
key              status   variations          coverage  weights     unit
checkout-button  running  control, one-click  1         equal       id
old              stopped  a, b                1         equal       id
paused           off      a, b                1         equal       id
terms            running  control, 1          0.2       0.25, 0.75  company
features: new-search
"""
Run = Callable[..., int]


@pytest.fixture(params=["shell", "django", "flask"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a command of an engine's, and returns its exit code."""

    def shell(engine: Engine, *arguments: str) -> int:
        return cli.main(arguments, engine=lambda: engine)

    def django(engine: Engine, *arguments: str) -> int:
        try:
            with override_settings(EXPERIMENTS={"ENGINE": engine}):
                call_command("experiments", *arguments)
        except SystemExit as end:
            return int(str(end.code))
        finally:
            conf.engine.cache_clear()
        return 0

    def flask(engine: Engine, *arguments: str) -> int:
        app = Flask("shop", static_folder=None)
        Experiments(app, engine=engine)
        result = app.test_cli_runner().invoke(args=["experiments", *arguments])
        sys.stdout.write(result.output)
        return result.exit_code

    return {"shell": shell, "django": django, "flask": flask}[request.param]


def test_all_that_is_served_is_listed(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """As a table, by key."""
    assert run(Engine(EXPERIMENTS, sink=MemorySink()), "list") == 0
    assert capsys.readouterr().out == TABLE


def test_a_program_reads_the_list_as_json(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """With the numbers as they are."""
    assert run(Engine(EXPERIMENTS, sink=MemorySink()), "list", "--json") == 0

    told = json.loads(capsys.readouterr().out)
    assert told["features"] == ["new-search"]
    assert told["experiments"][-1]["weights"] == [0.25, 0.75]
    assert told["experiments"][0]["weights"] is None


def test_an_engine_without_anything_says_so(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """And is well."""
    assert run(Engine(sink=MemorySink()), "list") == 0
    assert capsys.readouterr().out == "no experiments and no features\n"


def test_a_configuration_without_fault_is_well(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last line counts."""
    assert run(Engine(EXPERIMENTS, sink=MemorySink()), "check") == 0
    assert capsys.readouterr().out == "4 experiments, 1 feature: no problems\n"


def test_what_is_wrong_is_told_with_its_place(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And the exit code is 1, so that a deployment stops."""
    file = tmp_path / "experiments.json"
    good, bad = {"key": "good", "variations": ["a", "b"]}, {"key": "bad", "variations": 3}
    file.write_text(json.dumps({"experiments": [good, bad]}))
    assert run(Engine(sources=[File(file)], sink=MemorySink()), "check") == 1

    lines = capsys.readouterr().out.splitlines()
    assert all("experiments.json): experiments.bad.variations: " in line for line in lines[:-1])
    assert lines[-1] == "2 experiments, no features: 2 problems"


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (None, "engine: is None, must be a module and a name: --engine shop.experiments:engine"),
        ("shop", "engine: is 'shop', must be a module and a name"),
        ("nowhere_at_all:engine", "engine: nowhere_at_all:engine cannot be imported"),
        ("json:nothing", "engine: json:nothing cannot be imported"),
        ("json:loads", "must be an Engine"),
    ],
    ids=["nothing", "name", "module", "attribute", "type"],
)
def test_a_shell_is_told_how_to_name_the_engine(
    capsys: pytest.CaptureFixture[str], told: str | None, problem: str
) -> None:
    """And the exit code is 2."""
    assert cli.main(["list", *([] if told is None else ["--engine", told])]) == 2
    assert problem in capsys.readouterr().err


def test_a_shell_names_an_engine_of_the_working_directory(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `python -m` finds it."""
    text = (
        "from abmiddleware import Engine, Experiment\nengine = Engine([Experiment('a', [1, 2])])\n"
    )
    (tmp_path / "engine_of_a_shop.py").write_text(text)
    monkeypatch.chdir(tmp_path)

    assert cli.main(["list", "--engine", "engine_of_a_shop:engine"]) == 0
    assert "\na " in capsys.readouterr().out
