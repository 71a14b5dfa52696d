"""A journal's file and the older ones beside it that a rotation has renamed."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final, NamedTuple

#: What is put behind a name, or before its extension: our own time, a number, a date.
_SUFFIX: Final = re.compile(r"[.-]\d[0-9TZ._:-]*")


class Sibling(NamedTuple):
    """One file of a journal."""

    path: Path
    device: int
    inode: int
    size: int
    #: When it was last written to, in nanoseconds since 1970.
    modified_ns: int
    #: Whether it is the one that is written to.
    is_current: bool

    @property
    def key(self) -> str:
        """What stays the same when it is renamed."""
        return f"{self.device}:{self.inode}"

    @classmethod
    def of(cls, path: Path, *, is_current: bool) -> Sibling:
        """Look at a file.

        Raises:
            OSError: there is none.
        """
        kept = path.stat()
        if not stat.S_ISREG(kept.st_mode):
            raise FileNotFoundError(f"{path} is not a file")
        return cls(
            path, kept.st_dev, kept.st_ino, kept.st_size, kept.st_mtime_ns, is_current=is_current
        )


def siblings(path: str | os.PathLike[str]) -> list[Sibling]:
    """Return the files of a journal that are there, in the order they were written.

    Followed are `journal.jsonl` itself and what rotation makes of it: our own
    `journal.jsonl.20261123T101500000000Z`, and `journal.jsonl.1`, `journal.jsonl-20261123` and
    `journal-20261123.jsonl` of other tools. Compressed ones are not.

    Raises:
        OSError: the directory cannot be read.
    """
    current = Path(path).absolute()
    found = []
    for name in os.listdir(current.parent):
        if name == current.name or _is_rotated(name, current):
            try:
                sibling = Sibling.of(current.parent / name, is_current=name == current.name)
            except FileNotFoundError:  # renamed since the directory was read
                continue
            found.append(sibling)
    # A rename keeps the time of the last write. Names decide where that is the same.
    return sorted(found, key=lambda one: (one.is_current, one.modified_ns, one.path.name))


def _is_rotated(name: str, current: Path) -> bool:
    if name.startswith(current.name):
        return _SUFFIX.fullmatch(name, len(current.name)) is not None
    stem, extension = current.stem, current.suffix
    if extension and name.startswith(stem) and name.endswith(extension):
        return _SUFFIX.fullmatch(name, len(stem), len(name) - len(extension)) is not None
    return False
