"""The journal under real faults: full disks, closed descriptors, forks and kills."""

from __future__ import annotations

import json
import logging
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from abmiddleware import Journal, JournalReader
from abmiddleware.exposures.journal import MAX_ID, MAX_RECORD
from abmiddleware.exposures.records import Record, encode
from tests.exposures.facts import exposure, link, outcome, process, told


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


@pytest.fixture
def umask_off() -> Iterator[None]:
    """Let files have the mode that they are opened with."""
    before = os.umask(0)
    yield
    os.umask(before)


def event_ids(path: Path) -> list[str]:
    return [row.event_id for row in JournalReader(path)]


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Run work in threads that begin at the same moment."""
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait()
        work(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# What is written, and where.


def test_a_batch_is_one_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All records of a request are one call of os.write, from line feed to line feed."""
    blocks: list[bytes] = []
    write = os.write

    def counted(descriptor: int, block: bytes) -> int:
        blocks.append(block)
        return write(descriptor, block)

    monkeypatch.setattr(os, "write", counted)
    journal = Journal(path)
    journal.write([exposure(), outcome(), link()])

    assert len(blocks) == 1
    assert blocks[0] == path.read_bytes()
    assert blocks[0].startswith(b'\n{"v":1,')
    assert blocks[0].endswith(b"}\n")
    assert blocks[0].count(b'\n{"v":1,') == 3
    assert journal.written == 3
    assert not journal.lost


def test_an_empty_batch_touches_no_disk(path: Path) -> None:
    """A request without records opens no file."""
    Journal(path).write([])

    assert not path.exists()


def test_a_new_journal_touches_no_disk(path: Path) -> None:
    """Making a journal opens no file: that is the first write's work, in its own process."""
    Journal(path)

    assert not path.exists()


@pytest.mark.usefixtures("umask_off")
def test_the_file_is_for_its_owner_and_group(path: Path) -> None:
    """The journal has mode 0640, since it holds ids."""
    Journal(path).write([outcome()])

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_missing_directories_are_made(tmp_path: Path) -> None:
    """The directories of the path are made by the first write."""
    path = tmp_path / "var" / "log" / "journal.jsonl"
    Journal(path).write([outcome()])

    assert len(event_ids(path)) == 1


def test_a_relative_path_is_fixed_when_the_journal_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that changes its directory after set-up writes where it was told to."""
    monkeypatch.chdir(tmp_path)
    journal = Journal("journal.jsonl")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    journal.write([outcome()])

    assert journal.path == tmp_path / "journal.jsonl"
    assert len(event_ids(tmp_path / "journal.jsonl")) == 1
    assert repr(journal) == f"Journal('{tmp_path}/journal.jsonl')"


def test_the_descriptor_is_not_inherited_by_programs(path: Path) -> None:
    """A program that the application starts does not hold the journal open."""
    journal = Journal(path)
    journal.write([outcome()])

    assert not any(os.get_inheritable(number) for number in open_on(path))


def open_on(path: Path) -> list[int]:
    """Return this process's descriptors of a file."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}") == str(path):
                found.append(int(name))
        except FileNotFoundError:  # that of the listing itself
            continue
    return found


# Disks that fail.


def test_a_full_disk_costs_only_what_it_has_no_room_for(small_disk: Path) -> None:
    """Each record is written or counted, and those after the disk has room again are whole."""
    ballast, journal = small_disk / "ballast", Journal(small_disk / "journal.jsonl")
    ballast.write_bytes(b"x" * 900_000)
    for number in range(1000):
        journal.write([outcome(event_id=f"before-{number}-{part}") for part in range(3)])
    lost_when_full = journal.lost.total()
    ballast.unlink()
    for number in range(100):
        journal.write([outcome(event_id=f"after-{number}")])

    assert journal.lost.keys() <= {"ENOSPC", "short write"}
    assert journal.lost["ENOSPC"] > 0
    assert journal.lost.total() == lost_when_full
    assert journal.written + journal.lost.total() == 3100
    written = event_ids(journal.path)
    assert len(written) == len(set(written)) == journal.written
    assert [one for one in written if one.startswith("after")] == [f"after-{n}" for n in range(100)]


def test_a_journal_opened_on_a_full_disk_begins_once_there_is_room(small_disk: Path) -> None:
    """A worker that starts while the disk is full writes as soon as it is not."""
    ballast, journal = small_disk / "ballast", Journal(small_disk / "journal.jsonl")
    with pytest.raises(OSError, match="No space left"):
        ballast.write_bytes(b"x" * 1_100_000)
    journal.write([outcome()])
    ballast.unlink()
    journal.write([outcome(event_id="later")])

    assert journal.lost == {"ENOSPC": 1}
    assert event_ids(journal.path) == ["later"]


