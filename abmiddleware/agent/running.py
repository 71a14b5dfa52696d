"""Runs the agent as a process: one per journal, stopped within seconds, whatever hangs."""

from __future__ import annotations

import fcntl
import logging
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Final, Self, TextIO

from abmiddleware.agent.delivery import told
from abmiddleware.agent.refreshing import Refreshing
from abmiddleware.agent.settings import Settings
from abmiddleware.agent.shipping import Shipping
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.notices import notices

logger = logging.getLogger("abmiddleware.agent")

#: Seconds that a step under way may take when the agent is to stop.
GRACE: Final = 4.0
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
#: By which a process that begins anew is told why; the environment outlives it.
_GIVEN_UP: Final = "ABMIDDLEWARE_AGENT_GIVEN_UP"
#: Seconds until a failed step is tried again, at first and at most.
_FIRST: Final = 0.5
_LAST: Final = 10.0


class Lock:
    """What only one agent of a journal holds; the kernel lets go of it when a process ends.

    Args:
        directory: of the agent; made if it is not there.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / "lock"
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        """Take it.

        Raises:
            ConfigurationError: another agent has it, or the directory cannot be made.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+")
        except OSError as error:
            raise ConfigurationError(
                f"state: {self.path.parent} cannot be used: {error}; name a directory that can "
                "be written to with --state"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = holder_of(self.path.parent)
            self._file.close()
            raise ConfigurationError(
                f"another agent (process {holder or 'unknown'}) ships this journal already: stop "
                "it first, or name another --state for a second destination"
            ) from None
        self._file.seek(0)
        self._file.truncate()
        self._file.write(str(os.getpid()))
        self._file.flush()
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of it."""
        if self._file is not None:
            self._file.close()


def holder_of(directory: Path) -> str:
    """Return the process id of the agent that runs there; "" if none does."""
    try:
        with (directory / "lock").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read().strip() or "unknown"
    except OSError:
        pass
    return ""


class Runner:
    """Runs steps in a thread, so that signals are heard while one hangs.

    Args:
        settings: what the agent is told.
        once: end when the journal is delivered and the configuration fetched, or at the first
            failure.
    """

    def __init__(self, settings: Settings, *, once: bool = False) -> None:
        self._settings = settings
        self._once = once
        self._stop = threading.Event()
        #: Since when a step is under way, on the monotonic clock.
        self._step_since: float | None = None
        #: Whether the last step failed, or there was none.
        self._failed = True
        self._over = threading.Event()

    def run(self) -> int:
        """Run until a signal comes; return the exit code.

        Raises:
            ConfigurationError: the agent is told something wrong.
        """
        with Lock(self._settings.directory):
            refreshing = self._refreshing()
            shipping = Shipping(self._settings) if self._settings.destination else None
            if (problem := os.environ.pop(_GIVEN_UP, "")) and shipping is not None:
                self._note(shipping, TimeoutError(problem))
            before = {number: signal.signal(number, self._end) for number in _SIGNALS}
            try:
                return self._run(shipping, refreshing)
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    def _run(self, shipping: Shipping | None, refreshing: Refreshing | None) -> int:
        thread = threading.Thread(target=self._work, args=(shipping,), daemon=True, name="shipping")
        thread.start()
        fetched = refreshing.wait(self._stop) if refreshing is not None and self._once else True
        while not self._stop.is_set() and not self._over.is_set():
            if refreshing is not None:
                refreshing.look()
            self._begin_anew_if_stuck()
            self._over.wait(0.2)
        if refreshing is not None:
            refreshing.close(1.0)
        thread.join(GRACE - 1)
        if thread.is_alive():
            logger.warning("stopped while a delivery was under way; the next start repeats it")
            logging.shutdown()
            os._exit(0)  # the thread hangs in the network, and would keep the process
        return 1 if (self._failed or not fetched) and not self._stop.is_set() else 0

    def _begin_anew_if_stuck(self) -> None:
        """Replace this process where a delivery waits for what never comes.

        A connection that another machine has forgotten may look alive for ever, and a thread that
        waits for it cannot be ended.
        """
        since = self._step_since
        if since is None or time.monotonic() - since < self._settings.timeout:
            return
        problem = f"gave a delivery up after {self._settings.timeout:g} seconds"
        logger.warning(problem)
        logging.shutdown()
        if self._once:
            os._exit(1)
        for number in _SIGNALS:  # one that comes from here on ends the process, and is not lost
            signal.signal(number, signal.SIG_DFL)
        if self._stop.is_set():
            return
        # The thread that hangs has the state, which must not be saved by two.
        os.environ[_GIVEN_UP] = problem
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606  # as it was started

    def _end(self, *_: object) -> None:
        self._stop.set()

    def _refreshing(self) -> Refreshing | None:
        configuration = self._settings.configuration
        return None if configuration is None else Refreshing(configuration)

    def _work(self, shipping: Shipping | None) -> None:
        if shipping is None:
            self._failed = False
            if self._once:
                self._over.set()
            return
        try:
            failures, goal = 0, shipping.sizes()
            while not self._stop.is_set():
                failures = self._step(shipping, failures)
                # Who writes on keeps nobody from ending.
                is_done = not shipping.has_more or shipping.is_past(goal)
                if self._once and (self._failed or is_done):
                    return
                self._stop.wait(self._pause(failures, has_more=shipping.has_more))
        finally:
            shipping.close()
            self._over.set()

    def _step(self, shipping: Shipping, failures: int) -> int:
        """Do a step; return how many have failed in a row."""
        began = self._step_since = time.monotonic()
        try:
            count = shipping.step()
            self._step_since = None
            self._note(shipping, None)
        except Exception as error:  # noqa: BLE001  # whatever it is, the next step may mend it
            self._step_since = None
            self._failed = True
            notices.warn("shipping", "the journal is not delivered: %s", told(error))
            self._note(shipping, error)
            return failures + 1
        self._failed = False
        if count:
            logger.info("delivered %d records in %.1f s", count, time.monotonic() - began)
        return 0

    @staticmethod
    def _note(shipping: Shipping, error: BaseException | None) -> None:
        try:
            shipping.note(error)
        except OSError as problem:  # the disk is full, say: the journal waits
            notices.warn("note", "the agent's state cannot be written: %s", problem)

    def _pause(self, failures: int, *, has_more: bool) -> float:
        if failures:
            bound = min(_LAST, _FIRST * float(2 ** min(failures, 8)))
            return bound * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
        return 0.0 if has_more else self._settings.interval
