"""Server-sent events, read from chunks of bytes within limits.

Bytes and not text, since what is no UTF-8 must be refused and not replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from abmiddleware.exceptions import DocumentError
from abmiddleware.sources.json_text import MAX_BYTES

_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_MARK: Final = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event; its data is not looked at."""

    name: bytes
    data: bytes


class EventReader:
    """Takes chunks as they come, cut anywhere, and returns the events that are complete."""

    def __init__(self) -> None:
        self._name = b""
        self._data: list[bytes] = []
        #: The pieces of the line that is not complete.
        self._line: list[bytes] = []
        #: Bytes of the event that is not complete.
        self._size = 0
        self._is_first_line = True
        self._ended_in_cr = False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Take a chunk, and yield what it completes.

        Raises:
            DocumentError: an event is too large.
        """
        if not chunk:
            return
        begin = 1 if self._ended_in_cr and chunk.startswith(b"\n") else 0
        self._ended_in_cr = chunk.endswith(b"\r")
        for end in _LINE_END.finditer(chunk, begin):
            self._keep(chunk[begin : end.start()])
            begin = end.end()
            if event := self._end_of_line():
                yield event
        self._keep(chunk[begin:])

    def _keep(self, piece: bytes) -> None:
        if not piece:
            return
        self._size += len(piece)
        if self._size > MAX_BYTES:
            raise DocumentError("stream", f"has an event of more than {MAX_BYTES} bytes")
        self._line.append(piece)

    def _end_of_line(self) -> Event | None:
        line = b"".join(self._line)
        self._line.clear()
        if self._is_first_line:
            self._is_first_line = False
            line = line.removeprefix(_MARK)
        if not line:
            return self._end_of_event()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            self._name = value
        elif field == b"data":
            self._data.append(value)
        else:  # a comment, or a field that is of no use here
            self._size -= len(line)
        return None

    def _end_of_event(self) -> Event | None:
        event = Event(self._name, b"\n".join(self._data)) if self._data or self._name else None
        self._name, self._size = b"", 0
        self._data.clear()
        return event
