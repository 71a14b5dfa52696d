"""The tutorial from an idea to a decision, as a team goes through it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "decide.md").read_text()
INSTALL, *COMMANDS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def said(tmp_path: Path) -> list[str]:
    """Run the page's commands in a directory with its files; return what each printed."""
    for name, content in re.findall(r"```\w+\n# (\w+\.\w+)\n(.*?)```", PAGE, re.DOTALL):
        (tmp_path / name).write_text(content)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO", "PYTEST"))}
    programs = str(Path(sys.executable).parent)
    kept |= {"PATH": f"{programs}:{kept['PATH']}", "PYTHONPATH": str(ROOT)}
    return [_run(command, tmp_path, kept) for command in COMMANDS]


def _run(command: str, place: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(  # noqa: S603  # the page's own command
        ["bash", "-c", f"set -e; {command}"],  # noqa: S607
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def test_a_team_gets_to_a_decision(said: list[str], tmp_path: Path) -> None:
    """Size, errors of lint, an A/A test, a start, a report, its page, and what was learnt."""
    size, found, spread, confirmed, steps, _, looked, decided = said

    assert "units of each of 2 variations find +30.0% of 0.2" in size
    assert found.splitlines()[-1] == "2 errors, 1 warning"
    assert "passes" in spread
    assert confirmed == "0 errors, 0 warnings\n"
    assert steps.count("checkout-button") == 3
    assert "locked as" in steps
    assert "5,600 visitors" in looked
    assert "guardrails hold" in re.sub(r"[\s│]+", " ", looked)
    page = (tmp_path / "report.html").read_text()
    assert "ship one click" in page
    assert "ship 1" in decided
    assert "learnt: Fewer steps sell more" in decided
    assert INSTALL == "pip install 'abmiddleware[analysis]'\n"
