"""Forks while threads are at work: `busy_forks.py JOURNAL COUNT CONFIGURATIONS`.

Prints how many requests the threads recorded.
"""

from __future__ import annotations

import itertools
import logging
import os
import signal
import sys
import threading
import time
import warnings

from abmiddleware import Engine, Experiment
from abmiddleware.notices import notices
from abmiddleware.sources import GrowthBook, Retry

# Since Python 3.12 a fork of a process with threads is told of, which is what servers do.
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)


class Log(logging.Handler):
    """Has a lock, as each handler has, but no file.

    The lock of a file that Python buffers stays held in a child if a thread was writing to it.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write without a buffer."""
        os.write(devnull, self.format(record).encode())


devnull = os.open(os.devnull, os.O_WRONLY)
logging.basicConfig(handlers=[Log()])

#: Seconds that a child may take.
DEADLINE = 30
THREADS = 4

source = GrowthBook(
    "sdk-abc123", host=sys.argv[3], poll_seconds=0.02, retry=Retry(first=0.01, spread=0.01)
)
engine = Engine(
    [Experiment("button", ["control", "green"])],
    sources=[source],
    journal=sys.argv[1],
    strict=False,
)
over = threading.Event()
numbers = itertools.count()
recorded: list[int] = []


def record(number: int) -> None:
    """Record one request, with all that a request may come upon."""
    with engine.client(id=f"visitor {number}") as client:
        client.run("button")
        client.value("flag", None)
        client.run("unknown")
        client.track("seen", number=number)
        notices.forget()  # so that each says it anew, with the locks of logging


def work() -> None:
    """Record until it is over."""
    while not over.is_set():
        number = next(numbers)
        record(number)
        recorded.append(number)
        time.sleep(0.001)


def in_child(number: int) -> None:
    """Do what a worker does, and end."""
    status = 1
    try:
        record(number)
        engine.wait_until_ready(DEADLINE)
        assert engine.health().lost == {}
        engine.close()
        status = 0
    finally:
        os._exit(status)


def wait_for(pid: int) -> None:
    """Wait until a child ends.

    Raises:
        TimeoutError: it does not.
        RuntimeError: it ended badly.
    """
    deadline = time.monotonic() + DEADLINE
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            raise TimeoutError(f"child {pid} hangs")
        time.sleep(0.001)
    if status:
        raise RuntimeError(f"a child ended with {status}")


def main() -> None:
    """Fork again and again."""
    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        engine.wait_until_ready(DEADLINE)
        for number in range(-int(sys.argv[2]), 0):
            pid = os.fork()
            if not pid:
                in_child(number)
            wait_for(pid)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    engine.close()
    print(len(recorded))  # noqa: T201


if __name__ == "__main__":
    main()
