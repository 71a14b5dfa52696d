"""What one process has of a journal: the open file, what waits for it, and the counts."""

from __future__ import annotations

import errno
import os
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

import msgspec

from abmiddleware.exposures import guard as guards
from abmiddleware.exposures.file import JournalFile
from abmiddleware.exposures.guard import Guard
from abmiddleware.exposures.leaving import call_at_exit
from abmiddleware.exposures.lines import block_of, whole_within
from abmiddleware.exposures.losses import count_loss
from abmiddleware.exposures.ring import WAITS, Ring
from abmiddleware.exposures.rotation import Rotation
from abmiddleware.notices import notices

#: Seconds that the end of a process may wait for a slow disk.
EXIT_TIMEOUT: Final = 5.0


class Options(msgspec.Struct, frozen=True):
    """What a journal is told beside its path."""

    ring: int
    max_bytes: int | None
    max_age: float | None
    fsync: float | None


class Failure(NamedTuple):
    """Lines that were not written, and why."""

    reason: str
    lines: Sequence[bytes]
    error: Exception | None = None


class Writer:
    """Writes lines to a journal, in the process that made it."""

    def __init__(self, path: Path, options: Options) -> None:
        self.pid = os.getpid()
        self.written = 0
        self.lost: Counter[str] = Counter()
        self.guard: Guard | None = None
        self.ring = Ring(options.ring)
        self._path = path
        self._sync_every = options.fsync
        rotates = options.max_bytes is not None or options.max_age is not None
        self._file = JournalFile(
            path,
            Rotation(path, options.max_bytes, options.max_age) if rotates else None,
            options.fsync is not None,
        )
        self._lacks_thread = options.fsync is not None
        self._synced = 0
        self._leaves = False
        # Never waited for; a child forked meanwhile has a writer of its own.
        self._starting = threading.Lock()

    def write(self, lines: Sequence[bytes]) -> None:
        """Write lines now, or have the guard do it while the disk is slow."""
        guard = self.guard
        if guard is not None and guard.is_in_charge:
            if not guard.put(lines):
                self.lose("queue full", len(lines))
            return
        begun = monotonic()
        self.append(lines, begun)
        took = monotonic() - begun
        if took > guards.SLOW and guards.is_held_by_disk(took, guards.SLOW):
            self._hand_over(took)
        elif self._lacks_thread:
            self._ensure_guard()

    def append(self, lines: Sequence[bytes], now: float) -> None:
        """Append lines, behind those that wait in the ring; count or hold what fails."""
        failure = self._replay(now) if self.ring.waiting else None
        failure = self._put(lines, now) if failure is None else failure._replace(lines=lines)
        if failure is not None:
            self._fail(failure)

    def lose(self, reason: str, count: int = 1, error: Exception | None = None, /) -> None:
        """Count lost records, and say so in the log."""
        total = count_loss(self.lost, reason, count)
        notices.warn(
            f"journal {self._path} {reason}",
            "%d records could not be written to the journal %s (%s, %d lost in all)%s",
            count,
            self._path,
            reason,
            total,
            f": {error}" if error else "",
        )

    def sync(self) -> None:
        """Have the disk keep what was written since the last call."""
        written = self.written
        if written == self._synced:
            return
        try:
            self._file.sync()
        except OSError as error:
            notices.warn(
                f"journal {self._path} fsync",
                "the journal %s could not be synced, so a power cut may lose records: %s",
                self._path,
                error,
            )
        else:
            self._synced = written

    def close(self, timeout: float = EXIT_TIMEOUT) -> None:
        """Write what waits, within `timeout` seconds, and let go of the file."""
        deadline = monotonic() + timeout
        if self.guard is not None:
            if not self.guard.close(timeout):
                return  # the disk still holds its thread: more would wait for it, too
            self.guard = None
            self._lacks_thread = self._sync_every is not None
        while self.ring.waiting and (now := monotonic()) < deadline:
            if self._replay(now) is not None:
                break
        for reason, count in self.ring.empty().items():
            self.lose(reason, count)
        self._file.close()

    def let_go(self) -> None:
        """Close, in a child, what it has of its parent's."""
        self._file.close()

    def _put(self, lines: Sequence[bytes], now: float) -> Failure | None:
        """Append lines; return those that failed."""
        block = block_of(lines)
        try:
            count = self._file.append(block, now)
        except OSError as error:
            return Failure(errno.errorcode.get(error.errno or 0, "OSError"), lines, error)
        except ValueError as error:  # the path holds a NUL
            return Failure("path invalid", lines, error)
        # Known before it is added: a call in between would let another thread's count be lost.
        whole = len(lines)
        if count == len(block):
            self.written += whole
            return None
        whole = whole_within(lines, count)
        self.written += whole
        return Failure("short write", lines[whole:]) if whole < len(lines) else None

    def _fail(self, failure: Failure) -> None:
        if not self.ring.limit or failure.reason not in WAITS:
            self.lose(failure.reason, len(failure.lines), failure.error)
            return
        if not self._leaves:
            self._leaves = True
            call_at_exit(self.close)
        notices.warn(
            f"journal {self._path} ring",
            "%d records wait in memory for the journal %s: %s",
            len(failure.lines),
            self._path,
            failure.error or failure.reason,
        )
        for reason, count in self.ring.add(failure.reason, failure.lines).items():
            self.lose(reason, count, failure.error)

    def _replay(self, now: float) -> Failure | None:
        """Write what waits in the ring; return why that failed."""
        while waiting := self.ring.take():
            failure = self._put([line for _, line in waiting], now)
            if failure is not None:
                left = waiting[len(waiting) - len(failure.lines) :]
                if failure.reason in WAITS:
                    for reason, count in self.ring.put_back(left).items():
                        self.lose(reason, count, failure.error)
                    return failure
                self.lose(failure.reason, len(left), failure.error)
                return failure
            if monotonic() - now > guards.SLOW:  # the next writes go on with it
                break
        return None

    def _hand_over(self, took: float) -> None:
        guard = self._ensure_guard()
        if guard is not None:
            guard.take_charge()
            notices.warn(
                f"journal {self._path} slow",
                "a write to the journal %s took %.0f ms: a thread writes until the disk is quick",
                self._path,
                took * 1000,
            )

    def _ensure_guard(self) -> Guard | None:
        if self.guard is not None or not self._starting.acquire(blocking=False):
            return self.guard
        try:
            if self.guard is None:
                self.guard = self._started_guard()
            return self.guard
        finally:
            self._starting.release()

    def _started_guard(self) -> Guard | None:
        guard = Guard(self.append, self.lose, self.sync, self._sync_every)
        try:
            guard.start()
        except RuntimeError as error:
            notices.warn(
                f"journal {self._path} thread",
                "no thread can be started for the journal %s, so requests wait for its disk: %s",
                self._path,
                error,
            )
            return None
        self._lacks_thread = False
        if not self._leaves:
            self._leaves = True
            call_at_exit(self.close)
        return guard
