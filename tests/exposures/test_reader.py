"""The reader gives every row of a journal, and counts what is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from abmiddleware import Journal, JournalReader
from abmiddleware.exposures.records import Record, encode, row
from tests.exposures.facts import exposure, link, outcome

RECORDS: list[Record] = [exposure(), outcome(), link()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def test_rows_come_in_the_order_they_were_written(path: Path) -> None:
    """What the journal wrote is what the reader gives."""
    journal = Journal(path)
    journal.write(RECORDS)
    journal.write(RECORDS[::-1])
    reader = JournalReader(path)

    assert list(reader) == [row(record) for record in [*RECORDS, *RECORDS[::-1]]]
    assert reader.skipped == 0


def test_lines_that_are_no_rows_are_skipped_and_counted(path: Path) -> None:
    """Torn and foreign lines do not keep their neighbours from being read."""
    whole = encode(outcome())
    path.write_bytes(b"\n".join([whole, whole[:50], b"", b"\x00" * 100, b"hello", whole]))
    reader = JournalReader(path)

    assert list(reader) == [row(outcome())] * 2
    assert reader.skipped == 3


def test_a_second_reading_counts_anew(path: Path) -> None:
    """The count is that of the last reading."""
    path.write_bytes(b"torn\n")
    reader = JournalReader(path)

    for _ in range(2):
        assert list(reader) == []
        assert reader.skipped == 1


def test_rows_written_meanwhile_are_read(path: Path) -> None:
    """A reader goes on to what is appended while it reads."""
    journal = Journal(path)
    journal.write([outcome(event_id="first")])
    rows = iter(JournalReader(path))
    first = next(rows)
    journal.write([outcome(event_id="second")])

    assert [first.event_id, *(one.event_id for one in rows)] == ["first", "second"]


def test_an_empty_journal_has_no_rows(path: Path) -> None:
    """An empty file is a journal without rows."""
    path.touch()

    assert list(JournalReader(path)) == []


def test_a_missing_journal_is_an_error(path: Path) -> None:
    """A wrong path is told when it is read, and not taken for an empty journal."""
    with pytest.raises(FileNotFoundError):
        list(JournalReader(path))


def test_rotated_files_are_read_first_on_request(path: Path) -> None:
    """Asked for them, the reader begins with the oldest file that a rotation has renamed."""
    for number, name in enumerate(["journal.jsonl.2", "journal.jsonl.1", "journal.jsonl"]):
        rotated = path.with_name(name)
        Journal(rotated).write([outcome(event_id=name)])
        os.utime(rotated, ns=(number, number))

    def names(*, rotated: bool) -> list[str]:
        return [one.event_id for one in JournalReader(path, rotated=rotated)]

    assert names(rotated=True) == ["journal.jsonl.2", "journal.jsonl.1", "journal.jsonl"]
    assert names(rotated=False) == ["journal.jsonl"]


def test_a_missing_journal_is_an_error_with_rotated_files_too(path: Path) -> None:
    """Where there is no file at all, the path is wrong."""
    with pytest.raises(FileNotFoundError, match="there is no journal"):
        list(JournalReader(path, rotated=True))
