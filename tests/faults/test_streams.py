"""Answers that last keep the configuration they began with, and record what they show at once."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.sync.client import connect

from abmiddleware import JournalReader
from abmiddleware.exposures.records import ExposureRow
from tests.faults.conftest import Tell
from tests.faults.scale import times
from tests.faults.servers import Server, serving, uvicorn

SECONDS = times(3, 60)


def configure(file: Path, flag: str, **others: str) -> None:
    """Replace the file as editors do."""
    values = {"flag": flag, **others}
    document = {
        "features": {key: {"defaultValue": value} for key, value in values.items()},
        "experiments": [{"key": "button", "variations": ["control", "green"]}],
    }
    new = file.with_suffix(".new")
    new.write_text(json.dumps(document))
    new.replace(file)


def lines(server: Server, name: str) -> Generator[str]:
    """Yield what a server says, until closed."""
    address = f"127.0.0.1:{server.port}/{name}"
    if name == "websocket":
        with connect(f"ws://{address}") as socket:
            for message in socket:
                yield str(message)
    else:
        with httpx2.stream("GET", f"http://{address}", timeout=30) as response:
            for line in response.iter_lines():
                if line:
                    yield line.removeprefix("data: ")


def ask(server: Server, path: str) -> Any:
    return httpx2.get(f"http://127.0.0.1:{server.port}/{path}", timeout=30).json()


def wait_until(server: Server, path: str, value: object) -> None:
    deadline = time.monotonic() + 30
    while ask(server, path) != value:
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.05)


def exposed(journal: Path) -> list[str]:
    if not journal.exists():
        return []
    return [row.unit_id for row in JournalReader(journal) if isinstance(row, ExposureRow)]


@pytest.mark.parametrize("name", ["stream", "events", "websocket"])
def test_an_answer_that_lasts_keeps_its_configuration(
    tmp_path: Path, name: str, tell: Tell
) -> None:
    """Its exposure is in the journal before its line goes out; its snapshot goes when it does."""
    journal, file = tmp_path / "journal.jsonl", tmp_path / "experiments.json"
    configure(file, "old")
    command = uvicorn(app="tests.faults.stream_app:app")
    with serving(journal, command, EXPERIMENTS_FILE=str(file)) as server:
        with closing(lines(server, name)) as parts:
            assert json.loads(next(parts)) == {"flag": "old"}
            unit_id = json.loads(next(parts))["unit_id"]
            assert exposed(journal) == [unit_id]

            configure(file, "new", other="there")
            wait_until(server, "now", "new")
            assert ask(server, "held") == 1
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                assert json.loads(next(parts)) == {"flag": "old", "other": None}
        wait_until(server, "held", 0)

    assert exposed(journal) == [unit_id]
    tell(f"{SECONDS} s: recorded before its line went out, configuration kept, then released")
