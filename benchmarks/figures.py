"""Figures of many rounds: a median, and how far the rounds lie apart."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Figure:
    """A median with its range: lowest and highest, or first and third quartile."""

    median: float
    low: float
    high: float

    @classmethod
    def with_extremes(cls, values: Sequence[float]) -> Figure:
        """Return the median, the lowest and the highest value."""
        return cls(median(values), min(values), max(values))

    @classmethod
    def with_quartiles(cls, values: Sequence[float]) -> Figure:
        """Return the median, the first and the third quartile."""
        first, _, third = quantiles(values, n=4, method="inclusive")
        return cls(median(values), first, third)


def paired(left: Sequence[float], right: Sequence[float]) -> list[tuple[float, float]]:
    """Return the values of the same round together."""
    return list(zip(left, right, strict=True))


def shuffled(items: Sequence[T], turn: int) -> list[T]:
    """Return items in the order of one round.

    Each runs at the speed that the one before leaves it in the processor's caches, so none may
    always follow the same one.
    """
    return random.Random(turn).sample(items, len(items))  # noqa: S311  # hides nothing


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector from running within; what the last round left goes before."""
    was_enabled = gc.isenabled()
    gc.collect(1)  # all that was made while it did not run is young
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
