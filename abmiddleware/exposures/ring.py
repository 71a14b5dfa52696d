"""Records that wait in memory for a disk that is full, read-only or closed to this process."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from typing import Final

#: What may mend itself, so that waiting is worth it. A short write is how a disk fills up.
WAITS: Final = frozenset(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "short write"])
#: Lines that wait at most, in bytes.
MAX_BYTES: Final = 8 * 1024 * 1024
#: Lines that are taken out at once, in bytes.
_AT_ONCE: Final = 64 * 1024

#: Why a line waits, and the line.
Waiting = tuple[str, bytes]


class Ring:
    """Holds the last lines that could not be written; the oldest make room.

    Threads share it without a lock: each line comes out once.

    Args:
        limit: lines that it holds; 0 for none.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        #: What waits, the oldest first.
        self.waiting: deque[Waiting] = deque()
        self._bytes = 0

    def add(self, reason: str, lines: Sequence[bytes]) -> Counter[str]:
        """Hold lines, and return how many had to go for it, by reason."""
        self.waiting.extend((reason, line) for line in lines)
        self._bytes += sum(map(len, lines))
        return self._trim()

    def put_back(self, waiting: Sequence[Waiting]) -> Counter[str]:
        """Hold again what was taken, in its place, and return how many had to go for it."""
        self.waiting.extendleft(reversed(waiting))
        self._bytes += _size(waiting)
        return self._trim()

    def take(self) -> list[Waiting]:
        """Take out the oldest lines, for one write."""
        taken: list[Waiting] = []
        size = 0
        try:
            while size < _AT_ONCE:
                taken.append(self.waiting.popleft())
                size += len(taken[-1][1])
        except IndexError:  # there are no more
            pass
        self._bytes -= size
        return taken

    def empty(self) -> Counter[str]:
        """Give up all that waits, and return how many these are, by reason."""
        gone: Counter[str] = Counter()
        while taken := self.take():
            gone.update(reason for reason, _ in taken)
        return gone

    def _trim(self) -> Counter[str]:
        gone: Counter[str] = Counter()
        try:
            while len(self.waiting) > self.limit or self._bytes > MAX_BYTES:
                reason, line = self.waiting.popleft()
                self._bytes -= len(line)
                gone[reason] += 1
        except IndexError:  # others took them
            pass
        return gone


def _size(waiting: Iterable[Waiting]) -> int:
    return sum(len(line) for _, line in waiting)
