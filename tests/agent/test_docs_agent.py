"""The page on the agent says what the agent does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import msgspec
import pytest

from abmiddleware import Journal
from abmiddleware.agent.status import Status
from abmiddleware.commands import agent
from tests.exposures.facts import exposure
from tests.sources.server import Server, flag, payload

PAGE = (Path(__file__).parents[2] / "docs" / "agent.md").read_text()


def first_cells(title: str) -> list[str]:
    """Return what is named in the first column of the table below a title."""
    table = PAGE[PAGE.index(title) :].split("| --- |", 1)[1].split("\n\n")[0]
    rows = re.findall(r"^\| (.*?) \|", table, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def test_every_option_is_in_the_table() -> None:
    """The options are those of the command, in its order."""
    parser = ArgumentParser(add_help=False)
    agent.add_arguments(parser)

    assert first_cells("## Options") == [action.option_strings[0] for action in parser._actions]


def test_every_field_of_the_status_is_in_the_table() -> None:
    """What machines read is documented."""
    fields = [field.name for field in msgspec.structs.fields(Status)]

    assert sorted(first_cells("## How it is doing")) == sorted(fields)


def test_every_command_runs(tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell's blocks, one after the other, but for the installation."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    Journal(tmp_path / "var" / "experiments.jsonl").write([exposure()])
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    script = "\n".join(["set -e", *(one for one in blocks if "pip install" not in one)])
    with Server() as server:
        server.api = payload(flag(1))
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "WAREHOUSE": postgres,
            "GROWTHBOOK": server.url,
            "ABMIDDLEWARE_CLIENT_KEY": "sdk-abc123",
        }
        done = subprocess.run(  # noqa: S603  # our own text
            ["/bin/bash", "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert "1 exposures" in done.stdout
    assert '"delivered":{"exposures":1}' in done.stdout
    assert (tmp_path / "var" / "growthbook.json").exists()
