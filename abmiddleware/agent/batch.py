"""Reads the next batch of a journal: rows for the destination, pieces for the quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from abmiddleware.agent.quarantine import Bad
from abmiddleware.agent.rows import check_integers, decode
from abmiddleware.exposures.recovery import Line, Piece, recover
from abmiddleware.exposures.siblings import Sibling
from abmiddleware.exposures.tail import Place, Tail

#: Bytes that a record takes in the journal, about; a batch is read so far.
_BYTES: Final = 2048


class Batch:
    """Some rows of a journal, in the order they were written."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        #: The file and place of each row.
        self.origins: list[tuple[str, int]] = []
        self.bad: list[Bad] = []
        #: How far the files are read with it.
        self.places: dict[str, Place] = {}

    def add(self, file: Sibling, line: Line) -> None:
        """Take the rows of a line."""
        raw = line.raw
        if not raw or raw.isspace():
            return
        name = file.path.name
        try:
            found = [decode(raw)]
        except ValueError as error:
            found, pieces = recover(line, decode)
            if not found and len(pieces) == 1:  # then this is what is wrong with it
                pieces = [Piece(pieces[0].offset, pieces[0].raw, str(error))]
            self.bad += [Bad(name, piece) for piece in pieces]
        self.rows += found
        self.origins += [(name, line.offset)] * len(found)

    def drop_unfit(self) -> None:
        """Set rows aside whose integers no database takes."""
        kept = []
        for row, (name, offset) in zip(self.rows, self.origins, strict=True):
            try:
                check_integers(row)
            except ValueError as error:
                self.bad.append(Bad(name, Piece(offset, b"", str(error))))
            else:
                kept.append(row)
        self.rows = kept


def read_batch(
    tail: Tail,
    places: Mapping[str, Place],
    *,
    max_records: int,
    until: Mapping[str, Place] | None = None,
) -> Batch:
    """Read what was written since, up to so many records.

    Args:
        tail: of the journal.
        places: how far each file was delivered.
        max_records: of the batch; a line with several rows may exceed it.
        until: read exactly to there, whatever the number.
    """
    batch = Batch()
    for file, lines, end in tail.read(places, max_records * _BYTES, until):
        offset = end
        for number, line in enumerate(lines):
            batch.add(file, line)
            if until is None and len(batch.rows) >= max_records and number + 1 < len(lines):
                offset = lines[number + 1].offset
                break
        batch.places[file.key] = tail.place(file, offset)
        if until is None and len(batch.rows) >= max_records:
            break
    return batch
