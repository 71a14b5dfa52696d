"""`manage.py experiments`: the commands, with the settings of the project."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from abmiddleware import Journal
from tests.agent.warehouses import DuckDB
from tests.exposures.facts import outcome


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The project's journal."""
    return tmp_path / "journal.jsonl"


def experiments(journal: Path | None, *arguments: str) -> None:
    """Run the command in a project with this journal."""
    told: dict[str, Any] = {} if journal is None else {"JOURNAL": journal}
    with override_settings(EXPERIMENTS=told):
        call_command("experiments", *arguments)


def test_the_agent_ships_the_projects_journal(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The journal need not be named again, and `--status` tells of it."""
    Journal(journal).write([outcome()])
    warehouse = DuckDB(tmp_path / "w.duckdb")
    experiments(journal, "agent", "--once", "--destination", warehouse.address)
    experiments(journal, "agent", "--status", "--json")

    assert warehouse.ids("outcomes") == [outcome().event_id]
    assert json.loads(capsys.readouterr().out)["delivered"] == {"outcomes": 1}


def test_what_is_told_wrongly_is_an_error_of_the_command(journal: Path) -> None:
    """It is no traceback, and its exit code is that of a wrong command line."""
    with pytest.raises(CommandError, match="destination: is missing") as caught:
        experiments(journal, "agent", "--once")
    assert caught.value.returncode == 2
    with pytest.raises(CommandError, match="journal: is missing"):
        experiments(None, "agent", "--once", "--destination", "duckdb:////x")


def test_what_fails_has_its_exit_code(journal: Path, tmp_path: Path) -> None:
    """A destination that cannot be written to is a failure of the command."""
    Journal(journal).write([outcome()])
    with pytest.raises(SystemExit) as caught:
        experiments(journal, "agent", "--once", "--destination", f"duckdb:///{tmp_path}")
    assert caught.value.code == 1


def test_the_commands_are_listed() -> None:
    """Help names them."""
    with pytest.raises(SystemExit):
        call_command("experiments", "--help", stdout=StringIO())