@pytest.mark.parametrize(
    ("below", "reason"), [("file/journal.jsonl", "EEXIST"), ("file/var/journal.jsonl", "ENOTDIR")]
)
def test_a_path_under_a_file_is_counted(tmp_path: Path, below: str, reason: str) -> None:
    """A journal that cannot be opened loses records by the system's reason, and raises nothing."""
    (tmp_path / "file").write_text("")
    journal = Journal(tmp_path / below)
    journal.write([outcome(), outcome()])

    assert journal.lost == {reason: 2}
    assert journal.written == 0


def test_a_directory_in_the_journals_place_is_counted(path: Path) -> None:
    """A directory that has the journal's name is a reason like any other."""
    path.mkdir()
    journal = Journal(path)
    journal.write([outcome()])

    assert journal.lost == {"EISDIR": 1}


def test_a_path_that_no_system_knows_is_counted() -> None:
    """A path with a NUL in it raises nothing either."""
    journal = Journal("/tmp/a\0b")  # noqa: S108  # never made
    journal.write([outcome()])

    assert journal.lost == {"path invalid": 1}


def test_a_read_only_directory_is_counted_until_it_is_not(small_disk: Path) -> None:
    """A disk that turned read-only costs its records; those after it was mended are written."""
    journal = Journal(small_disk / "journal.jsonl")
    remount = ["mount", "-o", "remount,{}", str(small_disk)]
    subprocess.run([part.format("ro") for part in remount], check=True)  # noqa: S603
    journal.write([outcome()])
    subprocess.run([part.format("rw") for part in remount], check=True)  # noqa: S603
    journal.write([outcome(event_id="later")])

    assert journal.lost == {"EROFS": 1}
    assert event_ids(journal.path) == ["later"]


def test_a_directory_of_others_is_counted() -> None:
    """A worker without the right to write counts its records as EACCES."""
    with tempfile.TemporaryDirectory() as closed:  # tmp_path is below what only root may enter
        Path(closed).chmod(0o555)
        script = """
if os.geteuid() == 0:
    os.setgid(65534), os.setuid(65534)
journal.write([outcome("a"), outcome("b")])
print(dict(journal.lost), journal.written)
"""

        assert told(process(script, f"{closed}/journal.jsonl")) == "{'EACCES': 2} 0"


def test_a_limit_on_the_size_of_files_is_counted(path: Path) -> None:
    """A file that may not grow costs records, not the process (SIGXFSZ)."""
    script = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
for number in range(100):
    journal.write([outcome(f"{number}-{part}") for part in range(3)])
full = dict(journal.lost)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
journal.write([outcome("later")])
print(*sorted(full), journal.written, journal.lost.total())
"""
    *reasons, written, lost = told(process(script, path)).split()

    assert set(reasons) <= {"EFBIG", "short"} | {"write"}
    assert "EFBIG" in reasons
    assert int(written) + int(lost) == 301
    assert len(event_ids(path)) == int(written)
    assert event_ids(path)[-1] == "later"


#: What closes descriptors does so in a process of its own: in this one a thread of another test's
#: might get the number.
_DAEMON = """
import threading
def numbers():
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}") == sys.argv[1]:
                found.append(int(name))
        except FileNotFoundError:  # that of the listing itself
            continue
    return found
def daemonise():
    for number in numbers():
        os.close(number)
"""


def test_a_closed_descriptor_is_opened_anew(path: Path) -> None:
    """A server that closes all descriptors (daemonising) loses nothing."""
    script = """
journal.write([outcome("before")])
daemonise()
journal.write([outcome("after")])
print(journal.written, journal.lost.total(), len(numbers()))
"""

    assert told(process(_DAEMON + script, path)) == "2 0 1"
    assert event_ids(path) == ["before", "after"]


def test_a_number_that_another_journal_got_is_left_to_it(path: Path) -> None:
    """After descriptors were closed, two journals of one path never close each other's."""
    script = """
second = Journal(sys.argv[1])
journal.write([outcome("1")])
daemonise()
second.write([outcome("2")])
journal.close()
print(len(numbers()))
second.write([outcome("3")])
"""

    assert told(process(_DAEMON + script, path)) == "1"
    assert event_ids(path) == ["1", "2", "3"]


