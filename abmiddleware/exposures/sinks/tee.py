"""A sink that hands records to several sinks, such as the journal and a stream."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from time import monotonic

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.exposures.losses import count_loss
from abmiddleware.exposures.records import Record
from abmiddleware.exposures.sinks import Sink
from abmiddleware.notices import notices


class TeeSink:
    """Hands every record to each of its sinks, in their order; the failure of one is its own.

        TeeSink(Journal("var/experiments.jsonl"), KafkaSink("broker:9092"))

    Args:
        sinks: the first is the one that counts: the journal, where there is one.

    Raises:
        ConfigurationError: there is none, or one cannot write.
    """

    def __init__(self, *sinks: Sink) -> None:
        if not sinks:
            raise ConfigurationError("sinks: is empty, must have at least one sink")
        for number, sink in enumerate(sinks):
            if not isinstance(sink, Sink):
                raise ConfigurationError(
                    f"sinks[{number}]: is {shown(sink)}, must have a method write(records)"
                )
        #: The sinks, each with counters of its own.
        self.sinks = sinks
        self._given = 0
        self._raised: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"TeeSink({', '.join(map(repr, self.sinks))})"

    def write(self, records: Sequence[Record], /) -> None:
        """Hand records to each sink."""
        count = len(records)  # before it is added, so that no call comes between
        self._given += count
        for number, sink in enumerate(self.sinks):
            try:
                sink.write(records)
            except Exception as error:  # noqa: BLE001  # the others get theirs
                self._fail(number, len(records), error)

    @property
    def written(self) -> int:
        """Records that the first sink wrote; without counters of its own, that it was given."""
        failed = self._raised[_label(0, self.sinks[0]) + "raised"]
        return int(getattr(self.sinks[0], "written", self._given - failed))

    @property
    def lost(self) -> Counter[str]:
        """Records that any of the sinks lost, by its number, its name and the reason."""
        total = Counter(self._raised)
        for number, sink in enumerate(self.sinks):
            for reason, count in list(getattr(sink, "lost", {}).items()):
                total[_label(number, sink) + reason] += count
        return total

    @property
    def queued(self) -> int:
        """Records that wait in any of the sinks."""
        return sum(getattr(sink, "queued", 0) for sink in self.sinks)

    def close(self, timeout: float = 5.0) -> None:
        """Close the sinks that can be closed; together they take at most `timeout` seconds."""
        end = monotonic() + timeout
        for sink in self.sinks:
            close = getattr(sink, "close", None)
            if close is not None:
                with contextlib.suppress(Exception):  # the others must be closed, too
                    close(max(0.0, end - monotonic()))

    def _fail(self, number: int, count: int, error: Exception) -> None:
        sink = self.sinks[number]
        total = count_loss(self._raised, _label(number, sink) + "raised", count)
        notices.warn(
            f"tee {number} {sink!r}",
            "%d records lost by %r, which raised %r (%d in all); the other sinks got them",
            count,
            sink,
            error,
            total,
            error=error,
        )


def _label(number: int, sink: Sink) -> str:
    return f"{number} {type(sink).__name__}: "
