"""Reads a journal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from abmiddleware.exposures.records import Row, decode
from abmiddleware.exposures.recovery import Line, Lines, recover
from abmiddleware.exposures.siblings import siblings

#: Read at once, in bytes.
BLOCK: Final = 1024 * 1024


class JournalReader:
    """Iterates over the rows of a journal, oldest first; what is no row is skipped and counted.

    A whole row is found also where it shares its line with a torn one, or with a block of NUL.

    Args:
        path: the journal's file.
        rotated: whether to read the older files beside it first, those that a rotation has
            renamed. Compressed ones are not read.
    """

    def __init__(self, path: str | os.PathLike[str], *, rotated: bool = False) -> None:
        self.path = path
        self.rotated = rotated
        #: Pieces of the last reading that were no rows, such as one torn by a crash.
        self.skipped = 0

    def __iter__(self) -> Iterator[Row]:
        self.skipped = 0
        for path in self._paths():
            for line in _lines(path):
                try:
                    yield decode(line.raw)
                except ValueError:  # also msgspec's DecodeError and ValidationError
                    rows, pieces = recover(line, decode)
                    self.skipped += len(pieces)
                    yield from rows

    def _paths(self) -> list[Path]:
        if not self.rotated:
            return [Path(self.path)]
        found = [one.path for one in siblings(self.path)]
        if not found:
            raise FileNotFoundError(f"there is no journal {os.fspath(self.path)}")
        return found


def _lines(path: Path) -> Iterator[Line]:
    lines = Lines()
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            for line in lines.feed(block):
                if line.raw and not line.raw.isspace():
                    yield line
    for line in lines.end():
        if not line.raw.isspace():
            yield line
