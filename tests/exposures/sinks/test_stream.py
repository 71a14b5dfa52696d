"""Records as lines on standard output, whatever is behind it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from abmiddleware import ConfigurationError, CountingSink, StreamSink
from abmiddleware.exposures.records import decode, row
from abmiddleware.exposures.sinks.stream import PIPE_BUF
from tests.exposures.facts import exposure, link, outcome

_SCRIPT = """
import sys
from abmiddleware import Engine, Experiment, StreamSink
engine = Engine([Experiment("button", ["a", "b"])], sink=StreamSink(sys.argv[1]))
with engine.client(id="u1") as experiments:
    experiments.run("button")
    experiments.track("purchase", 42.0)
"""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe, as a container's runtime puts in the place of standard output."""
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        os.close(end)


def hang_up(end: int) -> None:
    """Close an end of the pipe; its number stays taken, so that the fixture closes nobody's."""
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), end)


def fill(writer: int) -> None:
    """Fill a pipe up, whatever is in it, and leave it as it was."""
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"\n" * PIPE_BUF)
    os.set_blocking(writer, True)


def read(reader: int) -> list[bytes]:
    """Return the lines that wait in a pipe."""
    os.set_blocking(reader, False)
    parts = []
    while True:
        try:
            parts.append(os.read(reader, 1 << 20))
        except BlockingIOError:
            return b"".join(parts).split()
        if not parts[-1]:
            return b"".join(parts).split()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_each_record_is_one_line_of_json(stream: str) -> None:
    """What a container prints is rows of the journal, which its log driver takes from there."""
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-c", _SCRIPT, stream], capture_output=True, check=True
    )
    printed, other = (
        (done.stdout, done.stderr) if stream == "stdout" else (done.stderr, done.stdout)
    )

    assert [decode(line).type for line in printed.splitlines()] == ["exposure", "outcome"]
    assert other == b""


def test_records_of_a_request_are_counted_when_they_are_written(pipe: tuple[int, int]) -> None:
    """All records come out of the other end, in their order."""
    sink = StreamSink(pipe[1])
    sink.write([exposure(), outcome(), link()])

    assert isinstance(sink, CountingSink)
    assert [decode(line) for line in read(pipe[0])] == [
        row(exposure()),
        row(outcome()),
        row(link()),
    ]
    assert (sink.written, sink.lost, sink.queued) == (3, {}, 0)


def test_a_reader_that_stopped_costs_records_and_no_time(pipe: tuple[int, int]) -> None:
    """With a full pipe a write does not wait: records are lost and counted until there is room."""
    reader, writer = pipe
    sink = StreamSink(writer)
    sink.write([exposure()])
    fill(writer)
    sink.write([exposure(), outcome()])
    read(reader)
    sink.write([link()])

    assert (sink.written, sink.lost) == (2, {"EAGAIN": 2})
    assert [decode(line) for line in read(reader)] == [row(link())]
    assert os.get_blocking(writer), "what other processes share must stay as it was"


def test_a_pipe_that_cannot_be_opened_anew_never_waits_either(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the pipe is another user's, a full one is noticed before the write."""

    def refused(*_: object) -> int:
        raise PermissionError(errno.EACCES, "not yours")

    _, writer = pipe
    sink = StreamSink(writer)
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refused)
        sink.write([exposure()])
    fill(writer)
    sink.write([outcome(), link()])

    assert (sink.written, sink.lost) == (1, {"EAGAIN": 2})


def test_a_reader_that_went_away_is_counted(pipe: tuple[int, int]) -> None:
    """A closed pipe raises nothing and kills nothing."""
    sink = StreamSink(pipe[1])
    sink.write([exposure()])
    hang_up(pipe[0])
    sink.write([outcome(), link()])

    assert (sink.written, sink.lost) == (1, {"EPIPE": 2})


