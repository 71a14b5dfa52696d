"""What was made of each file of the journal, kept beside the Parquet files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from abmiddleware.exposures.siblings import Sibling
from abmiddleware.exposures.tail import Place, head_hash

VERSION: Final = 1


class Written(msgspec.Struct, frozen=True):
    """A Parquet file."""

    rows: int
    bytes: int


class Marker(msgspec.Struct, kw_only=True):
    """What was made of a file of the journal."""

    version: int = VERSION
    #: What the names of its Parquet files begin with.
    id: str
    #: How far it was read.
    place: Place
    #: When it was written to last, in nanoseconds since 1970.
    modified_ns: int
    #: Its Parquet files, by path within the directory.
    files: dict[str, Written] = msgspec.field(default_factory=dict)
    #: Rows of an event that was there already.
    repeated: int = 0
    #: Pieces that were no rows, and those of them that the quarantine had no room for.
    quarantined: int = 0
    unkept: int = 0
    #: Bytes of lines that are too long for either.
    dropped: int = 0
    #: False as long as files may have their names or not.
    is_done: bool = False

    @property
    def keeps(self) -> str:
        """Why the file holds more than what is kept of it elsewhere; "" if it does not."""
        if self.unkept:
            return f"the quarantine has no room for {self.unkept:,} pieces of it"
        return f"{self.dropped:,} bytes of it are lines without an end" if self.dropped else ""

    def is_of(self, source: Sibling) -> bool:
        """Tell whether a file is still what it was."""
        return (self.place.offset, self.modified_ns) == (source.size, source.modified_ns)


class Markers:
    """Keeps markers in a directory, by device and inode of the files.

    Args:
        directory: of the Parquet files' tables.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._home = directory / "_compacted"
        #: Held by the process that is at work.
        self.lock = self._home / "lock"
        #: For files that are not whole yet; on the same disk, so that they can be renamed.
        self.unfinished = self._home / "unfinished"

    def make(self) -> None:
        """Make the directories.

        Raises:
            OSError: they cannot be made.
        """
        self.unfinished.mkdir(parents=True, exist_ok=True)

    def clear(self) -> None:
        """Remove what a crash has left.

        Raises:
            OSError: it cannot be removed.
        """
        for path in self.unfinished.iterdir():
            path.unlink()

    def load(self, source: Sibling, opened: BinaryIO) -> Marker | None:
        """Return what was made of a file; None where nothing was, or inodes were used again.

        Raises:
            OSError: it cannot be read.
        """
        try:
            marker = msgspec.json.decode(self._path(source).read_bytes(), type=Marker)
        except (FileNotFoundError, ValueError):  # what it was made of is there: it is made anew
            return None
        place = marker.place
        is_same = head_hash(opened, place.head_size) == place.head_hash
        return marker if is_same and marker.version == VERSION else None

    def is_whole(self, marker: Marker, source: Sibling) -> bool:
        """Tell whether all of a file was made into what is there."""
        return (
            marker.is_done
            and not marker.keeps  # there may be room now
            and marker.is_of(source)
            and all(
                _size(self._directory / path) == file.bytes for path, file in marker.files.items()
            )
        )

    def save(self, source: Sibling, marker: Marker) -> None:
        """Keep what was made of a file.

        Raises:
            OSError: it cannot be written.
        """
        temporary = self.unfinished / "marker.tmp"
        with temporary.open("wb") as file:
            file.write(msgspec.json.encode(marker))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path(source))
        sync([self._home])

    def forget(self, source: Sibling) -> None:
        """Remove what is kept of a file."""
        with suppress(OSError):
            self._path(source).unlink()

    def _path(self, source: Sibling) -> Path:
        return self._home / f"{source.device}-{source.inode}.json"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def sync(directories: Iterable[Path]) -> None:
    """Have the disk keep the names in directories.

    Raises:
        OSError: it could not.
    """
    for directory in directories:
        descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
