"""The quickstart, as a newcomer goes through it: with a real server, curl and a shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backends import free_port

PAGE = (Path(__file__).parents[1] / "docs" / "quickstart.md").read_text()
INSTALL, SERVE, *REST = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [command for command in REST if not command.startswith("pip install")]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[list[str]]:
    """Run the page's commands in the project of its files; return what each printed."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    for name, content in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, re.DOTALL):
        (tmp_path / name).write_text(content)
    port = str(free_port())
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO", "PYTEST"))}
    programs = str(Path(sys.executable).parent)
    kept |= {"PATH": f"{programs}:{kept['PATH']}", "PYTHONPATH": str(Path(__file__).parents[1])}

    def run(command: str) -> str:
        done = subprocess.run(  # noqa: S603  # the page's own command
            ["bash", "-c", f"set -e; {command.replace('8000', port)}"],  # noqa: S607
            cwd=tmp_path,
            env=kept,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    serve = ["bash", "-c", f"exec {SERVE.replace('8000', port)}"]
    with subprocess.Popen(serve, cwd=tmp_path, env=kept, stderr=subprocess.DEVNULL) as server:  # noqa: S603
        try:
            _wait(f"http://127.0.0.1:{port}/docs")
            yield [run(command) for command in COMMANDS]
        finally:
            server.terminate()


def _wait(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url).close()  # noqa: S310  # our own
        except OSError:
            time.sleep(0.1)
        else:
            return


def test_a_newcomer_gets_there(shell: list[str]) -> None:
    """One visitor, several, the journal, a tally, a link, and a test."""
    one, several, journal, tally, link, tests = shell

    first, second, thanks = re.findall(r'"([^"]*)"', one)
    assert first == second
    assert thanks == "Thank you"
    assert set(re.findall(r'"([^"]*)"', several)) <= {"Buy now", "To the checkout"}
    assert journal.count('"type":"exposure"') == 10
    assert journal.count('"type":"outcome"') == 1
    assert sum(map(int, re.findall(r": (\d+)", tally))) == 9
    assert link.startswith("http://127.0.0.1:")
    assert "ab_override=" in link
    assert "1 passed" in tests
    assert INSTALL == "pip install 'abmiddleware[fastapi]' uvicorn\n"
