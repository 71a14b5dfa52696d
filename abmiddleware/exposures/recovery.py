"""The lines of a journal, and what can be saved of a broken one.

Pure: bytes in, lines and pieces out. A crash may tear a record at any byte, a power cut may leave
blocks of NUL, and the record after either may stand on the same line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeVar

from abmiddleware.exposures.journal import MAX_RECORD

#: What every row of this schema begins with; inside a text it is written with backslashes.
START: Final = b'{"v":1,'
#: Of a longer line only the end is kept, in bytes: no record is as long as that.
MAX_LINE: Final = 1024 * 1024
#: Places of one line at which a row may be looked for.
_MAX_STARTS: Final = 64

_NULS: Final = re.compile(rb"\x00+")
_Row = TypeVar("_Row")


class Line(NamedTuple):
    """A line without its end."""

    #: Of its first byte in the file.
    offset: int
    raw: bytes


class Piece(NamedTuple):
    """Bytes of a file that are no row."""

    offset: int
    raw: bytes
    #: What is wrong with them.
    reason: str


class Lines:
    """Cuts what is read of a file into lines, in bounded memory.

    Args:
        offset: of the first byte that is fed.
    """

    def __init__(self, offset: int = 0) -> None:
        #: The first byte that is in no line yet.
        self.offset = offset
        self._rest: list[bytes] = []
        self._held = 0
        #: Bytes of endless lines that were let go.
        self.dropped = 0

    def feed(self, block: bytes) -> Iterator[Line]:
        """Take the next bytes; yield the lines that end in them."""
        head, feed, tail = block.rpartition(b"\n")
        if feed:
            whole = b"".join([*self._rest, head])
            self._rest, self._held = [], 0
            for raw in whole.split(b"\n"):
                yield Line(self.offset, raw)
                self.offset += len(raw) + 1
        if tail:
            self._hold(tail)

    def _hold(self, tail: bytes) -> None:
        self._rest.append(tail)
        self._held += len(tail)
        if self._held > MAX_LINE:
            kept = b"".join(self._rest)[-MAX_RECORD:]
            self.offset += self._held - len(kept)
            self.dropped += self._held - len(kept)
            self._rest, self._held = [kept], len(kept)

    def end(self) -> Iterator[Line]:
        """Yield the last line, which has no end, if there is one."""
        if self._held:
            yield Line(self.offset, b"".join(self._rest))
            self.offset += self._held
            self._rest, self._held = [], 0


def recover(line: Line, decode: Callable[[bytes], _Row]) -> tuple[list[_Row], list[Piece]]:
    """Return the rows of a line that is no row as a whole, and the pieces that are none.

    Args:
        line: the line.
        decode: makes a row of bytes, or raises `ValueError`.
    """
    rows: list[_Row] = []
    pieces: list[Piece] = []
    end = 0
    for nuls in _NULS.finditer(line.raw):
        _recover(line.offset + end, line.raw[end : nuls.start()], decode, rows, pieces)
        pieces.append(Piece(line.offset + nuls.start(), nuls[0], "NUL bytes"))
        end = nuls.end()
    _recover(line.offset + end, line.raw[end:], decode, rows, pieces)
    return rows, pieces


def _recover(
    offset: int,
    raw: bytes,
    decode: Callable[[bytes], _Row],
    rows: list[_Row],
    pieces: list[Piece],
) -> None:
    """Look for rows from the last place where one may start to the first."""
    found: list[_Row] = []
    bad: list[Piece] = []
    end = start = after = len(raw)
    reason = "no row"
    for _ in range(_MAX_STARTS):
        start = raw.rfind(START, 0, start)
        if start < 0:
            break
        # It ends where the line does, or where the next one starts that was torn. If neither, it
        # starts further left: an object inside a row may begin like one.
        for stop in dict.fromkeys((end, after)):
            try:
                row = decode(raw[start:stop])
            except ValueError as error:
                reason = str(error)
                continue
            if raw[stop:end].strip():
                bad.append(Piece(offset + stop, raw[stop:end], reason))
            found.append(row)
            end, reason = start, "torn"
            break
        after = start
    if raw[:end].strip():
        bad.append(Piece(offset, raw[:end], reason))
    rows.extend(reversed(found))
    pieces.extend(reversed(bad))
