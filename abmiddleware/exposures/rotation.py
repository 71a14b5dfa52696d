"""When a journal's file has become large or old enough, and how one process moves it aside."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

_LOCK: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
#: Where the first record is looked for, in bytes.
_BEGINNING: Final = 4096
_INSTANT: Final = re.compile(rb'"ts_us":(\d{1,18}),')

#: A file, whatever its name: its device and its inode.
Identity = tuple[int, int]


def identity_of(status: os.stat_result) -> Identity:
    """Return what tells a file from all others that exist."""
    return status.st_dev, status.st_ino


class Rotation:
    """Moves a journal aside, to `<name>.<UTC instant>`, once it is too large or too old.

    Args:
        path: the journal's file.
        max_bytes: from this size on; None for any.
        max_age: from this age of its first record on, in seconds; None for any.
    """

    def __init__(self, path: Path, max_bytes: int | None, max_age: float | None) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._max_age = max_age
        #: Of the file that was looked at last, and when its first record was made.
        self._begun: tuple[Identity, float] | None = None

    def is_due(self, status: os.stat_result) -> bool:
        """Tell whether a file is due; an empty one never is."""
        if not status.st_size:
            return False
        if self._max_bytes is not None and status.st_size >= self._max_bytes:
            return True
        return self._max_age is not None and time.time() - self._begin(status) >= self._max_age

    def rotate(self, identity: Identity) -> bool:
        """Move the file aside unless somebody else has done so, or is about to.

        Nobody waits, and nobody loses a record: until they look again, others write into the file
        under its new name.

        Returns:
            Whether it is moved; false where somebody else is about to.

        Raises:
            OSError: the lock file cannot be opened, or the journal not be renamed.
        """
        if self._path.is_symlink():  # what it leads to, such as /dev/stdout's, is not ours to move
            raise OSError(errno.ELOOP, "it is a symbolic link; name the file itself")
        with self._locked() as is_ours:
            if is_ours and identity_of(self._path.stat()) == identity:
                self._path.rename(self._free_name())
            return is_ours

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        lock = os.open(f"{self._path}.lock", _LOCK, 0o640)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            try:
                yield True
            finally:
                # Closing is not enough: a child that was forked meanwhile has the lock as well.
                fcntl.flock(lock, fcntl.LOCK_UN)
        finally:
            os.close(lock)

    def _free_name(self) -> Path:
        now = datetime.now(UTC)
        while True:
            name = self._path.with_name(f"{self._path.name}.{now:%Y%m%dT%H%M%S%fZ}")
            if not os.path.lexists(name):
                return name
            now += timedelta(microseconds=1)

    def _begin(self, status: os.stat_result) -> float:
        """Return when a file's first record was made; when it was first seen if none tells."""
        identity = identity_of(status)
        if self._begun is None or self._begun[0] != identity:
            self._begun = identity, self._first_instant() or time.time()
        return self._begun[1]

    def _first_instant(self) -> float | None:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:  # it may be written, but not be read
            return None
        try:
            found = _INSTANT.search(os.read(descriptor, _BEGINNING))
        except OSError:
            return None
        finally:
            os.close(descriptor)
        return int(found[1]) / 1e6 if found else None
