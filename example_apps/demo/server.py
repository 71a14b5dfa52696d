"""Runs a shop under its real server, as its one command does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx2

from example_apps.shop.serving import HOST

FRAMEWORKS: Final = ("fastapi", "flask", "django")

#: Seconds until a server must answer, and until it must have stopped.
_PATIENCE: Final = 20


class ServerError(Exception):
    """The server does not do what it should; the message ends with its log."""


@contextmanager
def running_shop(framework: str, journal: Path, log: Path, workers: int = 1) -> Iterator[str]:
    """Start a shop with a fresh journal, yield its address, and stop it by SIGTERM.

    Raises:
        ServerError: it does not come up, or does not stop.
    """
    for file in (journal, log):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
    port = _free_port()
    process = _start(framework, journal, log, port, workers)
    address = f"http://{HOST}:{port}"
    try:
        _wait(process, address, log)
        yield address
    finally:
        _stop(process, log)


def _start(
    framework: str, journal: Path, log: Path, port: int, workers: int
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"example_apps.shop_{framework}"]
    options = ["--port", str(port), "--workers", str(workers)]
    environment = {**os.environ, "ABMIDDLEWARE_JOURNAL": str(journal)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)  # another project's: the shop has its own
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603  # the command is our own
            command + options, env=environment, stdout=output, stderr=subprocess.STDOUT
        )


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    with httpx2.Client(trust_env=False) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if client.get(f"{address}/about").status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.05)
    raise ServerError(f"the server does not answer at {address}; its log:\n{_tail(log)}")


def _stop(process: subprocess.Popen[bytes], log: Path) -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise ServerError(
            f"the server did not stop within {_PATIENCE} s; its log:\n{_tail(log)}"
        ) from None


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-40:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
