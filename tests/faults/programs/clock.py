"""Refreshes and records while the clock jumps: `clock.py JOURNAL HOST FILE`.

Prints, as JSON, how many questions the server was asked before and after each jump, in how many
seconds, and what the file's flag was then.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

#: What the clock is off by, in seconds.
offset = 0.0
_time, _time_ns, _sleep = time.time, time.time_ns, time.sleep
time.time = lambda: _time() + offset
time.time_ns = lambda: _time_ns() + int(offset * 1e9)


def checked_sleep(seconds: Any) -> None:
    """Sleep as asked, for no negative time."""
    assert seconds >= 0
    _sleep(seconds)


time.sleep = checked_sleep

from abmiddleware import Engine, Experiment  # noqa: E402  # behind the clock
from abmiddleware.sources import File, GrowthBook, Retry  # noqa: E402

SECONDS = 1.0


def main() -> None:
    """Jump an hour ahead, two back and one ahead."""
    global offset  # noqa: PLW0603  # the clock is one of the whole process
    file = Path(sys.argv[3])
    file.write_text('{"features": {"there": {"defaultValue": -1}}}')
    server = GrowthBook(
        "sdk-abc123", host=sys.argv[2], poll_seconds=0.1, stream=False, retry=Retry(first=0.05)
    )
    engine = Engine(
        [Experiment("button", ["control", "green"])],
        sources=[server, File(file)],
        journal=sys.argv[1],
    )
    assert engine.wait_until_ready(30)
    counts, seconds, seen = [], [], []
    for number, jump in enumerate((0, 3600, -7200, 3600)):
        offset += jump
        file.write_text(f'{{"features": {{"there": {{"defaultValue": {number}}}}}}}')
        before, begun = server.status().attempts, time.monotonic()
        end = begun + SECONDS
        while time.monotonic() < end:
            with engine.client(id=f"visitor {number}") as client:
                client.run("button")
                client.value("there", None)
            checked_sleep(0.01)
        counts.append(server.status().attempts - before)
        seconds.append(time.monotonic() - begun)
        while (value := engine.client().value("there", None)) != number:
            assert time.monotonic() < end + 30, value
            checked_sleep(0.05)
        seen.append(value)
        with engine.client(id="after") as client:
            client.track("seen", number=number, clock=time.time())
        assert all(0 <= (one.age_seconds or 0) < 60 for one in engine.health().sources)
    engine.close()
    print(json.dumps({"counts": counts, "seconds": seconds, "seen": seen}))  # noqa: T201


if __name__ == "__main__":
    main()
