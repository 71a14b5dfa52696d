"""Uses an engine, and has two children record 200 requests each: `children.py JOURNAL WAY`."""

from __future__ import annotations

import multiprocessing
import os
import sys
from typing import Any

from abmiddleware import Engine, Experiment

engine = Engine([Experiment("button", ["control", "green"])], journal=sys.argv[1])


def record(number: int) -> None:
    """Record one request."""
    with engine.client(id=f"visitor {number}") as client:
        client.run("button")
        client.track("seen", number=number)


def child(begin: int) -> None:
    """Record the requests of one child."""
    for number in range(begin, begin + 200):
        record(number)
    engine.close()


def fork() -> None:
    """Fork by hand."""
    pids = []
    for begin in (0, 200):
        pid = os.fork()
        if not pid:
            child(begin)
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        _, status = os.waitpid(pid, 0)
        assert status == 0


def start(way: str) -> None:
    """Have multiprocessing do it."""
    context: Any = multiprocessing.get_context(way)
    processes = [context.Process(target=child, args=(begin,)) for begin in (0, 200)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0


if __name__ == "__main__":
    record(-1)
    waiting = engine.client(id="waiting").__enter__()
    waiting.run("button")  # not written yet: it must not be written by a child, too
    if sys.argv[2] == "os.fork":
        fork()
    else:
        start(sys.argv[2])
    waiting.__exit__(None, None, None)
