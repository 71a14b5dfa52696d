"""The journal: records as lines of JSON, appended to one local file by every worker.

One write of all the records of a request, with O_APPEND and without a lock, a thread or a buffer:
there is nothing that a crash, a fork or an exit could lose. After `kill -9` at most the record
being written is torn; after a power cut, what the kernel had not written back yet.

Only while the disk is slow does a thread write in place of the requests (`guard.py`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.exposures.lines import MAX_ID, MAX_RECORD, lines_of
from abmiddleware.exposures.mounts import check_is_local
from abmiddleware.exposures.records import Record
from abmiddleware.exposures.writer import Options, Writer

__all__ = ["MAX_ID", "MAX_RECORD", "Journal"]


#: A hundred years, in seconds; threads cannot wait for ever so long.
_LONG: Final = 100 * 365 * 86_400


class Journal:
    """Appends records to a file; never raises, counts what it loses and why.

    The file is opened by the first write in each process, with mode 0640; missing directories
    are made. All counts are those of the current process. Each record that was handed over is in
    one of them: `written`, `lost`, `queued` or `held`.

        Journal("var/experiments.jsonl", max_bytes=256 * 1024**2, max_age=86_400)

    Args:
        path: the file; relative to the working directory at the time it is made.
        ring: records held in memory while the disk is full, read-only or closed to this process,
            to be written as soon as it is not; none by default, so that each is lost and counted
            at once.
        max_bytes: the size from which on the file is moved aside, as looked at once a second;
            by default it grows, unless another tool renames it.
        max_age: the age of its first record, in seconds, from which on the file is moved aside.
        fsync: seconds between two calls of fsync, made by a thread. By default the kernel decides
            when the disk has what was written: a power cut loses up to 30 seconds of it.
        allow_network: whether the file may lie on a network file system, which is otherwise an
            error: they do not keep appends whole.

    Raises:
        ConfigurationError: an option is wrong, or the path is on a network file system.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        ring: int = 0,
        max_bytes: int | None = None,
        max_age: float | None = None,
        fsync: float | None = None,
        allow_network: bool = False,
    ) -> None:
        self.path = Path(path).absolute()
        self._options = Options(
            ring=_count("ring", ring, 0),
            max_bytes=None if max_bytes is None else _count("max_bytes", max_bytes, 1),
            max_age=None if max_age is None else _seconds("max_age", max_age),
            fsync=None if fsync is None else _seconds("fsync", fsync),
        )
        check_is_local(self.path, allow_network)
        self._writers: dict[int, Writer] = {}

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r})"

    def write(self, records: Sequence[Record], /) -> None:
        """Append records in one write."""
        writer = self._writers.get(os.getpid()) or self._writer()
        lines = lines_of(records, writer.lose)
        if lines:
            writer.write(lines)

    def close(self, timeout: float = 5.0) -> None:
        """Write what waits in memory, within `timeout` seconds, and close the file.

        What cannot be written by then is lost and counted. A journal that nothing waits for, as is
        the rule, is closed at once. A later write opens it again.
        """
        self._writer().close(timeout)

    @property
    def written(self) -> int:
        """Records written."""
        return self._writer().written

    @property
    def lost(self) -> Counter[str]:
        """Records lost, by reason such as `ENOSPC`, `queue full` or `record too large`."""
        return self._writer().lost

    @property
    def queued(self) -> int:
        """Records that wait for a slow disk."""
        guard = self._writer().guard
        return 0 if guard is None else guard.records

    @property
    def held(self) -> int:
        """Records that wait, in the ring, for a disk that cannot be written."""
        return len(self._writer().ring.waiting)

    def _writer(self) -> Writer:
        """Return the writer of this process; what the parent had is the parent's to write."""
        pid = os.getpid()
        writer = self._writers.get(pid)
        if writer is None:
            writer = self._writers.setdefault(pid, Writer(self.path, self._options))
            for other in list(self._writers):
                if other != pid and (inherited := self._writers.pop(other, None)) is not None:
                    inherited.let_go()
        return writer


def _count(option: str, value: object, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigurationError(
            f"journal.{option}: is {shown(value)}, must be a whole number from {least} on"
        )
    return value


def _seconds(option: str, value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= _LONG:
        return float(value)
    raise ConfigurationError(
        f"journal.{option}: is {shown(value)}, must be a number of seconds above 0"
    )
