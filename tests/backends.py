"""Real servers of Redis and PostgreSQL for the tests that need one, each in a directory of its own.

Made for session fixtures; a test whose server is not installed is skipped.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

#: The account that PostgreSQL runs under, and its only database.
POSTGRES = "postgres"


def free_port() -> int:
    """Return a port of this host that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def redis_server() -> Iterator[str]:
    """Run a Redis; yield its URL.

    The URL takes options of redis-py as its query, such as `?decode_responses=True`.
    """
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    with _directory() as place:
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with _running(place, [program, *options, "--dir", str(place)], _answers_on(port)):
            yield f"redis://127.0.0.1:{port}"


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a PostgreSQL; yield its address, `account@host:port/database`.

    A URL of SQLAlchemy is `postgresql+psycopg://` and the address.
    """
    programs = _postgres_programs()
    port = free_port()
    with _directory() as place:
        user = _account_for(place)
        data = place / "data"
        subprocess.run(  # noqa: S603  # our own server
            [
                *(programs / "initdb", "--pgdata", data, "--username", POSTGRES),
                *("--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            check=True,
            cwd=place,
            user=user,
            stdout=subprocess.DEVNULL,
        )
        server = [str(programs / "postgres"), "-D", str(data), "-k", str(place), "-p", str(port)]
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        with _running(place, [*server, *options], _takes_queries(programs, port), user):
            yield f"{POSTGRES}@127.0.0.1:{port}/{POSTGRES}"


def _postgres_programs() -> Path:
    """Return where the programs of the newest PostgreSQL are; Debian has them out of `PATH`."""
    places = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name)
    )
    if found := shutil.which("initdb"):
        places.append(Path(found).resolve().parent)
    if not places:
        pytest.skip("PostgreSQL is not installed")
    return places[-1]


def _account_for(place: Path) -> str | None:
    """Return the account that the server must run under, and give it the directory."""
    if os.geteuid() != 0:
        return None  # as us
    user = "nobody"  # PostgreSQL refuses to run as root
    shutil.chown(place, user)
    return user


@contextmanager
def _directory() -> Iterator[Path]:
    # Not one of pytest's, which another account may not enter.
    with tempfile.TemporaryDirectory(prefix="backend-") as place:
        yield Path(place)


@contextmanager
def _running(
    place: Path, command: list[str], is_ready: Callable[[], bool], user: str | None = None
) -> Iterator[None]:
    log = place / "log"
    with log.open("wb") as lines:
        process = subprocess.Popen(  # noqa: S603  # our own server
            command, cwd=place, user=user, stdout=lines, stderr=lines
        )
        try:
            _wait(process, is_ready, log)
            yield
        finally:
            process.send_signal(signal.SIGINT)  # PostgreSQL then waits for nobody
            _end(process)


def _wait(process: subprocess.Popen[bytes], is_ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + 60
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server did not start: {log.read_text()}")
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers_on(port: int) -> Callable[[], bool]:
    def is_ready() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    return is_ready


def _takes_queries(programs: Path, port: int) -> Callable[[], bool]:
    def is_ready() -> bool:
        asked: list[str | Path] = [
            programs / "pg_isready",
            "--quiet",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ]
        return subprocess.run(asked, check=False).returncode == 0  # noqa: S603  # our own server

    return is_ready
