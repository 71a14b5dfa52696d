"""Reads the next batch of a journal: rows for the destination, pieces for the quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from abmiddleware.agent.quarantine import Bad
from abmiddleware.agent.rows import decode
from abmiddleware.exposures.reader import BLOCK
from abmiddleware.exposures.recovery import Line, Piece, recover
from abmiddleware.exposures.siblings import Sibling
from abmiddleware.exposures.tail import Place, Tail

#: Bytes that a record takes in the journal, about; a batch is read so far.
_BYTES: Final = 2048


class Batch:
    """Some rows of a journal, in the order they were written."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        #: The file and place of each line with rows, and the index of its first row.
        self.lines: list[tuple[str, int]] = []
        self.starts: list[int] = []
        self.bad: list[Bad] = []
        #: How far the files are read with it.
        self.places: dict[str, Place] = {}
        #: Whether there may be more.
        self.is_cut = False

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
        if found:
            self.lines.append((name, line.offset))
            self.starts.append(len(self.rows))
            self.rows += found

    def rows_after(self, lines: int) -> list[Any]:
        """Return the rows behind the first so many lines."""
        return self.rows[self.starts[lines] :] if lines < len(self.starts) else []


def read_batch(
    tail: Tail,
    places: Mapping[str, Place],
    *,
    max_lines: int,
    until: Mapping[str, Place] | None = None,
) -> Batch:
    """Read what was written since, up to so many records.

    Args:
        tail: of the journal.
        places: how far each file was delivered.
        max_lines: with rows; each has one, but for those that a crash has glued together.
        until: read exactly to there, whatever the number.
    """
    batch, size = Batch(), 0
    for file, lines, end in tail.read(places, max_lines * _BYTES, until):
        offset = end
        for number, line in enumerate(lines):
            batch.add(file, line)
            if until is None and len(batch.lines) >= max_lines and number + 1 < len(lines):
                offset = lines[number + 1].offset
                break
        batch.places[file.key] = tail.place(file, offset)
        size += sum(len(line.raw) + 1 for line in lines)
        if until is None and len(batch.lines) >= max_lines:
            break
    batch.is_cut = len(batch.lines) >= max_lines or size + BLOCK > max_lines * _BYTES
    return batch
