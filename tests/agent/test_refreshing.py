"""One process asks GrowthBook's server, and all workers follow the file that it keeps."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from abmiddleware import Journal
from tests.agent.warehouses import DuckDB
from tests.exposures.facts import outcome
from tests.sources.server import Server, flag, payload, status
from tests.sources.test_growthbook_file import follow


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Return a server that answers 404 until it is told what to do."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Server() as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the configuration is kept."""
    return tmp_path / "growthbook.json"


@contextmanager
def agent(
    journal: Path, server: Server, file: Path, *options: str, key: str = "sdk-abc123"
) -> Iterator[subprocess.Popen[str]]:
    """Run an agent that refreshes a configuration."""
    process = subprocess.Popen(  # noqa: S603  # our own command
        [
            *(sys.executable, "-m", "abmiddleware.cli", "agent", "--journal", str(journal)),
            *("--configuration", str(file), "--host", server.url, "--poll-seconds", "0.1"),
            *options,
        ],
        env={**os.environ, "ABMIDDLEWARE_CLIENT_KEY": key},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_workers_follow_what_the_agent_asks_for(journal: Path, server: Server, file: Path) -> None:
    """A change at the server reaches workers that ask no server, until the agent is stopped."""
    server.api = payload(flag(1))
    worker = follow(file)
    with agent(journal, server, file) as process:
        worker.sees(1, seconds=30)
        server.api = payload(flag(2))
        worker.sees(2)
        server.api = status(500)
        server.api = payload(flag(3))
        worker.sees(3)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=5)

    assert process.returncode == 0


def test_it_ships_beside(journal: Path, server: Server, file: Path, tmp_path: Path) -> None:
    """One process does both; with --once it ends when both are done."""
    server.api = payload(flag(1))
    Journal(journal).write([outcome()])
    warehouse = DuckDB(tmp_path / "w.duckdb")
    with agent(journal, server, file, "--once", "--destination", warehouse.address) as process:
        said, _ = process.communicate(timeout=60)

    assert process.returncode == 0, said
    assert warehouse.ids("outcomes") == [outcome().event_id]
    assert follow(file).value == 1


def test_a_server_that_cannot_be_used_is_told(journal: Path, server: Server, file: Path) -> None:
    """The exit code of --once is 1, and the file is left as it was."""
    server.api = status(403)
    with agent(journal, server, file, "--once") as process:
        said, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "403" in said
    assert "sdk-abc123" not in said
    assert not file.exists()


def test_a_missing_key_is_told(journal: Path, server: Server, file: Path) -> None:
    """It is read from the environment, since it should not show in a list of processes."""
    with agent(journal, server, file, "--once", key="") as process:
        said, _ = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "ABMIDDLEWARE_CLIENT_KEY" in said


def test_status_tells_its_age(journal: Path, file: Path) -> None:
    """What was never fetched is told, too."""
    command = [sys.executable, "-m", "abmiddleware.cli", "agent", "--status"]
    command += ["--journal", str(journal), "--configuration", str(file)]

    def said() -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603

    assert "configuration  is not there yet" in said()
    file.write_bytes(b"{}")
    assert re.search(r"configuration  confirmed \d+ seconds ago", said())
