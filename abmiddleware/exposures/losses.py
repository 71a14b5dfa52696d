"""Counting what is lost, exactly, from any number of threads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def count_loss(lost: Counter[Key], reason: Key, count: int) -> int:
    """Add to what was lost for a reason, and return its sum."""
    # With the key there, adding is one step for other threads; with Counter's own 0 it is not.
    lost.setdefault(reason, 0)
    lost[reason] += count
    return lost[reason]
