"""What a sink was told of units."""

from __future__ import annotations

from abmiddleware import MemorySink, Suppression
from abmiddleware.exposures.records import Record


def of_units(sink: MemorySink) -> list[Record]:
    """Return the records of a sink but for counts of exposures that were not recorded."""
    return [record for record in sink.records if not isinstance(record, Suppression)]
