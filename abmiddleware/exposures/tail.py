"""Follows a journal through rotations: what was written since some places, file by file."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec

from abmiddleware.exposures.reader import BLOCK
from abmiddleware.exposures.recovery import Line, Lines
from abmiddleware.exposures.siblings import Sibling, siblings
from abmiddleware.notices import notices

#: A last line without an end is taken as it is after so many seconds without a write,
_OLD: Final = 10.0
#: and so many after the file was rotated: workers see a rotation within one.
_OLD_ROTATED: Final = 2.0
#: Bytes at the start of a file that tell it from a later one with the same inode.
HEAD: Final = 1024


class Place(msgspec.Struct, frozen=True):
    """How far one file was read."""

    #: Of the first byte that was not read.
    offset: int
    #: The file's name, for people.
    name: str
    #: Length and hash of the file's first bytes: inodes are used again.
    head_size: int = 0
    head_hash: str = ""


#: Of each file that is there, by device and inode.
Places = Mapping[str, Place]


class Stretch(NamedTuple):
    """Some lines of one file."""

    file: Sibling
    lines: list[Line]
    #: The place after them, to go on from.
    offset: int


class Tail:
    """Reads what was appended to a journal, in the order it was written, across its files.

    A file is known by device and inode, so it is followed when it is renamed, and read to its end
    before the next. It holds the files open that it has begun to read: one that is deleted
    meanwhile is read to its end, too.

    Args:
        path: the journal's file; it need not be there yet.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        #: What went wrong with files: `truncated`, `replaced`, `deleted`, `unreadable`.
        self.troubles: Counter[str] = Counter()
        self._open: dict[str, BinaryIO] = {}

    def close(self) -> None:
        """Close the files."""
        for file in self._open.values():
            file.close()
        self._open.clear()

    def files(self) -> list[Sibling]:
        """Return the files in the order they were written, the current one last."""
        found: list[Sibling] = []
        try:
            found = siblings(self.path)
        except FileNotFoundError:
            pass  # there will be a directory when the first record is written
        except OSError as error:
            self._say("unreadable", self.path, f"its directory cannot be read: {error}")
        there = {one.key for one in found}
        gone = [key for key in self._open if key not in there]
        return [*map(self._gone, gone), *found]

    def _gone(self, key: str) -> Sibling:
        file = self._open[key]
        kept = os.fstat(file.fileno())
        return Sibling(
            Path(file.name), kept.st_dev, kept.st_ino, kept.st_size, kept.st_mtime_ns, False
        )

    def read(self, places: Places, limit: int, until: Places | None = None) -> Iterator[Stretch]:
        """Yield what was written since, in stretches.

        Args:
            places: how far each file was read.
            limit: stop after about so many bytes.
            until: read exactly to there, and other files not at all.
        """
        left = limit
        for file in self.files():
            place, stop = places.get(file.key), None
            if until is not None:
                if file.key not in until:
                    continue
                stop = until[file.key].offset
            if place is not None and file.key in self._open and place.offset == file.size:
                self._release(file)
                continue
            for stretch, count in self._read_file(file, place, stop):
                left -= count
                yield stretch
                if left <= 0 and until is None:
                    return

    def _read_file(
        self, file: Sibling, place: Place | None, stop: int | None
    ) -> Iterator[tuple[Stretch, int]]:
        opened = self._opened(file)
        if opened is None:
            return
        offset = self._start(file, opened, place)
        lines = Lines(offset)
        end = file.size if stop is None else stop
        if place is not None and offset != place.offset:
            yield Stretch(file, [], offset), 0
        opened.seek(offset)
        while offset < end and (block := opened.read(min(BLOCK, end - offset))):
            offset += len(block)
            yield Stretch(file, list(lines.feed(block)), lines.offset), len(block)
        if lines.offset < offset and (stop is not None or _is_over(file)):
            rest = list(lines.end())
            yield Stretch(file, rest, lines.offset), 0

    def _opened(self, file: Sibling) -> BinaryIO | None:
        """Return the file, open; None where it cannot be."""
        if file.key in self._open:
            return self._open[file.key]
        try:
            opened = file.path.open("rb", buffering=0)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):  # else renamed: found again next time
                self._say("unreadable", file.path, f"it cannot be read: {error}")
            return None
        kept = os.fstat(opened.fileno())
        if (kept.st_dev, kept.st_ino) != (file.device, file.inode):
            opened.close()
            return None
        self._open[file.key] = opened
        return opened

    def _start(self, file: Sibling, opened: BinaryIO, place: Place | None) -> int:
        """Return where to go on, which is the start if it is no longer the file that was read."""
        if place is None:
            return 0
        if file.size < place.offset:
            self._say("truncated", file.path, "it was truncated: what nobody had read is lost")
            return 0
        if head_hash(opened, place.head_size) != place.head_hash:
            self._say("replaced", file.path, f"it has taken the place of {place.name}")
            return 0
        return place.offset

    def _release(self, file: Sibling) -> None:
        """Close a file that is read to its end, and gets no more."""
        if not file.is_current and _is_over(file):
            if os.fstat(self._open[file.key].fileno()).st_nlink == 0:
                self._say("deleted", file.path, "it was deleted, and is read to its end")
            self._open.pop(file.key).close()

    def place(self, file: Sibling, offset: int) -> Place:
        """Return how far a file was read, as it can be kept."""
        opened, size = self._open[file.key], min(offset, HEAD)
        return Place(offset, file.path.name, size, head_hash(opened, size))

    def _say(self, trouble: str, path: Path, message: str) -> None:
        self.troubles[trouble] += 1
        notices.warn(f"{trouble} {path}", "the journal %s: %s", path, message)


def head_hash(file: BinaryIO, size: int) -> str:
    """Return what tells a file's first bytes from others."""
    head = os.pread(file.fileno(), size, 0)
    return blake2b(head, digest_size=8).hexdigest()


def _is_over(file: Sibling) -> bool:
    """Tell whether nobody is about to finish the last line."""
    quiet = time.time() - file.modified_ns / 1e9
    return quiet > (_OLD if file.is_current else _OLD_ROTATED)
