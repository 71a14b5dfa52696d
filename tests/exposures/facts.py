"""Records to write, and processes that write them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec

from abmiddleware import Exposure, Link, Outcome

#: 2026-11-22, half past nine, UTC.
NOON = 1_795_339_800_000_123


def exposure(**changes: Any) -> Exposure:
    """Return an exposure, with some fields changed."""
    plain = Exposure(
        ts_us=NOON,
        experiment_key="checkout-button",
        phase=0,
        variation_key="1",
        variation_id=1,
        unit_type="id",
        unit_id="V1StGXR8_Z5jdHi6B-myTQ",
        alt_ids={"user_id": "42"},
        attributes={"country": "NL"},
        config_hash="0123456789abcdef",
        service="shop",
    )
    return msgspec.structs.replace(plain, **changes)


def outcome(**changes: Any) -> Outcome:
    """Return an outcome, with some fields changed."""
    plain = Outcome(
        ts_us=NOON,
        event_id="000660c2d8a5a07b0123456789abcdef",
        event="purchase",
        value=42.0,
        unit_ids={"id": "V1StGXR8_Z5jdHi6B-myTQ"},
        properties={"currency": "EUR"},
        service="shop",
    )
    return msgspec.structs.replace(plain, **changes)


def link(**changes: Any) -> Link:
    """Return a link, with some fields changed."""
    plain = Link(NOON, "id", "V1StGXR8_Z5jdHi6B-myTQ", "user_id", "42", "identify", "shop")
    return msgspec.structs.replace(plain, **changes)


#: What the scripts of other processes begin with.
_PRELUDE = """
import os, sys, time
from abmiddleware import Journal, Outcome
journal = Journal(sys.argv[1])
def outcome(event, size=0):
    return Outcome(time.time_ns() // 1000, event, event, None, {}, {"fill": "x" * size}, "")
"""


def process(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Start Python with a script; the first argument is the journal's path."""
    return subprocess.Popen(  # noqa: S603  # our own script
        [sys.executable, "-c", _PRELUDE + script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )


def told(running: subprocess.Popen[str]) -> str:
    """Wait for a process to end well and return what it printed."""
    printed, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    return printed.strip()
