"""The journal: records as lines of JSON, appended to one local file by every worker.

One write of all the records of a request, with O_APPEND and without a lock, a thread or a buffer:
there is nothing that a crash, a fork or an exit could lose. After `kill -9` at most the record
being written is torn; after a power cut, what the kernel had not written back yet.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from abmiddleware.exposures.losses import count_loss
from abmiddleware.exposures.records import Exposure, Outcome, Record, encode
from abmiddleware.notices import notices

#: Larger records are refused, in bytes.
MAX_RECORD: Final = 64 * 1024
#: Longer unit ids are refused, in characters.
MAX_ID: Final = 256

_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
#: The file went away, or the descriptor did: opening anew mends it, and nothing was written.
_REOPEN: Final = (errno.EBADF, errno.ENOENT, errno.ESTALE)


class Journal:
    """Appends records to a file; never raises, counts what it loses and why.

    The file is opened by the first write in each process, with mode 0640; missing directories
    are made. Its disk must be local: network file systems do not keep appends whole.

    Args:
        path: the file; relative to the working directory at the time it is made.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        #: Records written by this process.
        self.written = 0
        #: Records lost by this process, by reason such as `ENOSPC` or `record too large`.
        self.lost: Counter[str] = Counter()
        self._descriptors: dict[int, int] = {}

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r})"

    def write(self, records: Sequence[Record], /) -> None:
        """Append records in one write."""
        lines = [line for record in records if (line := self._line(record))]
        if not lines:
            return
        # A line feed in front, too: it closes what a crash may have torn before.
        block = b"\n%b\n" % b"\n".join(lines)
        try:
            count = self._append(block)
        except OSError as error:
            self._lose(errno.errorcode.get(error.errno or 0, "OSError"), len(lines), error)
        except ValueError as error:  # the path holds a NUL
            self._lose("path invalid", len(lines), error)
        else:
            whole = len(lines) if count == len(block) else self._whole_within(lines, count)
            self.written += whole

    def _line(self, record: Record) -> bytes:
        try:
            if _has_long_id(record):
                self._lose("id too long")
                return b""
            line = encode(record)
        except Exception as error:  # noqa: BLE001  # properties may hold anything
            self._lose("not encodable", 1, error)
            return b""
        if len(line) > MAX_RECORD:
            self._lose("record too large")
            return b""
        return line

    def _append(self, block: bytes) -> int:
        descriptor = -1
        try:
            descriptor = self._descriptor()
            return os.write(descriptor, block)
        except OSError as error:
            if error.errno not in _REOPEN:
                raise
        # Not closed here: another thread may be about to write to it, and its number may by then
        # be that of a socket.
        if self._descriptors.get(os.getpid()) == descriptor:
            self._descriptors.pop(os.getpid(), None)
        return os.write(self._descriptor(), block)

    def _descriptor(self) -> int:
        pid = os.getpid()
        descriptor = self._descriptors.get(pid)
        return self._open(pid) if descriptor is None else descriptor

    def _open(self, pid: int) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        opened = os.open(self.path, _FLAGS, 0o640)
        kept = self._descriptors.setdefault(pid, opened)
        if kept != opened:  # another thread was quicker
            os.close(opened)
        return kept

    def _whole_within(self, lines: Sequence[bytes], count: int) -> int:
        """Return how many lines a short write wrote whole, and count the others as lost.

        The next write's line feed closes the cut.
        """
        end, whole = 1, 0
        for line in lines:
            end += len(line)
            if end > count:
                break
            whole += 1
            end += 1
        if whole < len(lines):  # else only the last line feed is missing
            self._lose("short write", len(lines) - whole)
        return whole

    def _lose(self, reason: str, count: int = 1, error: Exception | None = None) -> None:
        total = count_loss(self.lost, reason, count)
        notices.warn(
            f"journal {self.path} {reason}",
            "%d records could not be written to the journal %s (%s, %d lost in all): %s",
            count,
            self.path,
            reason,
            total,
            error or "the record is refused",
        )


def _has_long_id(record: Record) -> bool:
    if isinstance(record, Exposure):
        others = record.alt_ids
        return len(record.unit_id) > MAX_ID or (bool(others) and _is_any_long(others.values()))
    if isinstance(record, Outcome):
        return _is_any_long(record.unit_ids.values())
    return _is_any_long((record.id_a, record.id_b))


def _is_any_long(ids: Iterable[str]) -> bool:
    return max(map(len, ids), default=0) > MAX_ID
