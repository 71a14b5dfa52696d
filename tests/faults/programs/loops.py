"""Uses one engine from everywhere: `loops.py JOURNAL`; prints the lost and failed as JSON.

At import, from two event loops one after the other, from two at the same time, and from a thread
without a loop.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable

from abmiddleware import Engine, Experiment
from abmiddleware.sticky import MemoryStickyStore

engine = Engine(
    [Experiment("button", ["control", "green"])],
    journal=sys.argv[1],
    sticky=MemoryStickyStore(),
    strict=False,
)
at_import = engine.client(id="visitor -1")
at_import.track("seen", number=-1)


async def ask(number: int) -> None:
    """Ask, and record."""
    with engine.client(id=f"visitor {number}") as client:
        result = await client.arun("button")
        assert result.in_experiment
        await asyncio.sleep(0)
        client.track("seen", number=number)


async def ask_all(begin: int) -> None:
    """Ask ten times, together."""
    await asyncio.gather(*(ask(number) for number in range(begin, begin + 10)))


def in_threads(*works: Callable[[], None]) -> None:
    """Do things at the same time."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def without_a_loop() -> None:
    """Ask what needs no waiting."""
    for number in range(40, 50):
        engine.client(id=f"visitor {number}").track("seen", number=number)


if __name__ == "__main__":
    asyncio.run(at_import.arun("button"))
    asyncio.run(ask_all(0))
    asyncio.run(ask_all(10))
    in_threads(lambda: asyncio.run(ask_all(20)), lambda: asyncio.run(ask_all(30)), without_a_loop)
    health = engine.health()
    engine.close()
    print(json.dumps({"lost": health.lost, "sticky": health.sticky_failures}))  # noqa: T201
