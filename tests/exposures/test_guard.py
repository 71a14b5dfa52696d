"""Disks that become slow: a thread writes then, and requests go on."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from abmiddleware import Journal, JournalReader
from abmiddleware.exposures import guard as guards
from abmiddleware.exposures.guard import Guard, is_held_by_disk
from tests.exposures.facts import outcome, process, told
from tests.threads import Threads


class Disk:
    """The system's `write` and `fsync`, on a disk that can be stopped."""

    def __init__(self) -> None:
        self.runs = threading.Event()
        self.runs.set()
        #: Writes that wait for it.
        self.waiting = 0
        #: The threads that wrote, and that synced.
        self.writers: list[int] = []
        self.syncers: list[int] = []
        self._write, self._fsync = os.write, os.fsync

    def write(self, descriptor: int, block: bytes) -> int:
        if not block.startswith(b'\n{"v":1,'):  # of another part of this process
            return self._write(descriptor, block)
        self.waiting += 1
        assert self.runs.wait(60)
        self.waiting -= 1
        self.writers.append(threading.get_ident())
        return self._write(descriptor, block)

    def fsync(self, descriptor: int) -> None:
        self.syncers.append(threading.get_ident())
        self._fsync(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """Return a disk that is held responsible for every wait, however busy this machine is."""
    made = Disk()
    monkeypatch.setattr(os, "write", made.write)
    monkeypatch.setattr(os, "fsync", made.fsync)
    monkeypatch.setattr(guards, "SLOW", 0.05)
    monkeypatch.setattr(guards, "_DOUBT", 0)
    yield made
    made.runs.set()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.jsonl")
    yield made
    made.close()


def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def write(journal: Journal, *names: object) -> None:
    """Write an outcome for each name, each like a request of its own."""
    for name in names:
        journal.write([outcome(event_id=str(name))])


def slow_down(journal: Journal, disk: Disk) -> None:
    """Let one request, in a thread of its own, wait for the disk: its record is `slow`."""
    disk.runs.clear()
    request = threading.Thread(target=write, args=(journal, "slow"))
    request.start()
    until(lambda: disk.waiting)
    time.sleep(2 * guards.SLOW)
    disk.runs.set()
    request.join()


def names_in(journal: Journal) -> list[str]:
    return [row.event_id for row in JournalReader(journal.path)]


# By default there is nothing but the write.


def test_a_quick_disk_needs_no_thread_and_nothing_at_exit(journal: Journal) -> None:
    """A journal on a disk that works starts no thread and registers nothing."""
    threads, exits = Threads(), atexit._ncallbacks()
    write(journal, *range(100))

    assert not threads.started
    assert atexit._ncallbacks() == exits
    assert journal.queued == 0


# The disk becomes slow.


def test_after_a_slow_write_no_request_waits(
    journal: Journal, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    """One request meets the slow disk; those after it hand over and go on, and nothing is lost."""
    threads = Threads()
    with caplog.at_level(logging.WARNING, logger="abmiddleware"):
        slow_down(journal, disk)
    disk.runs.clear()
    write(journal, *range(100))  # would wait for ever

    assert journal.queued == 100
    assert len(threads.started) == 1
    assert journal.written == 1
    assert "a thread writes until the disk is quick" in caplog.messages[0]

    disk.runs.set()
    until(lambda: not journal.queued)

    assert names_in(journal) == ["slow", *map(str, range(100))]
    assert journal.written == 101
    assert not journal.lost


def test_what_waits_is_written_together(journal: Journal, disk: Disk) -> None:
    """The thread, which has to wait for its turn after each write, needs few of them."""
    slow_down(journal, disk)
    disk.runs.clear()
    write(journal, *range(500))
    disk.writers.clear()
    disk.runs.set()
    until(lambda: not journal.queued)

    assert len(disk.writers) <= 2  # one that waited for the disk, and one for all others


def test_requests_write_again_once_the_disk_is_quick(
    journal: Journal, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a minute of quick writes the thread is idle and requests write, all in order."""
    slow_down(journal, disk)
    write(journal, "1")
    until(lambda: not journal.queued)
    write(journal, "2")
    until(lambda: not journal.queued)
    here = threading.get_ident()
    assert here not in disk.writers

    monkeypatch.setattr(guards, "CALM_FOR", 0)
    write(journal, "3")
    until(lambda: not journal.queued)
    write(journal, "4")

    assert disk.writers[-1] == here
    assert names_in(journal) == ["slow", "1", "2", "3", "4"]


def test_a_disk_that_is_slow_again_has_the_same_thread(
    journal: Journal, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second slow time starts no second thread."""
    threads = Threads()
    monkeypatch.setattr(guards, "CALM_FOR", 0)
    slow_down(journal, disk)
    write(journal, "between")
    until(lambda: not journal.queued)
    slow_down(journal, disk)
    write(journal, "after")
    until(lambda: not journal.queued)

    assert len(threads.started) == 1
    assert names_in(journal) == ["slow", "between", "slow", "after"]


def test_a_full_queue_drops_the_newest_and_counts_them(
    journal: Journal, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the queue has no room for while the disk stands is lost, by number and reason."""
    monkeypatch.setattr(guards, "MAX_RECORDS", 10)
    monkeypatch.setattr(guards, "STUCK", 0)
    slow_down(journal, disk)
    disk.runs.clear()
    write(journal, 0)
    until(lambda: disk.waiting)
    write(journal, *range(1, 30))

    assert journal.lost == {"queue full": 20}
    assert journal.queued == 10

    disk.runs.set()
    until(lambda: not journal.queued)

    assert names_in(journal) == ["slow", *map(str, range(10))]
    assert journal.written == 11


def test_the_queue_is_bounded_in_bytes_too(
    journal: Journal, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large records fill the queue as well."""
    monkeypatch.setattr(guards, "MAX_BYTES", 100_000)
    monkeypatch.setattr(guards, "STUCK", 0)
    slow_down(journal, disk)
    disk.runs.clear()
    write(journal, "first")
    until(lambda: disk.waiting)
    for _ in range(20):
        journal.write([outcome(properties={"fill": "x" * 30_000})])

    assert journal.lost == {"queue full": 17}
    assert journal.queued == 4


def test_a_thread_that_gets_no_turn_is_helped() -> None:
    """Where not the disk is slow but the thread does not run, a full queue loses nothing."""
    appended: list[bytes] = []
    idle = Guard(lambda lines, _: appended.extend(lines), lose_none, lambda: None, None)
    lines = [b"%d" % number for number in range(2 * guards.MAX_RECORDS + 1)]
    for line in lines:
        assert idle.put([line])

    assert appended == lines[: len(appended)]
    assert len(appended) + idle.records == len(lines)
    assert idle.records <= guards.MAX_RECORDS


def test_records_too_many_for_any_queue_are_written_at_once() -> None:
    """What exceeds the queue by itself is lost only while the disk stands."""
    appended: list[bytes] = []
    idle = Guard(lambda lines, _: appended.extend(lines), lose_none, lambda: None, None)

    assert idle.put([b"x"] * (guards.MAX_RECORDS + 1))
    assert len(appended) == guards.MAX_RECORDS + 1
    assert idle.records == 0


def lose_none(reason: str, count: int = 1, error: Exception | None = None, /) -> None:
    raise AssertionError(f"{count} lost: {reason}") from error


def test_a_busy_machine_is_no_slow_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that took long is not the disk's fault while threads are late all the same."""
    assert not is_held_by_disk(0.049, 0.05)
    assert is_held_by_disk(10, 0.05)

    monkeypatch.setattr(guards, "sleep", lambda _: time.sleep(0.05))
    assert not is_held_by_disk(0.2, 0.05)
    assert is_held_by_disk(10, 0.05)


def test_without_a_thread_requests_write_themselves(
    journal: Journal,
    disk: Disk,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A process that may start no thread more goes on as before, and the log says so."""
    started = threading.Thread.start

    def refused(thread: threading.Thread) -> None:
        if thread.name == "abmiddleware-journal":
            raise RuntimeError("can't start new thread")
        started(thread)

    monkeypatch.setattr(threading.Thread, "start", refused)
    with caplog.at_level(logging.WARNING, logger="abmiddleware"):
        slow_down(journal, disk)
    write(journal, "after")

    assert disk.writers[-1] == threading.get_ident()
    assert names_in(journal) == ["slow", "after"]
    assert "no thread can be started" in caplog.messages[0]


# The process forks or ends.


def test_closing_writes_what_waits(journal: Journal, disk: Disk) -> None:
    """After `close` all that was handed over is in the file; it may be called again."""
    threads = Threads()
    slow_down(journal, disk)
    write(journal, *range(1000))
    journal.close()
    journal.close()

    assert names_in(journal) == ["slow", *map(str, range(1000))]
    assert journal.queued == 0
    until(lambda: not threads.started)

    write(journal, "later")

    assert disk.writers[-1] == threading.get_ident()
    assert names_in(journal)[-1] == "later"


def test_closing_does_not_wait_for_a_disk_that_stands(journal: Journal, disk: Disk) -> None:
    """`close` returns in time; what still waits is lost and counted, each record once."""
    slow_down(journal, disk)
    disk.runs.clear()
    write(journal, "in the thread's hand")
    until(lambda: disk.waiting)
    write(journal, *range(50))
    journal.close(timeout=0.05)

    assert journal.lost == {"disk too slow at exit": 50}
    assert journal.queued == 1

    disk.runs.set()
    until(lambda: not journal.queued)

    assert names_in(journal) == ["slow", "in the thread's hand"]
    assert journal.written == 2


def test_records_that_come_while_it_closes_are_written(
    journal: Journal, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests that go on while the journal closes lose nothing."""
    monkeypatch.setattr(guards, "STUCK", 3600)  # a busy machine may not run the thread for long
    slow_down(journal, disk)
    over = threading.Event()
    counts = [0] * 4

    def requests(number: int) -> None:
        while not over.is_set():
            write(journal, f"{number}-{counts[number]}")
            counts[number] += 1

    threads = [threading.Thread(target=requests, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: all(counts))
    journal.close()
    over.set()
    for thread in threads:
        thread.join()
    journal.close()

    assert sorted(names_in(journal)) == sorted(
        ["slow", *(f"{number}-{turn}" for number in range(4) for turn in range(counts[number]))]
    )
    assert not journal.lost


#: A disk that takes a while for each of the first writes.
SLOW_DISK = """
import threading
from abmiddleware.exposures import guard, writer
guard._DOUBT = 0
system, left = os.write, [0.1, 0.3]
def slowly(descriptor, block):
    if left:
        time.sleep(left.pop(0))
    return system(descriptor, block)
os.write = slowly
journal.write([outcome("slow")])
"""


def written_by(script: str, path: Path) -> list[str]:
    """Return what a process wrote that met a slow disk."""
    told(process(SLOW_DISK + script, path))
    return [row.event_id for row in JournalReader(path)]


def test_a_process_that_ends_writes_what_waits(tmp_path: Path) -> None:
    """The end of the process waits for the thread, without a word from the application."""
    script = """
for number in range(100):
    journal.write([outcome(str(number))])
assert journal.queued
"""

    assert written_by(script, tmp_path / "j") == ["slow", *map(str, range(100))]


def test_a_child_of_multiprocessing_writes_what_waits(tmp_path: Path) -> None:
    """A forked worker of multiprocessing, which ends without atexit, loses nothing either."""
    script = """
import multiprocessing
def work():
    left.extend([0.1, 0.3])
    for number in range(100):
        journal.write([outcome(str(number))])
    assert journal.queued
child = multiprocessing.get_context("fork").Process(target=work)
child.start()
child.join()
"""

    assert written_by(script, tmp_path / "j") == ["slow", *map(str, range(100))]


def test_a_child_neither_repeats_nor_waits_for_what_its_parent_has_to_write(tmp_path: Path) -> None:
    """A fork amid a slow disk: each record comes once, and the child has no dead thread."""
    script = """
for number in range(50):
    journal.write([outcome(f"parent-{number}")])
queued = journal.queued
if not os.fork():
    assert queued and not journal.queued and threading.active_count() == 1
    assert journal.written == 0
    left.clear()
    journal.write([outcome("child")])
    assert journal.written == 1
    sys.exit()
os.wait()
"""
    names = written_by(script, tmp_path / "j")

    assert sorted(names) == sorted(["slow", "child", *(f"parent-{n}" for n in range(50))])


def test_a_process_ends_though_the_disk_stands(tmp_path: Path) -> None:
    """A disk that never answers holds up the end of a process no longer than is promised."""
    script = """
assert writer.EXIT_TIMEOUT == 5
writer.Writer.close.__defaults__ = (0.2,)
left[:] = [3600]
for number in range(100):
    journal.write([outcome(str(number))])
    time.sleep(0.01 if not number else 0)
"""

    assert written_by(script, tmp_path / "j") == ["slow"]


# Power cuts.


def test_a_thread_syncs_and_no_request_does(tmp_path: Path, disk: Disk) -> None:
    """With `fsync` a thread has the disk keep what was written, again and again."""
    journal = Journal(tmp_path / "j", fsync=0.01)
    for turn in range(3):
        count = len(disk.syncers)
        write(journal, turn)
        until(lambda before=count: len(disk.syncers) > before)  # type: ignore[misc]
    write(journal, "last")
    journal.close()

    assert threading.get_ident() not in disk.syncers
    assert set(disk.writers) == {threading.get_ident()}
    assert names_in(journal) == ["0", "1", "2", "last"]


def test_closing_syncs_what_was_written(tmp_path: Path, disk: Disk) -> None:
    """What the interval left is synced by the end."""
    journal = Journal(tmp_path / "j", fsync=3600)
    write(journal, "only")
    assert not disk.syncers
    journal.close()

    assert disk.syncers


def test_nothing_new_is_not_synced(tmp_path: Path, disk: Disk) -> None:
    """A service without traffic leaves the disk alone."""
    journal = Journal(tmp_path / "j", fsync=0.005)
    write(journal, "only")
    until(lambda: disk.syncers)
    time.sleep(0.05)
    journal.close()

    assert len(disk.syncers) == 2  # the file, and the directory that has its name


def test_a_sync_that_fails_is_told(
    tmp_path: Path,
    disk: Disk,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A disk that cannot keep what it has costs a line in the log, and the thread goes on."""
    journal = Journal(tmp_path / "j", fsync=0.01)

    def failing(descriptor: int) -> None:
        disk.syncers.append(descriptor)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", failing)
    with caplog.at_level(logging.WARNING, logger="abmiddleware"):
        write(journal, "only")
        until(lambda: len(disk.syncers) > 2)
        journal.close()

    assert names_in(journal) == ["only"]
    assert len(caplog.messages) == 1
    assert "a power cut may lose records: [Errno 5] Input/output error" in caplog.messages[0]


def test_a_failing_write_does_not_end_the_thread() -> None:
    """Whatever goes wrong with some records, the thread writes the next ones."""
    lost: list[str] = []
    appended: list[bytes] = []

    def append(lines: Sequence[bytes], _: float) -> None:
        if b"bad" in lines:
            raise MemoryError
        appended.extend(lines)

    def lose(reason: str, count: int = 1, error: Exception | None = None, /) -> None:
        lost.extend([reason] * count)

    guard = Guard(append, lose, lambda: None, None)
    guard.start()
    guard.put([b"bad"])
    until(lambda: not guard.records)
    guard.put([b"good"])
    assert guard.close(30)

    assert lost == ["sink failed"]
    assert appended == [b"good"]
