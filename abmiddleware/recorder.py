"""The way of a record out of a request: to the sink, whatever the sink does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from abmiddleware.exposures.losses import count_loss
from abmiddleware.exposures.records import Record
from abmiddleware.exposures.sinks import Sink
from abmiddleware.notices import notices


class Recorder:
    """Hands records to the sink; never raises, counts what it loses and why."""

    def __init__(self, sink: Sink, service: str, record_attributes: Sequence[str]) -> None:
        self.sink = sink
        self.service = service
        #: The attributes written with each exposure.
        self.record_attributes = tuple(record_attributes)
        #: Records that never reached the sink, by reason.
        self.lost: Counter[str] = Counter()

    def write(self, records: Sequence[Record]) -> None:
        """Hand over the records of one request."""
        try:
            self.sink.write(records)
        except Exception as error:  # noqa: BLE001  # whatever a sink does, the page is served
            self.lose("sink failed", len(records), error)

    def lose(self, reason: str, count: int, error: Exception) -> None:
        """Count records that are lost before they reach the sink, and say so in the log."""
        total = count_loss(self.lost, reason, count)
        notices.warn(
            f"lost {reason}",
            "%d records lost (%s, %d in all): %r",
            count,
            reason,
            total,
            error,
            error=error,
        )
