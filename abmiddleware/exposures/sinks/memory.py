"""A sink that keeps records in memory, for tests and for looking at."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from abmiddleware.exposures.losses import count_loss
from abmiddleware.exposures.records import Exposure, Outcome, Record
from abmiddleware.exposures.sinks.counting import Counts


class MemorySink(Counts):
    """Keeps the newest records.

    Args:
        limit: how many records are kept; the oldest go first, and count as lost.
    """

    def __init__(self, limit: int = 100_000) -> None:
        super().__init__()
        self._records: deque[Record] = deque(maxlen=limit)
        self._limit = limit

    def write(self, records: Sequence[Record], /) -> None:
        """Keep records."""
        count = len(records)  # before it is added: another thread's may be lost by a call between
        over = len(self._records) + count - self._limit
        self._records.extend(records)
        self.written += count
        if over > 0:  # wanted, so not worth a line in the log
            count_loss(self.lost, "oldest dropped", over)
            self.written -= over

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