def test_descriptors_closed_under_many_threads_lose_nothing(path: Path) -> None:
    """Threads that all meet a closed descriptor write all the same and leave no pile of them."""
    script = """
for turn in range(20):
    journal.write([outcome("first")])
    daemonise()
    barrier = threading.Barrier(8)
    def work():
        barrier.wait()
        journal.write([outcome("other")])
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while journal.queued:  # a busy machine looks like a slow disk, for which a thread writes
        time.sleep(0.01)
print(len(numbers()))
"""

    assert int(told(process(_DAEMON + script, path))) <= 8
    assert len(event_ids(path)) == 20 * 9


# Many at once.


def test_processes_share_a_journal_without_tearing(path: Path) -> None:
    """Eight processes write lines of 256 B to 60 KiB; each line is there, whole."""
    script = """
import random
for number in range(150):
    batch = [outcome(f"{sys.argv[2]}-{number}-{part}", random.randint(0, 60_000))
             for part in (1, 2)]
    journal.write(batch)
journal.close()  # so much at once makes disks slow, and then a thread writes
print(journal.written, journal.lost.total())
"""
    running = [process(script, path, number) for number in range(8)]

    assert [told(one) for one in running] == ["300 0"] * 8
    reader = JournalReader(path)
    assert Counter(row.event_id for row in reader) == {
        f"{worker}-{number}-{part}": 1
        for worker in range(8)
        for number in range(150)
        for part in (1, 2)
    }
    assert reader.skipped == 0


def test_threads_that_begin_together_share_one_descriptor(tmp_path: Path) -> None:
    """Of the descriptors that sixteen threads open at first use, one stays."""
    for turn in range(20):
        path = tmp_path / f"{turn}.jsonl"
        journal = Journal(path)
        in_threads(16, lambda number, to=journal: to.write([outcome(event_id=f"{number}")]))  # type: ignore[misc]

        assert len(open_on(path)) == 1
        assert sorted(map(int, event_ids(path))) == list(range(16))


def test_counts_are_exact_whatever_the_threads_do(path: Path) -> None:
    """No thread's count is lost in that of another."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    journal, broken = Journal(path), Journal(path / "var" / "below")
    journal.write([outcome()])

    def work(_: int) -> None:
        for _ in range(200):
            journal.write([link(), link()])
            broken.write([link()])

    try:
        in_threads(8, work)
    finally:
        sys.setswitchinterval(before)
    journal.close()  # on a busy machine a thread may have written for the others
    broken.close()

    assert journal.written == 8 * 400 + 1
    assert broken.lost == {"ENOTDIR": 8 * 200}


def test_a_fork_writes_its_own_records_once(path: Path) -> None:
    """Of parent and child, each writes what is its own: 200 of 200, none twice."""
    script = """
journal.write([outcome(f"parent-{number}") for number in range(50)])
children = []
for child in range(4):
    pid = os.fork()
    if not pid:
        for number in range(25):
            journal.write([outcome(f"child-{child}-{number}")])
        os._exit(0)
    children.append(pid)
for number in range(50, 100):
    journal.write([outcome(f"parent-{number}")])
for pid in children:
    os.waitpid(pid, 0)
print(journal.written)
"""

    assert told(process(script, path)) == "100"
    ids = event_ids(path)
    assert len(ids) == len(set(ids)) == 200


def test_a_child_opens_a_descriptor_of_its_own(path: Path) -> None:
    """A child neither leans on its parent's descriptor nor keeps it: the file may be deleted."""
    script = """
journal.write([outcome("parent")])
before = len(os.listdir("/proc/self/fd"))
(number,) = [int(name) for name in os.listdir("/proc/self/fd")
             if os.path.realpath(f"/proc/self/fd/{name}") == sys.argv[1]]
where = os.lseek(number, 0, os.SEEK_CUR)
if not os.fork():
    journal.write([outcome("child")])
    print(len(os.listdir("/proc/self/fd")) - before, flush=True)
    os._exit(0)
os.wait()
print(os.lseek(number, 0, os.SEEK_CUR) - where)
"""

    assert told(process(script, path)).split() == ["0", "0"]


def test_killed_writers_tear_no_record_of_a_survivor(path: Path) -> None:
    """Ten writers at full speed die by `kill -9`; whatever the others wrote is readable."""
    flat_out = """
print("ready", flush=True)
number = 0
while True:
    journal.write([outcome(f"victim-{os.getpid()}-{number}-{part}", 4000) for part in range(8)])
    number += 1
"""
    steady = """
print("ready", flush=True)
number = 0
while not os.path.exists(sys.argv[2]):
    journal.write([outcome(f"survivor-{number}")])
    number += 1
    time.sleep(0.0002)
journal.close()
print(journal.written, journal.lost.total(), flush=True)
"""
    ending = path.with_name("end")
    survivor = process(steady, path, ending)
    read_line(survivor)
    for _ in range(10):
        victim = process(flat_out, path)
        read_line(victim)
        time.sleep(random.uniform(0.02, 0.06))  # noqa: S311  # any moment will do
        victim.send_signal(signal.SIGKILL)
        victim.communicate(timeout=10)
    ending.touch()
    written, lost = told(survivor).split()

    reader = JournalReader(path)
    ids = [row.event_id for row in reader]
    assert [one for one in ids if one.startswith("survivor")] == [
        f"survivor-{number}" for number in range(int(written))
    ]
    assert lost == "0"
    assert reader.skipped <= 10
    assert len({one.split("-")[1] for one in ids if one.startswith("victim")}) == 10


