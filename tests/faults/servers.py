"""Real gunicorn servers, and traffic that remembers which answers came whole."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Server:
    """A gunicorn with the application of `tests/faults/app.py`."""

    def __init__(self, journal: Path, *options: str, log: Path, **environment: str) -> None:
        self.journal = journal
        self.port = free_port()
        self._log_path = log
        self._log = log.open("wb")
        self.process = subprocess.Popen(  # noqa: S603  # our own server
            [
                *(sys.executable, "-m", "gunicorn", "tests.faults.app:app"),
                *("--bind", f"127.0.0.1:{self.port}", "--workers", "4"),
                # A signal that reaches a worker of gunicorn at a wrong moment leaves it waiting for
                # requests that do not come any more, rarely; after this it is killed.
                *("--graceful-timeout", "3"),
                *options,
            ],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "ABMIDDLEWARE_JOURNAL": str(journal), **environment},
            stderr=self._log,
        )

    def get(self, number: int) -> dict[str, object]:
        """Return a whole answer.

        Raises:
            OSError: it did not come whole.
            http.client.HTTPException: likewise.
        """
        return self._get(f"/?number={number}")

    def counts(self) -> dict[str, object]:
        """Return what became of the records of a worker."""
        return self._get("/counts")

    def _get(self, target: str) -> dict[str, object]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", target)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise http.client.HTTPException(f"status {response.status}")
        try:
            answer: dict[str, object] = json.loads(body)
        except ValueError as error:
            # When gunicorn is interrupted behind the headers, it writes an error as the body.
            raise http.client.HTTPException(f"body {body!r}") from error
        return answer

    def wait_until_ready(self) -> None:
        """Wait until it listens, without asking for a page."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise TimeoutError(self.log())

    def workers(self) -> list[int]:
        """Return the pids of the workers that live."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in children.split()]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it as an operator does; return its exit status."""
        self.process.send_signal(number)
        try:
            return self.process.wait(timeout=20)
        finally:
            self._log.close()

    def log(self) -> str:
        return self._log_path.read_text()


@contextmanager
def serving(
    journal: Path, *options: str, log: Path | None = None, **environment: str
) -> Iterator[Server]:
    """Run a server; it is gone afterwards, come what may. Its log is beside the journal."""
    server = Server(journal, *options, log=log or journal.with_suffix(".log"), **environment)
    try:
        server.wait_until_ready()
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


class Traffic:
    """Visitors in threads, about two hundred requests a second, until they are told to stop."""

    def __init__(self, server: Server, threads: int = 8, pause: float = 0.035) -> None:
        #: The visitor's id by the number of each request that was answered wholly.
        self.answered: dict[int, object] = {}
        #: How many were not.
        self.broken = 0
        self._server = server
        self._pause = pause
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(number,)) for number in range(threads)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int) -> None:
        """Wait until that many more requests were answered."""
        goal, deadline = len(self.answered) + count, time.monotonic() + 60
        while len(self.answered) < goal:
            if time.monotonic() > deadline:
                raise TimeoutError(self._server.log())
            time.sleep(0.01)

    def _run(self, thread: int) -> None:
        number = thread * 1_000_000
        while not self._over.is_set():
            try:
                self.answered[number] = self._server.get(number)["unit_id"]
            except (OSError, http.client.HTTPException):
                self.broken += 1
            number += 1
            time.sleep(self._pause)
