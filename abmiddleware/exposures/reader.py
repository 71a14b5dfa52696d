"""Reads a journal."""

from __future__ import annotations

import os
from collections.abc import Iterator

from abmiddleware.exposures.records import Row, decode


class JournalReader:
    """Iterates over the rows of a journal, oldest first; what is no row is skipped and counted.

    Args:
        path: the journal's file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path
        #: Lines of the last reading that were no rows, such as one torn by a crash.
        self.skipped = 0

    def __iter__(self) -> Iterator[Row]:
        self.skipped = 0
        with open(self.path, "rb") as file:
            for line in file:
                if line.isspace():
                    continue
                try:
                    yield decode(line)
                except ValueError:  # also msgspec's DecodeError and ValidationError
                    self.skipped += 1
