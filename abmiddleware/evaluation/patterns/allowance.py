"""What the searches of one request may cost together, however many conditions it meets.

Each condition has a `Budget` of its own, which a request that asks for twenty experiments would
spend twenty times. As there, costs are estimates: what a request was asked before decides, and no
clock.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from threading import local
from typing import Any, Final, Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: What all searches of a request may cost by the estimate, in nanoseconds: what those of one of its
#: conditions may.
REQUEST_LIMIT: Final = 25e6
#: Searches up to this estimate are not counted, in nanoseconds. Nearly all are that short, and take
#: some hundredths of it, less than counting them.
UNCOUNTED: Final = 50e3


class Payer(Protocol):
    """The attributes of whoever asks, which live as long as the request."""

    #: What the searches have cost so far, in nanoseconds.
    searched: float


class _Current(local):
    payer: Payer | None = None


_current = _Current()


def paid_by(payer: Payer, question: Callable[[T], R], value: T) -> R:
    """Return what a function answers; what it searches for is paid for by a request.

    Within another question, such as one of an attribute that is computed, that one's payer pays.
    """
    if _current.payer is not None:
        return question(value)
    _current.payer = payer
    try:
        return question(value)
    finally:
        _current.payer = None


def paid(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return the test of a payer, who pays for it: as `paid_by`, without a further call."""

    def passes(payer: Any, current: _Current = _current) -> bool:
        if current.payer is not None:
            return test(payer)
        current.payer = payer
        try:
            return test(payer)
        finally:
            current.payer = None

    return passes


def left() -> float:
    """Return what the searches of this request may still cost."""
    payer = _current.payer
    return inf if payer is None else REQUEST_LIMIT - payer.searched


def pay(cost: float) -> None:
    """Take what searches cost from what the request has left, unless that is little.

    Of threads that search at once for one request a cost may be lost.
    """
    payer = _current.payer
    if payer is not None and cost > UNCOUNTED:
        payer.searched += cost