def read_line(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    return running.stdout.readline()


def test_a_record_after_a_torn_one_is_whole(path: Path) -> None:
    """The line feed in front of each write ends what a crash left without one."""
    path.write_bytes(b"\n" + encode(outcome())[:100])
    Journal(path).write([outcome(event_id="whole")])

    reader = JournalReader(path)
    assert [row.event_id for row in reader] == ["whole"]
    assert reader.skipped == 1


# Records that are refused.


class Unruly:
    """An object of an application that breaks when it is shown."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Poisoned(dict[str, str]):
    """A mapping whose reading breaks."""

    def values(self) -> Any:
        raise RuntimeError("no values")


REFUSED: list[tuple[str, Record]] = [
    ("record too large", outcome(properties={"fill": "x" * MAX_RECORD})),
    ("id too long", exposure(unit_id="x" * (MAX_ID + 1))),
    ("id too long", exposure(alt_ids={"user_id": "x" * (MAX_ID + 1)})),
    ("id too long", outcome(unit_ids={"id": "a", "company": "x" * (MAX_ID + 1)})),
    ("id too long", link(id_a="x" * (MAX_ID + 1))),
    ("id too long", link(id_b="x" * (MAX_ID + 1))),
    ("not encodable", exposure(unit_id=None)),
    ("not encodable", outcome(unit_ids=Poisoned())),
    ("not encodable", outcome(ts_us=10**40)),
]


@pytest.mark.parametrize(("reason", "record"), REFUSED)
def test_a_refused_record_leaves_the_others_of_its_batch(
    path: Path, reason: str, record: Record
) -> None:
    """What cannot be written is counted by its reason; the rest of the request is written."""
    journal = Journal(path)
    journal.write([outcome(event_id="first"), record, outcome(event_id="last")])

    assert event_ids(path) == ["first", "last"]
    assert journal.lost == {reason: 1}
    assert journal.written == 2


def test_the_largest_ids_and_records_are_written(path: Path) -> None:
    """The limits themselves are allowed."""
    fill = MAX_RECORD - len(encode(outcome(properties={"fill": ""})))
    journal = Journal(path)
    journal.write([exposure(unit_id="x" * MAX_ID), outcome(properties={"fill": "x" * fill})])

    assert journal.written == 2
    assert max(map(len, path.read_bytes().splitlines())) == MAX_RECORD


def test_properties_without_a_text_do_not_lose_the_outcome(path: Path) -> None:
    """An object whose text cannot be had is written as the name of its type."""
    journal = Journal(path)
    journal.write([outcome(properties={"basket": Unruly(), "size": 3})])

    line = json.loads(path.read_bytes())
    assert line["properties"] == {"basket": "<Unruly>", "size": 3}
    assert not journal.lost


# What the log says.


def test_each_reason_is_logged_once_a_minute(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand losses of one reason are one line, which says how many and why."""
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    (tmp_path / "file").write_text("")
    journal = Journal(tmp_path / "file" / "var" / "journal.jsonl")
    with caplog.at_level(logging.WARNING, logger="abmiddleware"):
        for _ in range(1000):
            journal.write([outcome(), exposure(unit_id="x" * 300)])
        said_at_first = [record.getMessage() for record in caplog.records]
        caplog.clear()
        monkeypatch.setattr(time, "monotonic", lambda: now + 61)
        journal.write([outcome()])
        said_later = [record.getMessage() for record in caplog.records]

    assert len(said_at_first) == 2
    assert "id too long" in said_at_first[0]
    assert "ENOTDIR" in said_at_first[1]
    assert "1 records" in said_at_first[1]
    assert len(said_later) == 1
    assert "1001 lost in all" in said_later[0]
    assert "999 times since" in said_later[0]


def test_the_journal_holds_no_memory_of_what_it_wrote(path: Path) -> None:
    """Writing many records does not grow the process."""
    journal = Journal(path)
    batch = [outcome()]
    for _ in range(2_000):
        journal.write(batch)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(20_000):
        journal.write(batch)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before <= 1024
