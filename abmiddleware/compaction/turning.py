"""Turns one file of a journal into Parquet files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from abmiddleware.agent.quarantine import Quarantine
from abmiddleware.agent.tables import day_of
from abmiddleware.compaction.aside import Aside
from abmiddleware.compaction.markers import Marker, Markers, Written, sync
from abmiddleware.compaction.parquet import write
from abmiddleware.compaction.part import DAY, Parts
from abmiddleware.exposures.siblings import Sibling
from abmiddleware.exposures.tail import HEAD, Place, head_hash


class Made(NamedTuple):
    """A Parquet file that does not have its name yet."""

    path: Path
    table: str
    day: str
    #: Of the part of the source whose rows it has.
    number: int
    written: Written

    def name(self, identity: str) -> str:
        """Return its path within the directory."""
        return f"{self.table}/dt={self.day}/{identity}-{self.number:04}.parquet"


class Turning:
    """Turns files into Parquet files, which get their names when all of a file are whole.

    Args:
        directory: of the tables.
        markers: of the same.
        quarantine: for what is no row.
        advance: is told bytes that were read, and rows that were written.
    """

    def __init__(
        self,
        directory: Path,
        markers: Markers,
        quarantine: Path,
        advance: Callable[[int, int], None],
    ) -> None:
        self._directory = directory
        self._markers = markers
        self._quarantine = quarantine
        self._advance = advance

    def turn(self, source: Sibling, file: BinaryIO, before: Marker | None) -> Marker:
        """Turn a file; return what was made.

        Args:
            source: the file.
            file: the same, open.
            before: what was made of it when it was smaller, or not to the end.

        Raises:
            OSError: it cannot be read, or something not be written.
            ValueError: it was changed meanwhile.
        """
        self._markers.clear()
        aside = Aside(Quarantine(self._quarantine))
        parts = Parts(source, file, aside, lambda size: self._advance(size, 0))
        made, count = self._write(parts, file)
        aside.flush()
        if parts.size != source.size:
            raise ValueError(f"it has {parts.size:,} bytes and had {source.size:,}: it is changed")
        head = min(HEAD, parts.size)
        identity = parts.digest if before is None else before.id
        marker = Marker(
            id=identity,
            place=Place(parts.size, source.path.name, head, head_hash(file, head)),
            modified_ns=source.modified_ns,
            files={one.name(identity): one.written for one in made},
            repeated=count - sum(one.written.rows for one in made),
            quarantined=aside.count,
            unkept=aside.unkept,
            dropped=parts.dropped,
        )
        self._publish(source, marker, made, before)
        return marker

    def _write(self, parts: Parts, file: BinaryIO) -> tuple[list[Made], int]:
        """Write the Parquet files aside; return them, and the rows that were read."""
        made: list[Made] = []
        count = 0
        for number, part in enumerate(parts):
            count += part.count
            for (table, day), index in sorted(part.indexes.items()):
                path = self._markers.unfinished / f"{len(made)}.tmp"
                rows = write(
                    path, table, part.rows(file, index), lambda rows: self._advance(0, rows)
                )
                written = Written(rows, path.stat().st_size)
                made.append(Made(path, table, day_of(day * DAY), number, written))
        return made, count

    def _publish(
        self, source: Sibling, marker: Marker, made: list[Made], before: Marker | None
    ) -> None:
        """Give files their names, in place of those of the same names.

        From the first name to the last, the marker tells of them all: after a crash they are
        found and replaced, also if the file has changed.
        """
        stale = set() if before is None else set(before.files) - set(marker.files)
        for name in stale:
            marker.files[name] = Written(0, 0)
        self._markers.save(source, marker)
        folders: set[Path] = {self._directory}
        for one in made:
            place = self._directory / one.name(marker.id)
            place.parent.mkdir(parents=True, exist_ok=True)
            one.path.replace(place)
            folders |= {place.parent, place.parent.parent}
        for name in stale:
            (self._directory / name).unlink(missing_ok=True)
            del marker.files[name]
        sync(folders)
        marker.is_done = True
        self._markers.save(source, marker)
