"""The file under the journal's path, whatever becomes of it while a process writes."""

from __future__ import annotations

import errno
import os
import threading
from collections import deque
from pathlib import Path
from typing import ClassVar, Final
from weakref import WeakValueDictionary

from abmiddleware.exposures.rotation import Identity, Rotation, identity_of
from abmiddleware.notices import notices

#: Seconds between two looks at what the path leads to.
LOOK_EVERY: Final = 1.0
#: Files that are left between two calls of `sync`; of more the last ones are synced.
_MAX_LEFT: Final = 16

# Without O_NONBLOCK, opening a pipe that nobody reads would wait; files do not heed it.
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
#: The file went away, or the descriptor did: opening anew mends it, and nothing was written.
_REOPEN: Final = (errno.EBADF, errno.ENOENT, errno.ESTALE)


class OpenFile:
    """A descriptor that is closed when the last thread that writes through it lets go of it."""

    descriptor = -1
    #: Who has a number. What was closed behind a file's back may be given to the next one.
    _owners: ClassVar[WeakValueDictionary[int, OpenFile]] = WeakValueDictionary()

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, _FLAGS, 0o640)
        self.identity: Identity = identity_of(os.fstat(self.descriptor))
        before = self._owners.get(self.descriptor)
        if before is not None:
            before.give_up()
        self._owners[self.descriptor] = self

    def status(self) -> os.stat_result | None:
        """Return the file's status; None where the descriptor is not of this file any more.

        A server that becomes a daemon closes all of them, and the number may by now be that of a
        socket.
        """
        try:
            status = os.fstat(self.descriptor)
        except OSError:
            return None
        return status if identity_of(status) == self.identity else None

    def give_up(self) -> None:
        """Leave the descriptor to whoever has its number now."""
        self.descriptor = -1

    def __del__(self) -> None:
        if self.descriptor >= 0 and self.status() is not None:
            os.close(self.descriptor)


class JournalFile:
    """Appends blocks to the file under a path, in one process.

    Once a second a write looks whether the path still leads to the file that is open, and follows
    it: to the new file after a rotation, to a file made anew where it was deleted.

    Args:
        path: the file.
        rotation: moves the file aside when that is due; None leaves that to others.
        is_synced: whether `sync` is going to be called.
    """

    def __init__(self, path: Path, rotation: Rotation | None, is_synced: bool) -> None:
        self._path = path
        self._rotation = rotation
        self._open: OpenFile | None = None
        #: Files that were left; what they hold waits for a `sync`.
        self._left: deque[OpenFile] = deque(maxlen=_MAX_LEFT if is_synced else 0)
        self._look_at = 0.0
        # Never waited for; a child forked meanwhile has a JournalFile of its own.
        self._looking = threading.Lock()

    def append(self, block: bytes, now: float) -> int:
        """Write a block at the end, and return how many bytes of it were written.

        Args:
            block: what is written.
            now: the time on the monotonic clock.

        Raises:
            OSError: nothing was written.
            ValueError: the path holds a NUL.
        """
        if now >= self._look_at:
            self._look(now)
        # A name of its own keeps the file open while another thread follows to the next.
        file = self._open
        try:
            if file is None:
                file = self._open_anew()
            return os.write(file.descriptor, block)
        except OSError as error:
            if error.errno not in _REOPEN:
                raise
            if file is not None and error.errno == errno.EBADF:
                file.give_up()
        if self._open is file:
            self._open = None
        file = self._open or self._open_anew()
        return os.write(file.descriptor, block)

    def sync(self) -> None:
        """Have the disk keep what was written, also into files that were left.

        Raises:
            OSError: it could not, and what it holds is uncertain.
        """
        files = [self._left.popleft() for _ in range(len(self._left))]
        if self._open is not None:
            files.append(self._open)
        for file in files:
            os.fsync(file.descriptor)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)  # the names of the files
        finally:
            os.close(folder)

    def close(self) -> None:
        """Let go of the file; a later write opens it again."""
        self._open = None
        self._left.clear()

    def _open_anew(self) -> OpenFile:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file, before = OpenFile(self._path), self._open
        if before is not None:
            self._left.append(before)
        # Of the files that several threads open at once, the last one stays.
        self._open = file
        return file

    def _look(self, now: float) -> None:
        if not self._looking.acquire(blocking=False):
            return
        try:
            self._look_at = now + LOOK_EVERY
            if self._open is not None:
                self._follow(self._open)
        finally:
            self._looking.release()

    def _follow(self, file: OpenFile) -> None:
        status = file.status()
        if status is None:
            file.give_up()
            self._open = None
            return
        try:
            there: os.stat_result | None = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            there = None
        except OSError:  # it may not be looked at: nothing says that it is another one
            return
        if there is not None and identity_of(there) == file.identity:
            if self._rotation is None or not self._rotation.is_due(there):
                return
            if not self._rotates(self._rotation, file):
                return
        self._switch(status.st_nlink > 0)

    def _rotates(self, rotation: Rotation, file: OpenFile) -> bool:
        try:
            return rotation.rotate(file.identity)
        except OSError as error:
            self._warn("cannot be rotated and grows on: %s", error)
        return False

    def _switch(self, has_name: bool) -> None:
        """Go on in the file that the path leads to, or in a new one."""
        try:
            self._open_anew()
        except OSError as error:
            if has_name:
                self._warn(
                    "was moved and cannot be made anew, so the moved one grows on: %s", error
                )
            else:  # what is written into a deleted file nobody reads: the write will tell why
                self._open = None

    def _warn(self, problem: str, error: OSError) -> None:
        notices.warn(
            f"journal {self._path} {problem}", f"the journal %s {problem}", self._path, error
        )
