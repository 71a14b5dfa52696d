"""A process ends soon, whatever it waits for."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import Tell
from tests.faults.names import NOWHERE
from tests.faults.scale import LONG
from tests.faults.servers import ROOT, Command, gunicorn, serving, uvicorn, uwsgi
from tests.faults.traffic import Records

#: Seconds: what `close` may take, and as much again for a machine that is busy with other tests.
BOUND = 10.0

SERVERS: dict[str, Command] = {
    "gunicorn-sync": gunicorn(),
    "gunicorn-gthread": gunicorn("--worker-class", "gthread", "--threads", "4"),
    "uvicorn": uvicorn("--workers", "2"),
    "uwsgi": uwsgi("--enable-threads"),
}

WAYS = ["return", "close", "close in a loop"] if LONG else ["return", "close"]
HOSTS = ["server-silent", "name-hangs", *(["server-unreachable"] if LONG else [])]


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return a host of configurations that never gives an answer."""
    if request.param == "name-hangs":
        yield f"http://{NOWHERE}"
        return
    backlog = 5 if request.param == "server-silent" else 0
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as listener:
        port = listener.getsockname()[1]
        waiting = []
        for _ in range(0 if backlog else 3):  # who comes behind these is not let in
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(("127.0.0.1", port))
        yield f"http://127.0.0.1:{port}"
        for one in waiting:
            one.close()


@pytest.mark.parametrize("way", WAYS)
def test_a_program_ends_while_the_configuration_is_awaited(
    tmp_path: Path, host: str, way: str, tell: Tell
) -> None:
    """A server that is silent, out of reach, or without an address holds up no program's end."""
    journal = tmp_path / "journal.jsonl"
    with subprocess.Popen(  # noqa: S603  # our own program
        [sys.executable, "-m", "tests.faults.programs.leaving", str(journal), host, way],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"under way\n"
        begun = time.monotonic()
        try:
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
        took = time.monotonic() - begun

    assert took <= BOUND
    assert Records.of(journal).numbers == Counter([0, 1])
    tell(f"ended after {took:.2f} s")


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_ends_while_the_configuration_is_awaited(
    tmp_path: Path, host: str, name: str, tell: Tell
) -> None:
    """Nor does it hold up a server that is told to stop."""
    journal = tmp_path / "journal.jsonl"
    with serving(journal, SERVERS[name], GROWTHBOOK_HOST=host) as server:
        for number in range(8):
            server.get(number)
        workers = server.workers()
        begun = time.monotonic()
        server.stop(signal.SIGTERM)
        took = time.monotonic() - begun

    assert took <= BOUND
    assert not [worker for worker in workers if _runs(worker)]
    assert Records.of(journal).numbers == Counter(range(8))
    tell(f"ended after {took:.2f} s")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
