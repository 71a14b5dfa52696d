"""A sink that writes lines of JSON to standard output or error, for containers without a disk."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final, Literal

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.exposures.records import Record, encode
from abmiddleware.exposures.sinks.counting import Counts

#: What a pipe takes whole or not at all, however many processes write to it.
PIPE_BUF: Final = select.PIPE_BUF
#: What a pipe is widened to, in bytes: some thousands of records. Linux gives 64 KiB by itself.
ROOM: Final = 1024 * 1024
#: Larger records are refused, in bytes, as the journal does.
MAX_RECORD: Final = 64 * 1024

_NUMBERS: Final = {"stdout": 1, "stderr": 2}


class StreamSink(Counts):
    """Writes records to standard output or error, one line of JSON each; it never waits.

    The records of a request are one write, or several of whole lines where they are longer than a
    pipe takes at once (`PIPE_BUF`, 4096 bytes on Linux): up to that length a line is never mixed
    with those of other processes. Where the reader has stopped and the pipe is full, records are
    lost and counted (`EAGAIN`).

    Args:
        stream: `stdout` or `stderr`, or a file descriptor.

    Raises:
        ConfigurationError: it is none of these.
    """

    def __init__(self, stream: Literal["stdout", "stderr"] | int = "stdout") -> None:
        number = _NUMBERS.get(stream, -1) if isinstance(stream, str) else stream
        if type(number) is not int or number < 0:
            raise ConfigurationError(
                f"stream: is {shown(stream)}, must be 'stdout', 'stderr' or a file descriptor"
            )
        super().__init__()
        self._number = number
        #: The descriptor that is written to, and whether a write to it might wait.
        self._opened: dict[int, tuple[int, bool]] = {}
        self._is_torn = False

    def __repr__(self) -> str:
        return f"StreamSink({self._number})"

    def write(self, records: Sequence[Record], /) -> None:
        """Write records."""
        lines = [line for record in records if (line := self._line(record))]
        for block, count in _blocks(lines):
            try:
                self._write(block, count)
            except OSError as error:
                self._lose(errno.errorcode.get(error.errno or 0, "OSError"), count, error)

    def _line(self, record: Record) -> bytes:
        try:
            line = encode(record)
        except Exception as error:  # noqa: BLE001  # properties may hold anything
            self._lose("not encodable", 1, error)
            return b""
        if len(line) >= MAX_RECORD:
            self._lose("record too large")
            return b""
        return line

    def _write(self, block: bytes, count: int) -> None:
        descriptor, must_ask = self._descriptor()
        if must_ask and not _has_room(descriptor):
            raise BlockingIOError(errno.EAGAIN, "the reader has stopped")
        if self._is_torn:  # ends what was cut, so that the next line is whole
            block = b"\n" + block
        done = os.write(descriptor, block)
        self._is_torn = done < len(block)
        # A line that lacks only its line feed is whole: the next write begins with one.
        whole = count - block[done + 1 :].count(b"\n")
        self.written += whole
        if whole < count:
            self._lose("short write", count - whole)

    def _descriptor(self) -> tuple[int, bool]:
        """Return what is written to, opening it at the first write in this process's family."""
        known = self._opened.get(self._number)
        if known is None:
            opened = _opened(self._number)
            known = self._opened.setdefault(self._number, opened)
            if known is not opened and opened[0] != self._number:  # another thread was quicker
                os.close(opened[0])
        return known


def _opened(number: int) -> tuple[int, bool]:
    mode = os.fstat(number).st_mode
    if stat.S_ISFIFO(mode):
        # A pipe opened anew waits for nobody; to change the descriptor that there is would change
        # it for every process that shares it.
        try:
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
            opened = os.open(f"/proc/self/fd/{number}", flags)
        except OSError:  # not Linux, or the pipe is another user's
            pass
        else:
            _widen(opened)
            return opened, False
    return number, not stat.S_ISREG(mode)


def _widen(pipe: int) -> None:
    """Give a pipe room for a reader that is busy for a moment, where the system lets us."""
    with suppress(OSError, AttributeError):
        if fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ) < ROOM:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, ROOM)


def _has_room(descriptor: int) -> bool:
    asked = select.poll()
    asked.register(descriptor, select.POLLOUT)
    return any(event & (select.POLLOUT | select.POLLERR) for _, event in asked.poll(0))


def _blocks(lines: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield lines put together, as many as a pipe takes at once, and how many they are."""
    block, count = b"", 0
    for line in lines:
        if count and len(block) + len(line) + 1 > PIPE_BUF:
            yield block, count
            block, count = b"", 0
        block += line + b"\n"
        count += 1
    if count:
        yield block, count
