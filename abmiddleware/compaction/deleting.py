"""Deletes files of the journal that are kept as Parquet."""

from __future__ import annotations

import os
import time
from pathlib import Path

from abmiddleware.compaction.markers import Marker
from abmiddleware.compaction.parquet import read_back
from abmiddleware.exposures.siblings import Sibling


class NotWholeError(Exception):
    """A Parquet file does not hold what was written to it."""


def verify(directory: Path, marker: Marker) -> None:
    """Read back what was made of a file.

    Args:
        directory: of the Parquet files' tables.
        marker: tells what was made.

    Raises:
        NotWholeError: something is missing.
    """
    for name, file in marker.files.items():
        try:
            count = read_back(directory / name)
        except (OSError, ValueError) as error:
            raise NotWholeError(f"{directory / name} cannot be read back: {error}") from error
        if count != file.rows:
            raise NotWholeError(f"{directory / name} has {count:,} of {file.rows:,} rows")


def delete(source: Sibling, journal: Path, marker: Marker) -> bool:
    """Delete a file unless it was changed; tell whether it is gone.

    It is first given a name that no other program gives: logrotate may just be moving another
    file to the name that this one had.

    Raises:
        OSError: it cannot be renamed or deleted.
    """
    aside = journal.with_name(f"{journal.name}.{time.time_ns()}.{os.getpid()}")
    source.path.rename(aside)
    found = Sibling.of(aside, is_current=False)
    if found.key != source.key or not marker.is_of(found):
        return False  # it is still a file of the journal, found by its new name
    aside.unlink()
    return True
