"""The tail gives every line once, whatever becomes of the files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from abmiddleware import Journal
from abmiddleware.exposures.recovery import MAX_LINE
from abmiddleware.exposures.siblings import siblings
from abmiddleware.exposures.tail import Place, Tail
from tests.exposures.facts import outcome


class Follower:
    """Reads a journal as the agent does, and keeps the places."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tail = Tail(path)
        self.places: dict[str, Place] = {}

    def read(self, limit: int = 2**40, until: dict[str, Place] | None = None) -> list[str]:
        """Return the lines since, but for empty ones."""
        found = []
        for file, lines, offset in self.tail.read(self.places, limit, until):
            found += [line.raw.decode() for line in lines if line.raw]
            self.places[file.key] = self.tail.place(file, offset)
        return found

    def restart(self) -> None:
        """Begin anew with the places that were kept."""
        self.tail.close()
        self.tail = Tail(self.path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


@pytest.fixture
def follower(path: Path) -> Iterator[Follower]:
    made = Follower(path)
    yield made
    made.tail.close()


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def age(path: Path, seconds: float) -> None:
    """Make a file look as if it had not been written to for a while."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_each_line_comes_once(path: Path, follower: Follower) -> None:
    """What was read is not read again, also after a restart."""
    assert follower.read() == []
    append(path, "\na\n\nb\n")
    assert follower.read() == ["a", "b"]
    append(path, "\nc\n")
    assert follower.read() == ["c"]
    follower.restart()
    assert follower.read() == []
    append(path, "\nd\n")
    assert follower.read() == ["d"]


@pytest.mark.parametrize(
    "name",
    [
        "journal.jsonl.20261123T101500000000Z",
        "journal.jsonl.1",
        "journal.jsonl-20261123",
        "journal-20261123.jsonl",
        "journal.jsonl.2026-11-23_10-15",
    ],
)
@pytest.mark.parametrize("restarts", [False, True], ids=["follows", "restarts"])
def test_a_renamed_file_is_read_to_its_end_before_the_next(
    path: Path, follower: Follower, name: str, restarts: bool
) -> None:
    """A rotation by rename loses no line and repeats none, whoever renames."""
    append(path, "a\nb\n")
    assert follower.read() == ["a", "b"]
    append(path, "c\n")
    path.rename(path.with_name(name))
    append(path, "d\n")
    if restarts:
        follower.restart()

    assert follower.read() == ["c", "d"]


@pytest.mark.parametrize(
    "name",
    [
        "journal.jsonl.lock",
        "journal.jsonl.quarantine",
        "journal.jsonl.agent",
        "journal.jsonl.1.gz",
        "journal.jsonl2",
        "other.jsonl.1",
        "journal-x.jsonl",
    ],
)
def test_other_files_are_left_alone(path: Path, name: str) -> None:
    """What is no rotated journal is not read."""
    append(path, "a\n")
    append(path.with_name(name), "b\n")

    assert [one.path for one in siblings(path)] == [path]


def test_a_straggler_in_a_rotated_file_is_read(path: Path, follower: Follower) -> None:
    """A worker that still writes to the old file after its rotation loses nothing."""
    append(path, "a\n")
    old = path.rename(path.with_name("journal.jsonl.1"))
    append(path, "b\n")
    assert follower.read() == ["a", "b"]
    append(old, "late\n")

    assert follower.read() == ["late"]


def test_a_chain_of_rotations_is_read_in_order(path: Path, follower: Follower) -> None:
    """Several rotations between two readings come in the order they were written."""
    for number in range(3, 0, -1):
        append(path, f"{number}\n")
        age(path, number * 100)
        path.rename(path.with_name(f"journal.jsonl.{number}"))
    append(path, "0\n")

    assert follower.read() == ["3", "2", "1", "0"]


def test_a_line_without_an_end_waits(path: Path, follower: Follower) -> None:
    """The last line is left until its end is there."""
    append(path, "a\nb")
    assert follower.read() == ["a"]
    append(path, "cd\n")
    assert follower.read() == ["bcd"]


def test_an_old_line_without_an_end_is_taken(path: Path, follower: Follower) -> None:
    """Ten seconds later nobody will finish the line, and it is taken as it is, once."""
    append(path, "a\nb")
    age(path, 11)
    assert follower.read() == ["a", "b"]
    append(path, "\nc\n")
    assert follower.read() == ["c"]


def test_a_line_without_an_end_is_taken_after_a_rotation(path: Path, follower: Follower) -> None:
    """A rotated file gets no more lines, so that its last one is taken as it is."""
    append(path, "a\nb")
    age(path, 3)
    assert follower.read() == ["a"]
    path.rename(path.with_name("journal.jsonl.1"))
    assert follower.read() == ["b"]


def test_a_deleted_file_is_read_to_its_end(path: Path, follower: Follower) -> None:
    """A file that is deleted while it is followed loses nothing."""
    append(path, "a\n")
    assert follower.read() == ["a"]
    with path.open("a") as worker:
        path.unlink()
        worker.write("b\n")
        worker.flush()
        append(path, "c\n")

        assert follower.read() == ["b", "c"]


def test_a_truncated_file_is_read_anew_and_counted(path: Path, follower: Follower) -> None:
    """Copytruncate ends nothing: the agent goes on at the start, and says so once."""
    append(path, "a\nb\n")
    assert follower.read() == ["a", "b"]
    path.write_text("")
    assert follower.read() == []
    append(path, "c\n")

    assert follower.read() == ["c"]
    assert follower.tail.troubles == {"truncated": 1}


def test_a_new_file_with_an_old_inode_is_read_whole(path: Path, follower: Follower) -> None:
    """Inodes are used again: another beginning is another file."""
    append(path, "a\n")
    assert follower.read() == ["a"]
    follower.restart()
    path.write_text("b\nc\n")  # the same inode

    assert follower.read() == ["b", "c"]
    assert follower.tail.troubles == {"replaced": 1}


def test_reading_stops_at_a_limit(path: Path, follower: Follower) -> None:
    """A limit leaves the rest for later."""
    text = "x" * 1000
    append(path, f"{text}\n" * 3000)
    counts = []
    while found := follower.read(limit=MAX_LINE):
        counts.append(len(found))

    assert sum(counts) == 3000
    assert len(counts) >= 3


def test_a_reading_can_be_repeated_exactly(path: Path, follower: Follower) -> None:
    """Read again to a place that was kept, the same lines come, and no later ones."""
    append(path, "a\nb\n")
    assert follower.read() == ["a", "b"]
    until, follower.places = follower.places, {}
    append(path, "c\n")
    path.rename(path.with_name("journal.jsonl.1"))
    append(path, "d\n")
    follower.restart()

    assert follower.read(until=until) == ["a", "b"]
    assert follower.read() == ["c", "d"]


def test_an_endless_line_is_passed(path: Path, follower: Follower) -> None:
    """A block of NUL, such as a power cut leaves, does not stop the reading."""
    with path.open("ab") as file:
        file.truncate(5 * MAX_LINE)
    append(path, "\na\n")

    assert follower.read()[-1] == "a"
    assert follower.read() == []


def test_records_of_a_journal_are_followed(path: Path, follower: Follower) -> None:
    """What the journal writes is what the tail gives."""
    Journal(path).write([outcome(event_id="one"), outcome(event_id="two")])

    assert ["one" in line or "two" in line for line in follower.read()] == [True, True]


def test_a_file_that_is_gone_does_not_end_the_reading(path: Path, follower: Follower) -> None:
    """A link to nowhere, or a file that is renamed at this moment, is passed."""
    path.with_name("journal.jsonl.1").symlink_to("nowhere")
    append(path, "a\n")

    assert follower.read() == ["a"]
