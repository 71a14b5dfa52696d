"""The journal's file is moved, deleted and rotated while it is written."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
import socket
import time
from collections import Counter
from contextlib import suppress
from datetime import datetime, tzinfo
from pathlib import Path

import pytest

from abmiddleware import ConfigurationError, Engine, Journal, JournalReader
from abmiddleware.exposures import file as files
from abmiddleware.exposures import rotation
from tests.exposures.facts import outcome, process, told


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "j"


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the path before every write rather than once a second."""
    monkeypatch.setattr(files, "LOOK_EVERY", 0)


def write(journal: Journal, *names: object) -> None:
    for name in names:
        journal.write([outcome(event_id=str(name), ts_us=time.time_ns() // 1000)])


def names_in(path: Path) -> list[str]:
    return [row.event_id for row in JournalReader(path)]


def rotated(path: Path) -> list[Path]:
    """Return the files that were moved aside, the oldest first."""
    return sorted(path.parent.glob(f"{path.name}.2*"))


def open_files(path: Path) -> list[str]:
    """Return what this process holds open of a journal's directory, files without a name too."""
    found: list[str] = []
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # threads of other tests close theirs
            found.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    return [one for one in found if one.startswith(f"{path.parent}/")]


# By others.


@pytest.mark.usefixtures("watchful")
def test_a_renamed_file_is_left_for_a_new_one(path: Path) -> None:
    """After a rename from outside, as logrotate does it, records go where the path leads."""
    journal = Journal(path)
    write(journal, 1)
    path.rename(path.with_name("j.1"))
    write(journal, 2)
    path.rename(path.with_name("j-20261123"))
    path.touch()  # logrotate's `create`
    write(journal, 3)

    assert names_in(path.with_name("j.1")) == ["1"]
    assert names_in(path.with_name("j-20261123")) == ["2"]
    assert names_in(path) == ["3"]
    assert journal.written == 3


def test_the_path_is_not_looked_at_by_every_write(path: Path) -> None:
    """Until the next look, a second later at most, records go on into the moved file."""
    begun = time.monotonic()
    journal = Journal(path)
    write(journal, 1)
    path.rename(path.with_name("j.1"))
    count = 0
    while not path.exists():
        count += 1
        write(journal, f"more-{count}")

    assert count > 10
    assert 1 <= time.monotonic() - begun < 30
    assert len(names_in(path.with_name("j.1"))) == count
    assert names_in(path) == [f"more-{count}"]


@pytest.mark.usefixtures("watchful")
def test_many_rotations_leave_no_descriptor_open(path: Path) -> None:
    """A file that was left is closed, so that its room on the disk is free once it is deleted."""
    journal = Journal(path)
    write(journal, "first")
    for turn in range(50):
        path.rename(path.with_name("j.1"))
        write(journal, turn)

    assert open_files(path) == [str(path)]


@pytest.mark.usefixtures("watchful")
def test_a_deleted_file_is_made_anew(path: Path) -> None:
    """Records do not vanish into a file that has no name any more."""
    journal = Journal(path)
    write(journal, 1)
    path.unlink()
    write(journal, 2)

    assert names_in(path) == ["2"]


@pytest.mark.usefixtures("watchful")
def test_a_deleted_directory_is_made_anew(path: Path) -> None:
    """Nor do they with a directory."""
    journal = Journal(path)
    write(journal, 1)
    shutil.rmtree(path.parent)
    write(journal, 2)

    assert names_in(path) == ["2"]
    assert not journal.lost


@pytest.mark.usefixtures("watchful")
def test_a_deleted_directory_that_cannot_be_made_anew_is_counted(path: Path) -> None:
    """What has no place any more is lost by number and reason, until it has one."""
    journal = Journal(path)
    write(journal, 1)
    shutil.rmtree(path.parent)
    path.parent.write_text("a file")
    write(journal, 2, 3)

    assert journal.lost == {"EEXIST": 2}
    assert journal.written == 1

    path.parent.unlink()
    write(journal, 4)

    assert names_in(path) == ["4"]


@pytest.mark.usefixtures("watchful")
def test_a_moved_file_grows_on_while_there_can_be_no_new_one(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a file was moved and none can be made in its place, nothing is lost."""
    journal = Journal(path)
    write(journal, 1)
    path.rename(path.with_name("j.1"))
    path.mkdir()
    with caplog.at_level(logging.WARNING, logger="abmiddleware"):
        write(journal, 2)
    path.rmdir()
    write(journal, 3)

    assert names_in(path.with_name("j.1")) == ["1", "2"]
    assert names_in(path) == ["3"]
    assert "so the moved one grows on" in caplog.messages[0]
    assert not journal.lost


@pytest.mark.usefixtures("watchful")
def test_a_number_that_became_a_sockets_is_let_alone(path: Path) -> None:
    """After a server closed all descriptors, the journal writes into nobody's connection."""
    journal = Journal(path)
    write(journal, 1)
    (number,) = [
        int(name)
        for name in os.listdir("/proc/self/fd")
        if os.path.realpath(f"/proc/self/fd/{name}") == str(path)
    ]
    ours, theirs = socket.socketpair()
    with ours, theirs:
        os.dup2(ours.fileno(), number)
        connection = socket.socket(fileno=number)
        with connection:
            write(journal, 2)
            theirs.setblocking(False)
            with pytest.raises(BlockingIOError):
                theirs.recv(1)
            connection.sendall(b"still open")

            assert theirs.recv(100) == b"still open"
    assert names_in(path) == ["1", "2"]


def test_a_pipe_in_the_files_place_does_not_block(path: Path) -> None:
    """A pipe that nobody reads costs records, not the request."""
    journal = Journal(path)
    path.parent.mkdir()
    os.mkfifo(path)
    write(journal, 1)

    assert journal.lost == {"ENXIO": 1}


# By itself.


@pytest.mark.usefixtures("watchful")
def test_a_large_file_is_moved_aside(path: Path) -> None:
    """From `max_bytes` on the file gets a name with the instant, in UTC, and a new one begins."""
    journal = Journal(path, max_bytes=10_000)
    begun = time.gmtime()
    write(journal, *range(100))
    moved = rotated(path)

    assert len(moved) > 1
    assert all(10_000 <= one.stat().st_size < 12_000 for one in moved)
    assert path.stat().st_size < 12_000
    assert [name for one in [*moved, path] for name in names_in(one)] == [*map(str, range(100))]
    assert all(re.fullmatch(r"j\.\d{8}T\d{12}Z", one.name) for one in moved)
    assert moved[0].name[2:17] >= time.strftime("%Y%m%dT%H%M%S", begun)
    assert {one.name for one in path.parent.iterdir()} == {
        "j",
        "j.lock",
        *(one.name for one in moved),
    }


@pytest.mark.usefixtures("watchful")
def test_a_file_is_moved_aside_at_an_age(path: Path) -> None:
    """The age is that of the first record, also where another process wrote it long ago."""
    old = time.time_ns() // 1000 - 3600 * 10**6
    Journal(path).write([outcome(event_id="old", ts_us=old)])
    patient, journal = Journal(path, max_age=3700), Journal(path, max_age=3500)
    write(patient, 1, 2)
    assert not rotated(path)

    write(journal, 3)  # opens
    write(journal, 4)
    (moved,) = rotated(path)

    assert names_in(moved) == ["old", "1", "2", "3"]
    assert names_in(path) == ["4"]


@pytest.mark.usefixtures("watchful")
def test_a_file_whose_beginning_is_torn_is_as_old_as_the_process_knows(path: Path) -> None:
    """Without a first record, the age counts from when the file was first seen."""
    path.parent.mkdir()
    path.write_bytes(b"\0" * 5000)
    journal = Journal(path, max_age=0.2)
    write(journal, 1, 2)
    assert not rotated(path)

    deadline = time.monotonic() + 30
    while not rotated(path) and time.monotonic() < deadline:
        write(journal, "more")

    assert rotated(path)


@pytest.mark.usefixtures("watchful")
def test_an_empty_file_is_not_moved_aside(path: Path) -> None:
    """However old, a file without records stays."""
    path.parent.mkdir()
    path.touch()
    journal = Journal(path, max_age=0.000001)
    write(journal, 1)

    assert not rotated(path)


@pytest.mark.usefixtures("watchful")
def test_who_does_not_get_the_lock_goes_on_writing(path: Path) -> None:
    """While another process rotates, nobody waits and nothing is lost."""
    journal = Journal(path, max_bytes=1)
    path.parent.mkdir()
    with path.with_name("j.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        write(journal, 1, 2, 3)
        assert not rotated(path)
    write(journal, 4)

    (moved,) = rotated(path)
    assert names_in(moved) == ["1", "2", "3"]
    assert names_in(path) == ["4"]


@pytest.mark.usefixtures("watchful")
def test_a_link_is_not_moved(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A path such as /dev/stdout, which leads to a file elsewhere, stays as it is."""
    path.parent.mkdir()
    path.with_name("real").touch()
    path.symlink_to(path.with_name("real"))
    journal = Journal(path, max_bytes=1)
    with caplog.at_level(logging.WARNING, logger="abmiddleware"):
        write(journal, 1, 2, 3)

    assert path.is_symlink()
    assert names_in(path) == ["1", "2", "3"]
    assert "it is a symbolic link; name the file itself" in caplog.messages[0]


@pytest.mark.usefixtures("watchful")
def test_a_file_that_cannot_be_moved_grows_on(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A rotation that fails costs a line in the log and no record."""
    journal = Journal(path, max_bytes=1)
    path.with_name("j.lock").mkdir(parents=True)
    with caplog.at_level(logging.WARNING, logger="abmiddleware"):
        write(journal, 1, 2, 3)

    assert names_in(path) == ["1", "2", "3"]
    assert len(caplog.messages) == 1
    assert "cannot be rotated and grows on" in caplog.messages[0]


class Stopped(datetime):
    """A clock that stands."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Stopped:
        return cls(2026, 11, 23, 4, 5, 1, 123, tz)


@pytest.mark.usefixtures("watchful")
def test_no_file_is_moved_onto_another(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rotations of one microsecond have names of their own."""
    monkeypatch.setattr(rotation, "datetime", Stopped)
    journal = Journal(path, max_bytes=1)
    write(journal, *range(4))

    assert {one.name: names_in(one) for one in rotated(path)} == {
        "j.20261123T040501000123Z": ["0"],
        "j.20261123T040501000124Z": ["1"],
        "j.20261123T040501000125Z": ["2"],
    }


#: A worker that writes at full speed while all of them rotate.
WORKER = """
from abmiddleware.exposures import file, guard
file.LOOK_EVERY = 0.002
guard.SLOW = 3600
journal = Journal(sys.argv[1], max_bytes=40_000)
for number in range(1500):
    journal.write([outcome(f"{sys.argv[2]}-{number}")])
print(journal.written, journal.lost.total())
"""


def test_many_processes_rotate_one_journal_and_lose_nothing(path: Path) -> None:
    """Of six workers one at a time moves the file; each record is in one of the files, once."""
    running = [process(WORKER, path, number) for number in range(6)]
    assert [told(one) for one in running] == ["1500 0"] * 6

    moved = rotated(path)
    assert len(moved) > 3
    assert all(one.stat().st_size >= 40_000 for one in moved)  # none was moved twice
    readers = [JournalReader(one) for one in [*moved, path]]
    assert Counter(row.event_id for reader in readers for row in reader) == {
        f"{worker}-{number}": 1 for worker in range(6) for number in range(1500)
    }
    assert not any(reader.skipped for reader in readers)


def test_renames_from_outside_under_many_processes_lose_nothing(path: Path) -> None:
    """Whatever renames the file while six workers write, each record is in one of the files."""
    script = WORKER.replace(", max_bytes=40_000", "")
    running = [process(script, path, number) for number in range(6)]
    turn = 0
    while any(one.poll() is None for one in running):
        if path.exists():
            path.rename(path.with_name(f"j.{turn}"))
            turn += 1
        time.sleep(0.005)
    assert [told(one) for one in running] == ["1500 0"] * 6

    assert turn > 3
    parts = [one for one in path.parent.iterdir() if one.name != "j.lock"]
    assert Counter(name for one in parts for name in names_in(one)) == {
        f"{worker}-{number}": 1 for worker in range(6) for number in range(1500)
    }


@pytest.mark.usefixtures("watchful")
def test_files_that_were_left_are_synced_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `fsync`, a rotation leaves no file unsynced."""
    synced: set[int] = set()
    fsync = os.fsync

    def seen(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", seen)
    journal = Journal(path, max_bytes=1, fsync=3600)
    write(journal, *range(5))
    journal.close()

    inodes = {one.stat().st_ino for one in [*rotated(path), path]}
    assert len(inodes) == 5
    assert synced == {*inodes, path.parent.stat().st_ino}


# Options.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ring": -1}, "journal.ring: is -1, must be a whole number from 0 on"),
        ({"ring": True}, "journal.ring: is True, must be a whole number from 0 on"),
        ({"max_bytes": 0}, "journal.max_bytes: is 0, must be a whole number from 1 on"),
        ({"max_bytes": 1.5}, "journal.max_bytes: is 1.5, must be a whole number from 1 on"),
        ({"max_age": 0}, "journal.max_age: is 0, must be a number of seconds above 0"),
        ({"max_age": "1d"}, "journal.max_age: is '1d', must be a number of seconds above 0"),
        ({"fsync": float("inf")}, "journal.fsync: is inf, must be a number of seconds above 0"),
        ({"fsync": True}, "journal.fsync: is True, must be a number of seconds above 0"),
        ({"fsync": float("nan")}, "journal.fsync: is nan, must be a number of seconds above 0"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_wrong_option_names_the_mend(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    """Mistakes raise when the journal is made."""
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        Journal(tmp_path / "j", **options)  # type: ignore[arg-type]


def test_an_engine_takes_a_journal_with_options(path: Path) -> None:
    """`Engine(journal=Journal(...))` writes there; a wrong path is refused as one in text is."""
    journal = Journal(path, max_bytes=10**9)
    engine = Engine(journal=journal)
    engine.client(id="a").track("seen")

    assert engine.sink is journal
    assert journal.written == 1
    with pytest.raises(ConfigurationError, match=r"journal: is .*, must be a file, and there is a"):
        Engine(journal=Journal(path.parent))


def test_closing_an_engine_closes_its_journal(path: Path) -> None:
    """The engine's end is the journal's; what comes later is written all the same."""
    engine = Engine(journal=path)
    client = engine.client(id="a")
    client.track("early")
    assert open_files(path) == [str(path)]
    engine.close()
    assert open_files(path) == []
    client.track("late")

    assert len(names_in(path)) == 2
