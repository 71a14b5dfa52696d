"""Ends while its configuration's server does not answer: `leaving.py JOURNAL HOST WAY`.

Prints a line when a question to the server is under way, and then ends: by `return`, by `close` and
return, or by `close` in a coroutine.
"""

from __future__ import annotations

import asyncio
import sys
import time

from abmiddleware import Engine, Experiment
from abmiddleware.sources import Deadlines, GrowthBook
from tests.faults import names

names.hang()

source = GrowthBook(
    "sdk-abc123", host=sys.argv[2], deadlines=Deadlines(connect=600, read=600, total=600)
)
engine = Engine([Experiment("button", ["control", "green"])], sources=[source], journal=sys.argv[1])


def record(number: int) -> None:
    """Record one request."""
    with engine.client(id=f"visitor {number}") as client:
        client.run("button")
        client.track("seen", number=number)


async def close() -> None:
    """Close within an event loop."""
    engine.close()


if __name__ == "__main__":
    record(0)
    while not source.status().attempts:
        time.sleep(0.01)
    time.sleep(0.2)
    print("under way", flush=True)  # noqa: T201
    record(1)
    if sys.argv[3] == "close":
        engine.close()
        engine.close()
    elif sys.argv[3] == "close in a loop":
        asyncio.run(close())
