"""How much of a fault is made: little in the ordinary run of the tests, much by `make faults`."""

from __future__ import annotations

import os

LONG = os.environ.get("FAULTS") == "long"


def times(short: int, long: int) -> int:
    """Return how often, or for how many seconds, something is done."""
    return long if LONG else short
