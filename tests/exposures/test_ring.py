"""Records that wait in memory until a disk can be written again."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import pytest

from abmiddleware import Journal, JournalReader
from abmiddleware.exposures import file
from abmiddleware.exposures import guard as guards
from abmiddleware.exposures import ring as rings
from abmiddleware.exposures.ring import Ring
from tests.disks import command
from tests.exposures.facts import outcome, process, told


def write(journal: Journal, *names: object) -> None:
    for name in names:
        journal.write([outcome(event_id=str(name))])


def names_in(journal: Journal) -> list[str]:
    return [row.event_id for row in JournalReader(journal.path)]


def fill(disk: Path) -> Path:
    """Leave no room on a disk; return the file that takes it."""
    ballast = disk / "ballast"
    with pytest.raises(OSError, match="No space left"):
        ballast.write_bytes(b"x" * 1_100_000)
    return ballast


def test_what_a_full_disk_refused_is_written_when_it_has_room(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Held records come once, in order, in front of the one whose write worked."""
    journal = Journal(small_disk / "j", ring=1000)
    ballast = fill(small_disk)
    with caplog.at_level(logging.WARNING, logger="abmiddleware"):
        write(journal, *range(300))

    assert (journal.held, journal.written, journal.lost.total()) == (300, 0, 0)
    assert len(caplog.messages) == 1
    assert "1 records wait in memory" in caplog.messages[0]
    assert "No space left" in caplog.messages[0]

    ballast.unlink()
    write(journal, 300)

    assert names_in(journal) == [str(number) for number in range(301)]
    assert (journal.held, journal.written, journal.lost.total()) == (0, 301, 0)


def test_the_last_records_are_held_and_the_others_counted(small_disk: Path) -> None:
    """A ring that is full gives up the oldest records, by the reason that they met."""
    journal = Journal(small_disk / "j", ring=5)
    ballast = fill(small_disk)
    write(journal, *range(12))

    assert journal.held == 5
    assert journal.lost == {"ENOSPC": 7}

    ballast.unlink()
    write(journal, 12)

    assert names_in(journal) == ["7", "8", "9", "10", "11", "12"]
    assert journal.written + journal.lost.total() == 13


def test_records_on_a_disk_that_fills_up_come_once(small_disk: Path) -> None:
    """Also the records of the write that the disk cut short are whole in the end, and once."""
    journal, ballast = Journal(small_disk / "j", ring=10_000), small_disk / "ballast"
    ballast.write_bytes(b"x" * 900_000)
    for number in range(200):
        journal.write([outcome(event_id=f"{number}-{part}") for part in range(5)])

    assert journal.held
    assert journal.written + journal.held == 1000

    ballast.unlink()
    write(journal, "last")
    reader = JournalReader(journal.path)

    assert [row.event_id for row in reader] == [
        *(f"{number}-{part}" for number in range(200) for part in range(5)),
        "last",
    ]
    assert reader.skipped <= 1  # what was cut short
    assert (journal.held, journal.written, journal.lost.total()) == (0, 1001, 0)


def test_a_disk_that_has_room_for_some_takes_some(small_disk: Path) -> None:
    """What waits is written as far as it goes; the rest waits on, each record once."""
    journal, ballast = Journal(small_disk / "j", ring=10_000), small_disk / "ballast"
    fill(small_disk)
    write(journal, *range(2000))
    with ballast.open("r+b") as file:
        file.truncate(ballast.stat().st_size - 100_000)
    write(journal, 2000)

    assert journal.written > 100
    assert journal.held > 100
    assert journal.written + journal.held == 2001

    ballast.unlink()
    write(journal, 2001)

    assert names_in(journal) == [str(number) for number in range(2002)]
    assert not journal.lost


def test_a_read_only_disk_is_waited_for(small_disk: Path) -> None:
    """What a disk refused that was read-only for a time is written later."""
    journal = Journal(small_disk / "j", ring=10)
    command("mount", "-o", "remount,ro", small_disk)
    write(journal, "early")
    assert journal.held == 1
    command("mount", "-o", "remount,rw", small_disk)
    write(journal, "late")

    assert names_in(journal) == ["early", "late"]


#: Without the rights of root, in a directory that is closed and opened.
CLOSED = """
import stat
if os.geteuid() == 0:
    os.chown(os.path.dirname(sys.argv[1]), 65534, 65534)
    os.setgid(65534), os.setuid(65534)
folder = os.path.dirname(sys.argv[1])
journal = Journal(sys.argv[1], ring=10)
os.chmod(folder, 0o555)
for number in range(4):
    journal.write([outcome(str(number))])
assert (journal.held, journal.lost.total()) == (4, 0)
"""


