"""Some megabytes of a journal's file: where its rows are, to read them in another order."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any, BinaryIO, Final

from abmiddleware.agent.batch import Batch
from abmiddleware.agent.rows import TABLE_OF, decode
from abmiddleware.compaction.aside import Aside
from abmiddleware.exposures.reader import BLOCK
from abmiddleware.exposures.recovery import Line, Lines
from abmiddleware.exposures.siblings import Sibling

#: Bytes of a part, about. What is remembered of a row takes up to 250 bytes.
SIZE: Final = 256 * 1024 * 1024

#: Microseconds of a day.
DAY: Final = 86_400_000_000
_OFFSET_BITS: Final = 56
_LENGTH_BITS: Final = 24

#: By event id, when a row was and where its line is: one integer, since there are millions.
Index = dict[str, int]


class Part:
    """A part of a file.

    Only where the rows are is kept in memory; they are read again to be written by time.

    Args:
        source: the file.
        start: its first byte there.
        aside: takes what is no row.
    """

    def __init__(self, source: Sibling, start: int, aside: Aside) -> None:
        self.start = start
        #: Of each table and UTC day.
        self.indexes: defaultdict[tuple[str, int], Index] = defaultdict(dict)
        #: Rows that were read, also those of one event.
        self.count = 0
        self._source = source
        self._aside = aside

    def add(self, line: Line) -> None:
        """Remember the rows of a line; of those of one event the earliest."""
        raw = line.raw
        if not raw or raw.isspace():
            return
        where = line.offset << _LENGTH_BITS | len(raw)
        for row in self._rows(line):
            index = self.indexes[TABLE_OF[type(row)], row.ts_us // DAY]
            place = row.ts_us << (_OFFSET_BITS + _LENGTH_BITS) | where
            if index.setdefault(row.event_id, place) > place:
                index[row.event_id] = place
            self.count += 1

    def _rows(self, line: Line) -> list[Any]:
        try:
            return [decode(line.raw)]
        except ValueError:
            batch = Batch()
            batch.add(self._source, line)
            self._aside.add(batch.bad)
            return batch.rows

    def rows(self, file: BinaryIO, index: Index) -> Iterator[Any]:
        """Yield the rows of an index by time.

        Raises:
            OSError: the file cannot be read.
            ValueError: it has been changed meanwhile.
        """
        descriptor = file.fileno()
        for event_id in sorted(index, key=index.__getitem__):
            place = index[event_id]
            length = place & ((1 << _LENGTH_BITS) - 1)
            offset = place >> _LENGTH_BITS & ((1 << _OFFSET_BITS) - 1)
            raw = os.pread(descriptor, length, offset)
            try:
                row = decode(raw)
            except ValueError:
                row = self._recovered(Line(offset, raw), event_id)
            if row is None or row.event_id != event_id:
                raise ValueError(f"it was changed at byte {offset} while it was read")
            yield row

    def _recovered(self, line: Line, event_id: str) -> Any:
        batch = Batch()
        batch.add(self._source, line)
        found = [row for row in batch.rows if row.event_id == event_id]
        return min(found, key=lambda row: row.ts_us, default=None)


class Parts:
    """Cuts a file into parts.

    Args:
        source: the file.
        file: the same, open.
        aside: takes what is no row.
        advance: is told the bytes of each block that was read.
    """

    def __init__(
        self, source: Sibling, file: BinaryIO, aside: Aside, advance: Callable[[int], None]
    ) -> None:
        self._source = source
        self._file = file
        self._aside = aside
        self._advance = advance
        self._hash = blake2b(digest_size=12)
        #: Bytes that were read.
        self.size = 0
        #: Bytes of endless lines that nobody can keep.
        self.dropped = 0

    @property
    def digest(self) -> str:
        """What tells the file's content from any other, once it is read."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[Part]:
        lines = Lines()
        part = Part(self._source, 0, self._aside)
        while block := self._file.read(BLOCK):
            self.size += len(block)
            self._hash.update(block)
            for line in lines.feed(block):
                part.add(line)
            self._advance(len(block))
            if lines.offset - part.start >= SIZE:
                yield part
                part = Part(self._source, lines.offset, self._aside)
        for line in lines.end():
            part.add(line)
        self.dropped = lines.dropped
        yield part
