"""What every sink tells of itself: how many records it wrote, lost and still holds."""

from __future__ import annotations

from collections import Counter
from typing import Protocol, runtime_checkable

from abmiddleware.exposures.losses import count_loss
from abmiddleware.exposures.sinks import Sink
from abmiddleware.notices import notices


@runtime_checkable
class CountingSink(Sink, Protocol):
    """A sink that counts, in this process: every record given to it is in one of the three."""

    @property
    def written(self) -> int:
        """Records that are where the sink takes them, as far as it can know."""

    @property
    def lost(self) -> Counter[str]:
        """Records that are not, and will not be, by reason."""

    @property
    def queued(self) -> int:
        """Records that are on their way."""


class Counts:
    """The counters of a sink that holds nothing back."""

    def __init__(self) -> None:
        #: Records written by this process.
        self.written = 0
        #: Records lost by this process, by reason.
        self.lost: Counter[str] = Counter()

    @property
    def queued(self) -> int:
        """Records that wait in this process: none."""
        return 0

    def _lose(self, reason: str, count: int = 1, error: BaseException | None = None) -> None:
        """Count records as lost, and say so in the log once a minute."""
        total = count_loss(self.lost, reason, count)
        notices.warn(
            f"{self!r} {reason}",
            "%d records lost by %r (%s, %d lost in all): %s",
            count,
            self,
            reason,
            total,
            error or "see the reason",
        )
