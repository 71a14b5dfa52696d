"""The way of a record out of a request: to the sink, whatever the sink does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import time_ns
from typing import Any

from abmiddleware.context import UserContext
from abmiddleware.exposures.losses import count_loss
from abmiddleware.exposures.records import Exposure, Outcome, Record, frozen, id_text, unique_id
from abmiddleware.exposures.sinks import Sink
from abmiddleware.exposures.suppressions import Suppressions
from abmiddleware.facts import RequestFacts
from abmiddleware.notices import notices

#: Is told of an exposure, and of the framework's request that had it, or None.
Listener = Callable[[Exposure, Any], object]


class Recorder:
    """Makes records and hands them to the sink; never raises, counts what it loses and why."""

    __slots__ = (
        "_own_sink",
        "is_rehearsal",
        "listeners",
        "lost",
        "record_attributes",
        "service",
        "sink",
        "suppressed",
        "suppressions",
    )

    def __init__(self, sink: Sink, service: str, record_attributes: Sequence[str]) -> None:
        self.sink = self._own_sink = sink
        #: Are told of each exposure, at the line that asks.
        self.listeners: list[Listener] = []
        #: Whether tests force variations, whose exposures they want to see.
        self.is_rehearsal = False
        self.service = service
        #: The attributes written with each exposure.
        self.record_attributes = tuple(record_attributes)
        #: Records that never reached the sink, by reason.
        self.lost: Counter[str] = Counter()
        #: Exposures that are not recorded on purpose, by reason.
        self.suppressed: Counter[str] = Counter()
        #: The same by experiment, for the sink.
        self.suppressions = Suppressions(service)

    def tell(self, exposure: Exposure, facts: RequestFacts | None) -> None:
        """Tell the listeners of an exposure; one that fails is logged."""
        for listener in self.listeners:
            try:
                listener(exposure, None if facts is None else facts.request)
            except Exception as error:  # noqa: BLE001  # a team's function must not break a page
                notices.warn("listener", "on_exposure raised %r", error, error=error)

    def rehearse(self, sink: Sink | None, *, is_forced: bool) -> None:
        """Record as tests say: to another sink, and what they force, too."""
        self.sink = sink or self._own_sink
        self.is_rehearsal = is_forced

    def outcome(
        self,
        event: str,
        value: float | None,
        unit_ids: dict[str, str],
        properties: Mapping[str, object],
    ) -> Outcome:
        """Return the record of an outcome that happens now."""
        now = time_ns() // 1000
        told = {name: frozen(item) for name, item in properties.items()}
        number = None if value is None else float(value)
        return Outcome(now, unique_id(now), event, number, unit_ids, told, self.service)

    def write(self, records: Sequence[Record]) -> None:
        """Hand over the records of one request."""
        try:
            self.sink.write(records)
        except Exception as error:  # noqa: BLE001  # whatever a sink does, the page is served
            self.lose("sink failed", len(records), error)

    def suppress(self, reason: str) -> None:
        """Count an exposure that is not recorded on purpose."""
        count_loss(self.suppressed, reason, 1)

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


def known_ids(context: UserContext, units: Iterable[str], besides: str = "") -> dict[str, str]:
    """Return the ids that are known already, without computing or issuing any."""
    ids: dict[str, str] = {}
    for name in units:
        value = None if name == besides else context.known(name)
        if value is not None and (text := id_text(value)):
            ids[name] = text
    return ids