def test_a_socket_as_of_systemd_never_waits() -> None:
    """Standard output may be a socket: a full one costs records, and no time."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sink = StreamSink(ours.fileno())
        while not sink.lost:
            sink.write([outcome(properties={"fill": "x" * 3000})])
        written = sink.written
        received = b""
        while received.count(b"\n") < written:
            received += theirs.recv(1 << 20)

    assert set(sink.lost) == {"EAGAIN"}
    assert len([decode(line) for line in received.split()]) == written


def test_lines_of_many_processes_stay_whole(pipe: tuple[int, int]) -> None:
    """Up to what a pipe takes at once, a line is never mixed with another process's."""
    reader, writer = pipe
    script = (
        "import logging, sys\n"
        "from abmiddleware import Outcome, StreamSink\n"
        "logging.disable()\n"
        "sink, fill = StreamSink(), {'x': 'y' * 900}\n"
        "for n in range(200):\n"
        "    sink.write([Outcome(1, f'{n}-{i}', 'e', None, {}, fill, '') for i in range(9)])\n"
        "print(sink.written, file=sys.stderr)\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script], stdout=writer, stderr=subprocess.PIPE)  # noqa: S603
        for _ in range(3)
    ]
    hang_up(writer)
    lines: list[bytes] = []
    with open(reader, "rb", closefd=False) as file:
        thread = threading.Thread(target=lambda: lines.extend(file))
        thread.start()
        told = [int(each.communicate(timeout=60)[1]) for each in writers]
        thread.join()

    assert len([decode(line) for line in lines]) == sum(told) > 0


def test_a_line_that_was_cut_spoils_no_other(pipe: tuple[int, int]) -> None:
    """A record longer than what a pipe takes at once may be cut; the next one is whole."""
    reader, writer = pipe
    sink = StreamSink(writer)
    sink.write([link()])
    read(reader)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BUF)
    sink.write([outcome(properties={"fill": "x" * 3 * PIPE_BUF})])
    cut = read(reader)
    sink.write([exposure()])
    after = read(reader)

    assert len(cut) == 1
    assert [decode(line) for line in after] == [row(exposure())]
    assert (sink.written, sink.lost) == (2, {"short write": 1})


def test_a_reader_may_be_busy_for_a_moment(pipe: tuple[int, int]) -> None:
    """A pipe is given room for some thousands of records."""
    sink = StreamSink(pipe[1])
    for number in range(2000):
        sink.write([outcome(event_id=str(number))])

    assert (sink.written, sink.lost) == (2000, {})
    assert len(read(pipe[0])) == 2000


def test_a_file_is_appended_to_by_whoever_prints(tmp_path: Path) -> None:
    """Redirected to a file, lines and other prints do not overwrite each other."""
    path = tmp_path / "log"
    script = _SCRIPT.replace("import sys\n", "import sys\nprint('begin', flush=True)\n", 1)
    script += "print('end', flush=True)"
    with path.open("wb") as file:
        subprocess.run([sys.executable, "-c", script, "stdout"], stdout=file, check=True)  # noqa: S603
    begin, *lines, end = path.read_bytes().splitlines()

    assert (begin, end) == (b"begin", b"end")
    assert [decode(line).type for line in lines] == ["exposure", "outcome"]


def test_what_cannot_be_written_is_counted(tmp_path: Path) -> None:
    """A record that is too large, or broken, or a stream that is closed, raises nothing."""
    number = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    sink = StreamSink(number)
    sink.write([outcome(properties={"fill": "x" * 70_000}), outcome(ts_us="never"), exposure()])
    os.close(number)
    sink.write([link()])

    assert sink.written == 1
    assert sink.lost == {"record too large": 1, "not encodable": 1, "EBADF": 1}


@pytest.mark.parametrize("stream", ["stdin", -1, None, True])
def test_a_stream_that_is_none_is_told(stream: object) -> None:
    """A slip in the name is an error at the start."""
    with pytest.raises(ConfigurationError, match="must be 'stdout', 'stderr' or a file descriptor"):
        StreamSink(stream)  # type: ignore[arg-type]
