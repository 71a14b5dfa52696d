"""The one background thread of a source: started late, replaced when stuck, gone after a fork."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Final
from weakref import WeakMethod, WeakSet

from abmiddleware.notices import notices

_NEVER: Final = float("inf")
#: Seconds between two looks at the thread.
_BETWEEN: Final = 1.0
#: Seconds that a step may last longer than its deadline says, before its thread is given up.
_GRACE: Final = 1.0
#: Of the time to close in, what may be spent on waiting.
_SHARE: Final = 0.9


class Life:
    """What a refresher's thread shares with those who may end it."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.over = threading.Event()
        #: When the step that is under way must have ended, on the monotonic clock.
        self.deadline = _NEVER
        self._sockets: list[socket.socket] = []

    def wait(self, seconds: float) -> None:
        """Wait, unless it is over before."""
        self.over.wait(max(0.0, seconds))

    @contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """Set when the step within must have ended."""
        before, self.deadline = self.deadline, deadline
        try:
            yield
        finally:
            self.deadline = before

    def watch(self, connection: socket.socket) -> bool:
        """Remember a connection, so that it can be cut; return false where that is already due."""
        self._sockets.append(connection)
        return not self.over.is_set()

    @contextmanager
    def sockets_forgotten(self) -> Iterator[None]:
        """Forget, at the end, the connections made within."""
        count = len(self._sockets)
        try:
            yield
        finally:
            del self._sockets[count:]

    def end(self) -> None:
        """Tell the thread to stop, and cut what it waits for."""
        self.over.set()
        for connection in list(self._sockets):
            with suppress(OSError):
                # Not its own method: that of a TLS socket drops its state under the reader.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def close_inherited(self) -> None:
        """Close the parent's connections in its child, where they are only copies."""
        for connection in self._sockets:
            with suppress(OSError):
                connection.close()


class Refresher:
    """Runs steps in one daemon thread of the current process.

    There is no thread and no socket before the first `ensure`. A thread whose step outlasts its
    deadline, because looking up a name hangs, say, is left behind and replaced; there are never
    more than two.

    Args:
        name: of the thread.
        step: does what is due, and returns the seconds until it wants to be called again.
    """

    def __init__(self, name: str, step: Callable[[Life], float]) -> None:
        self._name = name
        self._step = WeakMethod(step)
        #: When `ensure` should be called next, on the monotonic clock.
        self.due = 0.0
        self._is_closed = False
        self._reset()
        _refreshers.add(self)

    def _reset(self) -> None:
        self._starting = threading.Lock()
        self._life: Life | None = None
        self._thread: threading.Thread | None = None
        self._left_behind: threading.Thread | None = None

    def ensure(self) -> None:
        """See to it that a thread of this process runs, and is not stuck.

        Raises:
            RuntimeError: no thread can be started.
        """
        self.due = _NEVER if self._is_closed else monotonic() + _BETWEEN
        if self._is_closed or not self._starting.acquire(blocking=False):
            return
        try:
            if self._needs_thread():
                self._start()
        finally:
            self._starting.release()

    def _needs_thread(self) -> bool:
        life, thread = self._life, self._thread
        if life is None or thread is None:
            return True
        if life.pid != os.getpid():  # forked by something that tells Python nothing
            life.close_inherited()
            return True
        if not thread.is_alive():
            return True
        if monotonic() < life.deadline + _GRACE:
            return False
        if self._left_behind is not None and self._left_behind.is_alive():
            return False
        life.end()
        self._left_behind = thread
        return True

    def _start(self) -> None:
        life = Life()
        thread = threading.Thread(
            target=_run, args=(self._step, life), name=self._name, daemon=True
        )
        self._life, self._thread = life, thread
        thread.start()
        if self._is_closed:  # while it started
            life.end()

    def close(self, timeout: float) -> None:
        """Stop for good; a thread that hangs is left to itself after so many seconds.

        Calling it again does not wait again.
        """
        wait = 0.0 if self._is_closed else timeout * _SHARE
        self._is_closed, self.due = True, _NEVER
        life, thread = self._life, self._thread
        if life is None or life.pid != os.getpid():
            return
        life.end()
        if thread is not None and thread is not threading.current_thread():
            with suppress(RuntimeError):  # it was about to be started
                thread.join(max(0.0, wait))

    def after_fork(self) -> None:
        """Begin anew in a child, which has none of its parent's threads."""
        life = self._life
        self._reset()
        if not self._is_closed:
            self.due = 0.0
        if life is not None:
            life.close_inherited()


def _run(reference: WeakMethod[Callable[[Life], float]], life: Life) -> None:
    while not life.over.is_set():
        step = reference()
        if step is None:  # nobody holds the source any more
            return
        try:
            pause = step(life)
        except Exception as error:  # noqa: BLE001  # a thread that dies is stale for ever
            notices.warn("refresher", "a configuration could not be refreshed", error=error)
            pause = _BETWEEN
        del step
        life.wait(pause)


_refreshers: WeakSet[Refresher] = WeakSet()


def _after_fork() -> None:
    for refresher in list(_refreshers):
        refresher.after_fork()


os.register_at_fork(after_in_child=_after_fork)
