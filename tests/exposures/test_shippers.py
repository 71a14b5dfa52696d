"""A log shipper that follows the journal: rsyslog, with the configuration that is documented."""

from __future__ import annotations

import re
import shutil
import signal
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from abmiddleware import Journal
from abmiddleware.exposures.records import decode
from tests.backends import free_port
from tests.exposures.facts import outcome

PAGE = Path(__file__).parents[2] / "docs" / "streams.md"


class Receiver:
    """Takes lines by TCP."""

    def __init__(self, port: int) -> None:
        self.lines: list[bytes] = []
        lines = self.lines

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                lines.extend(self.rfile)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def ids(self, count: int) -> list[str]:
        """Return the event ids of all lines, once there are as many."""
        deadline = time.monotonic() + 30
        while len(self.lines) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return [decode(line).event_id for line in self.lines]

    def close(self) -> None:
        """Take no more."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def rsyslog(place: Path, port: int) -> Iterator[None]:
    """Run rsyslog as the page tells, with its files in a directory and another receiver."""
    program = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin")
    if program is None:
        pytest.skip("rsyslog is not installed")
    (told,) = re.findall(r"```rsyslog\n(.*?)```", PAGE.read_text(), re.DOTALL)
    work = place / "work"
    work.mkdir(exist_ok=True)
    for was, now in (
        ("/var/spool/rsyslog", str(work)),
        ("/var/lib/shop", str(place)),
        ('target="collector.internal" port="5514"', f'target="127.0.0.1" port="{port}"'),
        ('action.resumeInterval="5"', 'action.resumeInterval="1"'),
    ):
        assert told.count(was) == 1
        told = told.replace(was, now)
    path = place / "rsyslog.conf"
    path.write_text(told)
    command = [program, "-n", "-f", str(path), "-i", str(place / "pid")]
    with subprocess.Popen(command) as process:  # noqa: S603  # our own server
        yield
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def write(journal: Journal, names: range, *, size: int = 10) -> list[str]:
    """Write outcomes and return their ids."""
    for name in names:
        journal.write([outcome(event_id=f"{name:032}", properties={"fill": "ü" * size})])
    return [f"{name:032}" for name in names]


def test_every_record_arrives_over_an_outage_a_rotation_and_a_restart(tmp_path: Path) -> None:
    """A receiver that is down, a rename and a stop of rsyslog cost nothing."""
    path, port = tmp_path / "experiments.jsonl", free_port()
    written = write(Journal(path), range(100))
    with rsyslog(tmp_path, port):
        written += write(Journal(path), range(100, 110), size=25_000)
        receiver = Receiver(port)  # only now
        try:
            assert sorted(receiver.ids(len(written))) == written
            path.rename(tmp_path / "experiments.jsonl.1")
            written += write(Journal(path), range(110, 200))
            assert sorted(receiver.ids(len(written))) == written
        except BaseException:
            receiver.close()
            raise
    written += write(Journal(path), range(200, 220))
    try:
        with rsyslog(tmp_path, port):
            found = receiver.ids(len(written))
    finally:
        receiver.close()

    assert sorted(found) == written
