"""Counts of exposures that are not recorded, so that a report can tell of them."""

from __future__ import annotations

import os
from collections import Counter
from time import monotonic
from typing import Final

from abmiddleware.exposures.losses import count_loss
from abmiddleware.exposures.records import Suppression, now_us, unique_id

#: Seconds between two records: a storm of bots must not fill a disk.
INTERVAL: Final = 60.0


class Suppressions:
    """Counts by experiment, phase and reason, and makes records of the counts.

    The first is told at once, those that follow together, once a minute. A crash loses the counts
    of that minute.
    """

    __slots__ = ("_counts", "_due", "_process", "_service")

    def __init__(self, service: str) -> None:
        self._service = service
        self._counts: Counter[tuple[str, int, str]] = Counter()
        self._due = 0.0
        self._process = os.getpid()

    def add(self, experiment_key: str, phase: int, reason: str) -> list[Suppression]:
        """Count one; return the records to write now."""
        if os.getpid() != self._process:  # what a parent counted it tells itself
            self._counts, self._process = Counter(), os.getpid()
        count_loss(self._counts, (experiment_key, phase, str(reason)), 1)  # also of an enum
        return self.take() if monotonic() >= self._due else []

    def take(self) -> list[Suppression]:
        """Return the records of what was counted since they were last taken."""
        self._due = monotonic() + INTERVAL
        counts, self._counts = self._counts, Counter()
        now = now_us()
        return [
            Suppression(now, unique_id(now), *counted, count, self._service)
            for counted, count in counts.items()
        ]
