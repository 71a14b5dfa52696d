"""A sink that keeps records in memory, for tests and for looking at."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from abmiddleware.exposures.records import Exposure, Outcome, Record


class MemorySink:
    """Keeps the newest records.

    Args:
        limit: how many records are kept; the oldest go first.
    """

    def __init__(self, limit: int = 100_000) -> None:
        self._records: deque[Record] = deque(maxlen=limit)

    def write(self, records: Sequence[Record], /) -> None:
        """Keep records."""
        self._records.extend(records)

    @property
    def records(self) -> list[Record]:
        """All records kept, oldest first."""
        return list(self._records)

    @property
    def exposures(self) -> list[Exposure]:
        """The exposures among them."""
        return [record for record in self.records if isinstance(record, Exposure)]

    @property
    def outcomes(self) -> list[Outcome]:
        """The outcomes among them."""
        return [record for record in self.records if isinstance(record, Outcome)]

    def clear(self) -> None:
        """Forget all records."""
        self._records.clear()