def test_a_closed_directory_is_waited_for() -> None:
    """A right that comes later (EACCES) brings the records that were refused without it."""
    with tempfile.TemporaryDirectory() as folder:
        script = """
os.chmod(folder, 0o755)
journal.write([outcome("late")])
journal.close()  # on a busy machine the thread may have them still
print(journal.held, journal.written, journal.lost.total())
"""

        assert told(process(CLOSED + script, f"{folder}/j")) == "0 5 0"
        assert names_in(Journal(f"{folder}/j")) == ["0", "1", "2", "3", "late"]


def test_what_waits_is_written_at_the_end_of_the_process() -> None:
    """A process that ends tries once more, without a word from the application."""
    with tempfile.TemporaryDirectory() as folder:
        told(process(CLOSED + "os.chmod(folder, 0o755)", f"{folder}/j"))

        assert names_in(Journal(f"{folder}/j")) == ["0", "1", "2", "3"]


def test_a_child_does_not_write_what_waits_in_its_parent() -> None:
    """Of parent and child only the parent writes what it held."""
    with tempfile.TemporaryDirectory() as folder:
        script = """
if not os.fork():
    os.chmod(folder, 0o755)
    journal.write([outcome("child")])
    os._exit(0)
os.wait()
journal.write([outcome("parent")])
"""
        told(process(CLOSED + script, f"{folder}/j"))

        assert names_in(Journal(f"{folder}/j")) == ["child", "0", "1", "2", "3", "parent"]


def test_closing_counts_what_still_waits(small_disk: Path) -> None:
    """What cannot be written until the end is lost by its reason."""
    journal = Journal(small_disk / "j", ring=10)
    fill(small_disk)
    write(journal, *range(3))
    journal.close()

    assert journal.held == 0
    assert journal.lost == {"ENOSPC": 3}


def test_closing_writes_all_that_waits_though_the_disk_is_slow(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request goes on after one slow write of what waits; the end goes on until all is there."""
    monkeypatch.setattr(guards, "SLOW", 0)
    monkeypatch.setattr(guards, "is_held_by_disk", lambda *_: False)
    journal = Journal(small_disk / "j", ring=10_000)
    ballast = fill(small_disk)
    write(journal, *range(1500))
    ballast.unlink()
    write(journal, "one more")

    assert journal.held > 500
    journal.close()

    assert (journal.held, journal.written, journal.lost.total()) == (0, 1501, 0)
    assert sorted(names_in(journal)) == sorted([*map(str, range(1500)), "one more"])


def test_without_a_ring_each_record_is_counted_at_once(small_disk: Path) -> None:
    """By default nothing waits in memory, where a crash would lose it uncounted."""
    journal = Journal(small_disk / "j")
    fill(small_disk)
    write(journal, *range(3))

    assert journal.held == 0
    assert journal.lost == {"ENOSPC": 3}


def test_what_does_not_mend_itself_is_not_held(tmp_path: Path) -> None:
    """A path below a file is a mistake: its records are lost at once."""
    (tmp_path / "file").touch()
    journal = Journal(tmp_path / "file" / "var" / "j", ring=10)
    write(journal, *range(3))

    assert journal.held == 0
    assert journal.lost == {"ENOTDIR": 3}


def test_what_waits_is_given_up_where_the_path_is_a_mistake_by_now(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held records that meet an error of another kind are lost by that one, and counted once."""
    monkeypatch.setattr(file, "LOOK_EVERY", 0)
    folder = small_disk / "var"
    folder.mkdir()
    journal = Journal(folder / "j", ring=10)
    ballast = fill(small_disk)
    write(journal, *range(3))
    ballast.unlink()
    (folder / "j").unlink()
    (folder / "j").mkdir()
    write(journal, 3)

    assert journal.held == 0
    assert journal.lost == {"EISDIR": 4}


def test_the_ring_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large records leave room for fewer of them."""
    monkeypatch.setattr(rings, "MAX_BYTES", 100)
    ring = Ring(1000)
    gone = ring.add("ENOSPC", [b"x" * 30] * 5)

    assert gone == {"ENOSPC": 2}
    assert [line for _, line in ring.waiting] == [b"x" * 30] * 3
    taken = ring.take()
    assert ring.put_back(taken).total() == 0
    assert ring.empty() == {"ENOSPC": 3}
    assert ring.add("ENOSPC", [b"x" * 100]).total() == 0
