"""Which files of a journal are closed, and which of them agents have delivered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from abmiddleware.agent.state import StateFile
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.exposures.siblings import Sibling, siblings
from abmiddleware.exposures.tail import Place, head_hash


def sources(journal: Path) -> list[Sibling]:
    """Return the files of a journal, the current one last.

    Raises:
        ConfigurationError: there is none.
        OSError: the directory cannot be read.
    """
    try:
        found = siblings(journal)
    except FileNotFoundError:
        found = []
    if not found:
        raise ConfigurationError(f"journal: there is no {journal}, nor an older file beside it")
    return found


def why_open(source: Sibling, until: date, grace: float) -> str:
    """Return why a file is none whose days are over; "" if they are.

    Args:
        source: the file.
        until: the last UTC day of which it may have records.
        grace: seconds since its last record.
    """
    if source.is_current:
        return "is written now, until it is rotated"
    written = source.modified_ns / 1e9
    if time.time() - written < grace:
        return "may still get records"
    end = datetime(until.year, until.month, until.day, tzinfo=UTC) + timedelta(days=1)
    if written >= end.timestamp():  # no record is written before it happened
        return f"was written to after {until}"
    return ""


def opened(source: Sibling) -> BinaryIO:
    """Open a file.

    Raises:
        OSError: it cannot be read, or has another name by now.
    """
    file = source.path.open("rb", buffering=0)
    if Sibling.of(source.path, is_current=False)[1:3] != (source.device, source.inode):
        file.close()
        raise FileNotFoundError("it was renamed meanwhile; the next run finds it")
    return file


class Agents:
    """The agents that ship a journal.

    Args:
        directories: where they keep their states.

    Raises:
        OSError: a state cannot be read.
    """

    def __init__(self, directories: Sequence[Path]) -> None:
        self._places: dict[Path, dict[str, Place]] = {
            directory: StateFile(directory).load().places for directory in directories
        }

    def waiting(self, source: Sibling, file: BinaryIO) -> str:
        """Return what an agent still needs of a file; "" if nothing."""
        for directory, places in self._places.items():
            place = places.get(source.key)
            if place is not None and head_hash(file, place.head_size) != place.head_hash:
                place = None
            done = 0 if place is None else place.offset
            if done < source.size:
                return f"its agent ({directory}) has confirmed {done:,} of {source.size:,} bytes"
        return ""
