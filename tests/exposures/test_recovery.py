"""Rows are found wherever a crash has left them, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from abmiddleware.exposures.records import decode, encode, row
from abmiddleware.exposures.recovery import MAX_LINE, Line, Lines, Piece, recover
from tests.exposures.facts import exposure, link, outcome

ROW = encode(exposure())
OTHER = encode(outcome())


def ids(raw: bytes, offset: int = 0) -> tuple[list[str], list[tuple[int, bytes]]]:
    rows, pieces = recover(Line(offset, raw), decode)
    return [one.event_id for one in rows], [(piece.offset, piece.raw) for piece in pieces]


EXPOSURE_ID, OUTCOME_ID = exposure().event_id, outcome().event_id


@pytest.mark.parametrize("cut", range(1, len(ROW), 17))
def test_a_row_after_a_torn_one_on_its_line_is_found(cut: int) -> None:
    """Wherever the first was torn, the second is read, and the piece is told with its place."""
    assert ids(ROW[:cut] + OTHER, offset=1000) == ([OUTCOME_ID], [(1000, ROW[:cut])])


@pytest.mark.parametrize(
    ("raw", "found", "left"),
    [
        (ROW + OTHER, [EXPOSURE_ID, OUTCOME_ID], []),
        (ROW + OTHER[:40], [EXPOSURE_ID], [(len(ROW), OTHER[:40])]),
        (ROW + b"\0\0" + OTHER, [EXPOSURE_ID, OUTCOME_ID], [(len(ROW), b"\0\0")]),
        (b"\0" * 9 + ROW, [EXPOSURE_ID], [(0, b"\0" * 9)]),
        (ROW[:50] + b"\0" + OTHER, [OUTCOME_ID], [(0, ROW[:50]), (50, b"\0")]),
        (b"hello", [], [(0, b"hello")]),
        (b'{"v":1,"type":"visit"}', [], [(0, b'{"v":1,"type":"visit"}')]),
        (b"\xff\xfe" + ROW, [EXPOSURE_ID], [(0, b"\xff\xfe")]),
    ],
    ids=["glued", "torn end", "NUL between", "NUL before", "torn and NUL", "text", "type", "bytes"],
)
def test_what_is_on_a_line_is_told_apart(
    raw: bytes, found: list[str], left: list[tuple[int, bytes]]
) -> None:
    """Rows are read and the rest is told, each with its place."""
    assert ids(raw) == (found, left)


def test_an_object_inside_a_row_is_not_taken_for_one() -> None:
    """A property that begins like a row does not cut its row in two."""
    nested = encode(outcome(properties={"copy": {"v": 1, "type": "outcome"}}))

    assert ids(b"torn" + nested) == ([OUTCOME_ID], [(0, b"torn")])


def test_a_line_full_of_beginnings_takes_bounded_time() -> None:
    """Of a hostile line only the last beginnings are tried."""
    tries = 0

    def counted(raw: bytes) -> str:
        nonlocal tries
        tries += 1
        raise ValueError("no")

    recover(Line(0, b'{"v":1,' * 9000), counted)

    assert tries <= 128


@given(some.lists(some.sampled_from([ROW, OTHER, encode(link()), b"", b"torn"])), some.data())
def test_lines_are_the_same_however_they_are_read(
    parts: list[bytes], data: some.DataObject
) -> None:
    """Blocks may be cut anywhere: the lines and their places stay the same."""
    raw = b"".join(part + b"\n" for part in parts)
    lines, position = Lines(7), 0
    read: list[Line] = []
    while position < len(raw):
        size = data.draw(some.integers(1, 400))
        read += lines.feed(raw[position : position + size])
        position += size

    assert [line.raw for line in read] == parts
    assert all(raw[line.offset - 7 :].startswith(line.raw) for line in read)
    assert lines.offset == len(raw) + 7
    assert list(lines.end()) == []


def test_a_line_without_an_end_takes_bounded_memory() -> None:
    """Of endless bytes the end is kept, in which a row may stand."""
    lines = Lines()
    for _ in range(5):
        assert list(lines.feed(b"\0" * MAX_LINE)) == []
    (line,) = lines.feed(ROW + b"\n")

    assert recover(line, decode)[0] == [row(exposure())]
    assert lines.dropped > 4 * MAX_LINE
    assert lines.offset == 5 * MAX_LINE + len(ROW) + 1


def test_pieces_say_what_is_wrong() -> None:
    """A quarantined piece has a reason."""
    _, pieces = recover(Line(0, b'{"v":2,"type":"exposure"}'), decode)

    assert pieces == [Piece(0, b'{"v":2,"type":"exposure"}', "no row")]
