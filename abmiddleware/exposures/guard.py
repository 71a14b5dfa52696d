"""Keeps requests from waiting for a disk that has become slow."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from time import monotonic, sleep
from typing import Final

from abmiddleware.exposures.lines import Lose

#: A write that took longer, in seconds, is the last one that a request waited for.
SLOW: Final = 0.05
#: Seconds without a write slower than `CALM`, until requests write themselves again.
CALM_FOR: Final = 60.0
CALM: Final = 0.005
#: What waits at most, in records and in bytes.
MAX_RECORDS: Final = 10_000
MAX_BYTES: Final = 8 * 1024 * 1024
#: A write of the thread that lasts longer, in seconds, is one that the disk holds.
STUCK: Final = 0.5
#: Lines that are written at once, in bytes.
_AT_ONCE: Final = 256 * 1024

#: Pauses that tell how late threads are, in seconds, and how many times that a write may be late.
_PAUSE: Final = 0.001
_DOUBT: Final = 8

_Lines = Sequence[bytes]


def is_held_by_disk(took: float, limit: float) -> bool:
    """Tell whether a write took longer than a limit because of the disk.

    It may also have waited for its turn, of the interpreter or of a processor, and would in any
    thread. How long that takes now, short pauses tell: they come back as late.
    """
    if took <= limit:
        return False
    late = 0.0
    for _ in range(3):
        begun = monotonic()
        sleep(_PAUSE)
        late = max(late, monotonic() - begun - _PAUSE)
    return took > limit + _DOUBT * late


class Guard:
    """Writes lines in a thread of the current process, from a bounded queue.

    There is no lock: `SimpleQueue` may be used from anywhere, a signal handler included. Counters
    are changed in one step of the interpreter.

    Args:
        append: writes lines; the time on the monotonic clock is its second argument.
        lose: counts lines that could not be written.
        sync: has the disk keep what was written.
        sync_every: seconds between two calls of `sync`; None for never.
    """

    def __init__(
        self,
        append: Callable[[_Lines, float], None],
        lose: Lose,
        sync: Callable[[], None],
        sync_every: float | None,
    ) -> None:
        self._append = append
        self._lose = lose
        self._sync = sync
        self._sync_every = sync_every
        #: Records that wait, and the ones that are being written.
        self.records = 0
        self._bytes = 0
        self._is_slow = False
        #: Since when the thread is at the disk; None where it is not.
        self._busy_since: float | None = None
        self._slow_at = self._synced_at = monotonic()
        self._is_over = False
        # Asked of their modules only now: gevent may have put its own there, one fitting the other.
        self._queue: queue.SimpleQueue[_Lines | threading.Event] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="abmiddleware-journal", daemon=True)

    @property
    def is_in_charge(self) -> bool:
        """Whether lines must be put here; what came before them is written before them."""
        return self._is_slow or self.records > 0

    def start(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: there can be none.
        """
        self._thread.start()

    def take_charge(self) -> None:
        """Write for others until the disk was quick for a while."""
        self._slow_at = monotonic()
        self._is_slow = True

    def put(self, lines: _Lines) -> bool:
        """Have lines written; return false where there is no room for them."""
        count, size = len(lines), _size(lines)
        self.records += count
        self._bytes += size
        while self.records > MAX_RECORDS or self._bytes > MAX_BYTES:
            if self._is_stuck():
                self._leave(count, size)
                return False
            if not self._helped():  # others have all that waited in their hands
                self._write(lines)
                return True
        self._queue.put(lines)
        if self._is_over:  # the thread may not have seen it any more
            self._write_what_waits()
        return True

    def close(self, timeout: float) -> bool:
        """Have the thread write what waits and end, within `timeout` seconds.

        What still waits then is lost.

        Returns:
            Whether the thread ended; false where the disk still holds it.
        """
        end = threading.Event()
        self._queue.put(end)
        if self._is_over or end.wait(timeout):
            return True
        waited = 0
        for lines in self._waiting():
            self._leave(len(lines), _size(lines))
            waited += len(lines)
        if waited:
            self._lose("disk too slow at exit", waited)
        return False

    def _run(self) -> None:
        while True:
            try:
                item = self._queue.get(timeout=self._until_sync())
            except queue.Empty:
                item = ()
            if isinstance(item, threading.Event):
                end = item
                break
            self._busy_since = monotonic()
            lines, met = self._gathered(item)
            if lines:
                self._write(lines)
            if self._until_sync() == 0:
                self._synced_at = monotonic()
                self._sync()
            self._busy_since = None
            if met is not None:  # put back, it would never come first while requests go on
                end = met
                break
        self._is_over = True
        self._write_what_waits()
        if self._sync_every is not None:
            self._sync()
        end.set()

    def _until_sync(self) -> float | None:
        if self._sync_every is None:
            return None
        return max(0.0, self._synced_at + self._sync_every - monotonic())

    def _is_stuck(self) -> bool:
        since = self._busy_since
        return since is not None and monotonic() - since > STUCK

    def _helped(self) -> bool:
        """Write in the thread's place, which the interpreter or the system does not let run."""
        lines, met = self._gathered(())
        if met is not None:  # which the thread waits for
            self._queue.put(met)
        if lines:
            self._write(lines)
        return bool(lines)

    def _gathered(self, lines: _Lines) -> tuple[_Lines, threading.Event | None]:
        """Take out what else waits: the thread may have to wait for its turn after each write.

        Returns:
            The lines, and what closes the journal if it came behind them.
        """
        gathered, size = list(lines), _size(lines)
        try:
            while size < _AT_ONCE:
                item = self._queue.get_nowait()
                if isinstance(item, threading.Event):
                    return gathered, item
                gathered += item
                size += _size(item)
        except queue.Empty:
            pass
        return gathered, None

    def _write_what_waits(self) -> None:
        for lines in self._waiting():
            self._write(lines)

    def _waiting(self) -> list[_Lines]:
        """Take out all that waits."""
        waiting: list[_Lines] = []
        try:
            while True:
                item = self._queue.get_nowait()
                if isinstance(item, threading.Event):  # somebody else closes, too
                    item.set()
                else:
                    waiting.append(item)
        except queue.Empty:
            return waiting

    def _write(self, lines: _Lines) -> None:
        begun = monotonic()
        try:
            self._append(lines, begun)
        except Exception as error:  # noqa: BLE001  # the thread has more to do
            self._lose("sink failed", len(lines), error)
        now = monotonic()
        if is_held_by_disk(now - begun, CALM):
            self._slow_at = now
        elif now - self._slow_at >= CALM_FOR:
            self._is_slow = False
        self._leave(len(lines), _size(lines))

    def _leave(self, count: int, size: int) -> None:
        self.records -= count
        self._bytes -= size


def _size(lines: _Lines) -> int:
    return sum(map(len, lines))
