"""What is no row, kept for people to look at."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from abmiddleware.exposures.records import now_us, rfc3339
from abmiddleware.exposures.recovery import Piece

#: Of one piece no more is kept, in bytes.
_MAX_RAW: Final = 64 * 1024
#: The file's size, in bytes; past it pieces are only counted.
MAX_FILE: Final = 64 * 1024 * 1024


class Bad(NamedTuple):
    """A piece, and the file it is of."""

    file: str
    piece: Piece


class Quarantine:
    """Appends pieces to a file of JSON lines, within a bound.

    Args:
        path: of the file.
        max_bytes: it grows to.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_FILE) -> None:
        self.path = path
        self.max_bytes = max_bytes

    def without_kept(self, pieces: Iterable[Bad]) -> list[Bad]:
        """Return those pieces that are not kept yet, under whatever name their file had then.

        Raises:
            OSError: the file cannot be read.
        """
        new = {_told(_line(bad)): bad for bad in pieces}
        if new:
            with suppress(FileNotFoundError), self.path.open("rb") as file:
                for line in file:
                    new.pop(_told(line), None)
        return list(new.values())

    def add(self, pieces: Iterable[Bad]) -> int:
        """Keep pieces; return how many there was no room for.

        Raises:
            OSError: the file cannot be written.
        """
        lines = [_line(bad) for bad in pieces]
        if not lines:
            return 0
        descriptor = os.open(
            self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640
        )
        with open(descriptor, "ab") as file:
            room = self.max_bytes - os.fstat(descriptor).st_size
            for number, line in enumerate(lines):
                room -= len(line)
                if room < 0:
                    return len(lines) - number
                file.write(line)
        return 0


class _Told(msgspec.Struct, frozen=True):
    offset: int
    size: int
    text: str = ""
    base64: str = ""


def _told(line: bytes) -> _Told | None:
    """Return what tells a piece from others; None where a line is torn."""
    try:
        return msgspec.json.decode(line, type=_Told)
    except ValueError:
        return None


def _line(bad: Bad) -> bytes:
    raw = bad.piece.raw
    told: dict[str, object] = {
        "at": rfc3339(now_us()),
        "file": bad.file,
        "offset": bad.piece.offset,
        "size": len(raw),
        "reason": bad.piece.reason,
    }
    kept = raw[:_MAX_RAW].strip(b"\0")
    try:
        told["text"] = str(kept, "utf-8")
    except UnicodeDecodeError:
        told["base64"] = base64.b64encode(kept).decode()
    return msgspec.json.encode(told) + b"\n"
