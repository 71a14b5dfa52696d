"""Real servers with four workers, in which the application of `app.py` runs."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Returns the command of a server that listens on a port.
Command = Callable[[int], list[str]]

FLASK = "tests.faults.app:app"
STARLETTE = "tests.faults.asgi_app:app"


def gunicorn(*options: str, app: str = FLASK) -> Command:
    """Run the application under gunicorn."""
    return lambda port: [
        *(sys.executable, "-m", "gunicorn", app),
        *("--bind", f"127.0.0.1:{port}", "--workers", "4"),
        # A signal that reaches a worker of gunicorn at a wrong moment leaves it waiting for
        # requests that do not come any more, rarely; after this it is killed.
        *("--graceful-timeout", "3"),
        *options,
    ]


def uvicorn(*options: str, app: str = STARLETTE) -> Command:
    """Run the application under uvicorn; processes are among the options."""
    return lambda port: [
        *(sys.executable, "-m", "uvicorn", app),
        *("--host", "127.0.0.1", "--port", str(port), "--no-access-log"),
        *("--timeout-graceful-shutdown", "3"),
        *options,
    ]


def uwsgi(*options: str, app: str = FLASK) -> Command:
    """Run the application under uWSGI, which forks after the import and tells Python nothing."""
    return lambda port: [
        *(str(Path(sysconfig.get_path("scripts")) / "uwsgi"), "--module", app),
        *("--http-socket", f"127.0.0.1:{port}", "--processes", "4", "--master"),
        *("--die-on-term", "--need-app", "--disable-logging"),
        # A worker that is told to end while it loads the application may not hear of it; after this
        # it is killed.
        *("--reload-mercy", "3", "--worker-reload-mercy", "3"),
        *("--virtualenv", sys.prefix, "--pythonpath", str(ROOT)),
        *options,
    ]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Server:
    """A server that runs, and what it says."""

    def __init__(self, journal: Path, command: Command, log: Path, **environment: str) -> None:
        self.journal = journal
        self.port = free_port()
        self._log_path = log
        self._log = log.open("wb")
        self.process = subprocess.Popen(  # noqa: S603  # our own server
            command(self.port),
            cwd=ROOT,
            env={**os.environ, "ABMIDDLEWARE_JOURNAL": str(journal), **environment},
            stdout=self._log,
            stderr=self._log,
        )

    def get(self, number: int, more: str = "") -> dict[str, object]:
        """Return a whole answer.

        Raises:
            OSError: it did not come whole.
            http.client.HTTPException: likewise.
        """
        return self._get(f"/?number={number}{more}")

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
        while time.monotonic() < deadline and self.process.poll() is None:
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
        return [int(child) for child in children.split() if _is_worker(int(child))]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it as an operator does; return its exit status."""
        self.process.send_signal(number)
        try:
            return self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()  # it must not outlive its test
            self.process.wait()
            raise
        finally:
            self._log.close()

    def log(self) -> str:
        return self._log_path.read_text()


def _is_worker(pid: int) -> bool:
    """Tell whether a child serves requests: one of those that uvicorn starts only counts things."""
    try:
        return b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has just ended
        return False


@contextmanager
def serving(
    journal: Path, command: Command, *, log: Path | None = None, **environment: str
) -> Iterator[Server]:
    """Run a server; it is gone afterwards, come what may. Its log is beside the journal."""
    server = Server(journal, command, log or journal.with_suffix(".log"), **environment)
    try:
        server.wait_until_ready()
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
