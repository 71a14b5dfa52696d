"""Where records go. A sink is anything with `write`; the journal is the default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from abmiddleware.exposures.records import Record


@runtime_checkable
class Sink(Protocol):
    """Takes the records of one request."""

    def write(self, records: Sequence[Record], /) -> None:
        """Take records, in the order they came.

        Called on the path of the request, from any thread or process: it must be quick and hold
        no lock over a fork. An exception does not reach the request; the records count as lost.
        """
