"""The reader of server-sent events, fed with chunks cut anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abmiddleware.exceptions import DocumentError
from abmiddleware.sources.events import Event, EventReader
from abmiddleware.sources.json_text import MAX_BYTES

TEXT = (
    b"\xef\xbb\xbf: a comment\n\n"
    b"event: features\ndata: {}\n\n"
    b"event:features\r\nid: 7\r\nretry: 10\r\ndata:one\r\ndata: two\r\ndata\r\n\r\n"
    b"data: nameless\r\r"
    b"event: features-updated\n\n"
    b"event: ping\ndata: \xff\xfe \xc3\xa9\n\n"
    b"\n\n\n"
    b"event: unfinished\ndata: lost"
)
EVENTS = [
    Event(b"features", b"{}"),
    Event(b"features", b"one\ntwo\n"),
    Event(b"", b"nameless"),
    Event(b"features-updated", b""),
    Event(b"ping", b"\xff\xfe \xc3\xa9"),
]


def read(*chunks: bytes) -> list[Event]:
    reader = EventReader()
    return [event for chunk in chunks for event in reader.feed(chunk)]


def test_a_text_in_one_chunk() -> None:
    """All line ends, comments, several data lines, and events of any name."""
    assert read(TEXT) == EVENTS


@pytest.mark.parametrize("at", range(len(TEXT)))
def test_a_text_cut_in_two(at: int) -> None:
    """A cut makes no difference, also within a line end or a character."""
    assert read(TEXT[:at], TEXT[at:]) == EVENTS


def test_a_text_byte_by_byte() -> None:
    """Nor do cuts everywhere, with empty chunks between."""
    chunks = [TEXT[index : index + 1] for index in range(len(TEXT))]
    assert read(*chunks) == EVENTS
    assert read(*(part for chunk in chunks for part in (chunk, b""))) == EVENTS


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"\r", b"\n", b"data:", b"event:x\n"])))
def test_any_bytes_in_any_chunks(chunks: list[bytes]) -> None:
    """No bytes make the reader raise, and how they are cut does not matter."""
    assert read(*chunks) == read(b"".join(chunks))


@pytest.mark.parametrize("line", [b"data: ", b": ", b"event: "], ids=["data", "comment", "name"])
def test_an_endless_line_is_refused(line: bytes) -> None:
    """What grows past the limit is not gathered further."""
    chunk = b"x" * (MAX_BYTES // 10)

    with pytest.raises(DocumentError, match="event of more than"):
        read(line, *[chunk] * 11)


def test_an_endless_event_is_refused() -> None:
    """Many lines of one event count together."""
    chunk = b"data: " + b"x" * (MAX_BYTES // 10) + b"\n"

    with pytest.raises(DocumentError, match="event of more than"):
        read(*[chunk] * 11)


def test_comments_without_end_are_no_event() -> None:
    """A server that sends a comment every few seconds for years is welcome."""
    chunk = b":" + b"x" * (MAX_BYTES // 10) + b"\n"

    assert read(*[chunk] * 30) == []
