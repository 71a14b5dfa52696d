"""The page on compacting says what the command does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

from abmiddleware import Engine, Experiment
from abmiddleware.commands import compact

PAGE = (Path(__file__).parents[2] / "docs" / "compact.md").read_text()


def test_every_option_is_in_the_table() -> None:
    """The options are those of the command, in its order."""
    parser = ArgumentParser(add_help=False)
    compact.add_arguments(parser)
    table = PAGE.split("| option | meaning", 1)[1]

    assert re.findall(r"^\| `(--\w+)` \|", table, re.MULTILINE) == [
        action.option_strings[0] for action in parser._actions
    ]


def test_the_command_says_what_the_page_shows(tmp_path: Path) -> None:
    """The same words about as many visitors, and about as much smaller."""
    rotated = tmp_path / "var" / "experiments.jsonl.20261120T000000000000Z"
    experiment = Experiment("button", ["grey", "green"])
    for path in (rotated, tmp_path / "var" / "experiments.jsonl"):
        engine = Engine([experiment], journal=path)
        for number in range(2000 if path == rotated else 1):
            with engine.client(id=f"visitor-{number}") as experiments:
                experiments.run(experiment)
    os.utime(rotated, (time.time() - 3 * 86_400,) * 2)
    (line,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    done = subprocess.run(  # noqa: S603  # our own text
        ["/bin/bash", "-c", line],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    shown = PAGE.split("```text\n", 1)[1].split("```")[0]

    def plain(text: str) -> str:
        return re.sub(r"in /.*|[\d,.]+ → [\d,.]+: [\d.]+", "...", text)

    assert plain(done.stdout) == plain(shown)
