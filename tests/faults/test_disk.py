"""Servers whose disk is full, read-only, frozen, deleted or rotated answer every request."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from abmiddleware import JournalReader, OutcomeRow
from tests import disks
from tests.disks import command
from tests.faults.servers import Server, gunicorn, serving
from tests.faults.traffic import Traffic, assert_all_recorded

#: One worker, so that its counts are those of the server; eight requests at once.
ONE = ("--workers", "1", "--worker-class", "gthread", "--threads", "8")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with disks.small_disk(tmp_path) as disk:
        yield disk


@pytest.fixture
def freezable_disk(tmp_path: Path) -> Iterator[Path]:
    with disks.freezable_disk(tmp_path) as disk:
        yield disk


def ask(server: Server, numbers: Iterable[int]) -> None:
    """Ask for pages; each is answered, or this raises."""
    for number in numbers:
        server.get(number)


def numbers_in(journal: Path) -> list[int]:
    """Return the numbers of the requests that a journal has the outcomes of."""
    rows = JournalReader(journal)
    return [int(row.properties["number"]) for row in rows if isinstance(row, OutcomeRow)]


def counts_of(server: Server) -> tuple[int, dict[str, int]]:
    """Return how many records are written and lost, once none waits for the disk."""
    counts: dict[str, Any] = server.counts()
    deadline = time.monotonic() + 30
    while counts["queued"] and time.monotonic() < deadline:
        time.sleep(0.02)
        counts = server.counts()
    assert counts["queued"] == counts["held"] == 0
    return counts["written"], counts["lost"]


def gathered(journal: Path) -> Path:
    """Return a file with what is in a journal and in those that were moved aside."""
    whole = journal.with_name("whole")
    parts = [one for one in journal.parent.glob(f"{journal.name}*") if one.suffix != ".lock"]
    whole.write_bytes(b"".join(one.read_bytes() for one in parts))
    return whole


def test_a_full_disk_costs_no_answer_and_is_counted_exactly(
    tmp_path: Path, small_disk: Path
) -> None:
    """While the disk is full every page is served; once it has room the next record is written."""
    journal, ballast = small_disk / "j", small_disk / "ballast"
    with serving(journal, gunicorn(*ONE), log=tmp_path / "log") as server:
        ask(server, range(20))
        with pytest.raises(OSError, match="No space left"):
            ballast.write_bytes(b"x" * 1_100_000)
        ask(server, range(20, 60))
        ballast.unlink()
        ask(server, range(60, 80))
        written, lost = counts_of(server)

    numbers = numbers_in(journal)
    assert lost.keys() <= {"ENOSPC", "short write"}
    assert written + sum(lost.values()) == 2 * 80
    assert numbers[:20] == [*range(20)]
    assert numbers[-20:] == [*range(60, 80)]
    assert len(numbers) < 80
    assert len(journal.read_bytes().splitlines()) > written  # empty lines, and one cut short
    assert sum(1 for _ in JournalReader(journal)) == written


def test_a_ring_bridges_a_full_disk(tmp_path: Path, small_disk: Path) -> None:
    """With a ring, a disk that was full for a time costs nothing at all."""
    journal, ballast = small_disk / "j", small_disk / "ballast"
    options = json.dumps({"ring": 1000})
    with serving(journal, gunicorn(*ONE), log=tmp_path / "log", JOURNAL_OPTIONS=options) as server:
        with pytest.raises(OSError, match="No space left"):
            ballast.write_bytes(b"x" * 1_100_000)
        ask(server, range(40))
        assert int(str(server.counts()["held"])) > 0
        ballast.unlink()
        ask(server, range(40, 42))

        assert counts_of(server) == (2 * 42, {})
    assert numbers_in(journal) == [*range(42)]


def test_a_read_only_disk_costs_no_answer(tmp_path: Path, small_disk: Path) -> None:
    """A disk that turns read-only, as one with errors does, costs what comes until it is mended."""
    journal = small_disk / "j"
    with serving(journal, gunicorn(*ONE), log=tmp_path / "log") as server:
        command("mount", "-o", "remount,ro", small_disk)
        ask(server, range(10))
        command("mount", "-o", "remount,rw", small_disk)
        ask(server, range(10, 20))

        assert counts_of(server) == (20, {"EROFS": 20})
    assert numbers_in(journal) == [*range(10, 20)]


def test_a_file_that_may_not_change_costs_no_answer(tmp_path: Path, freezable_disk: Path) -> None:
    """A file that is made immutable (`chattr +i`) costs what comes until it is not."""
    journal = freezable_disk / "j"
    with serving(journal, gunicorn(*ONE), log=tmp_path / "log") as server:
        ask(server, range(5))
        command("chattr", "+i", journal)
        try:
            ask(server, range(5, 15))
        finally:
            command("chattr", "-i", journal)
        ask(server, range(15, 20))

        assert counts_of(server) == (20, {"EPERM": 20})
    assert numbers_in(journal) == [*range(5), *range(15, 20)]


def test_a_deleted_directory_is_made_anew(tmp_path: Path) -> None:
    """A second after somebody deleted the journal's directory, records have a place again."""
    journal = tmp_path / "var" / "j"
    with serving(journal, gunicorn(*ONE), log=tmp_path / "log") as server:
        ask(server, range(10))
        shutil.rmtree(journal.parent)
        number = 10
        deadline = time.monotonic() + 30
        while not journal.exists() and time.monotonic() < deadline:
            ask(server, [number])
            number += 1
        ask(server, range(number, number + 10))

        assert counts_of(server) == (2 * (number + 10), {})
    assert numbers_in(journal) == [*range(number - 1, number + 10)]


def test_a_frozen_disk_holds_requests_once(tmp_path: Path, freezable_disk: Path) -> None:
    """Who writes as the disk freezes waits; from then on requests are answered all the same."""
    journal = freezable_disk / "j"
    with serving(journal, gunicorn(*ONE), log=tmp_path / "log") as server:
        with Traffic(server) as traffic:
            traffic.wait_for(20)
            command("fsfreeze", "--freeze", freezable_disk)
            time.sleep(1.5)
            command("fsfreeze", "--unfreeze", freezable_disk)
            traffic.wait_for(50)
            command("fsfreeze", "--freeze", freezable_disk)
            try:
                traffic.wait_for(100)
                queued = int(str(server.counts()["queued"]))
            finally:
                command("fsfreeze", "--unfreeze", freezable_disk)
        written, lost = counts_of(server)
        server.stop()

    assert queued >= 200
    assert not traffic.broken
    assert (written, lost) == (2 * len(traffic.answered), {})
    assert_all_recorded(journal, traffic)


def test_rotation_from_outside_under_traffic_loses_nothing(tmp_path: Path) -> None:
    """While four workers write, the file is renamed again and again, as logrotate does it."""
    journal = tmp_path / "j"
    with serving(journal, gunicorn(), log=tmp_path / "log") as server:
        with Traffic(server) as traffic:
            for turn in range(4):
                traffic.wait_for(50)
                journal.rename(tmp_path / f"j.{turn}")
                deadline = time.monotonic() + 30
                while not journal.exists():
                    assert time.monotonic() < deadline
                    time.sleep(0.01)
        server.stop()

    assert_all_recorded(gathered(journal), traffic)


def test_rotation_by_the_workers_under_traffic_loses_nothing(tmp_path: Path) -> None:
    """Four workers that rotate by size among them move each file once, and lose nothing."""
    journal = tmp_path / "j"
    options = json.dumps({"max_bytes": 50_000})
    with serving(journal, gunicorn(), log=tmp_path / "log", JOURNAL_OPTIONS=options) as server:
        with Traffic(server) as traffic:
            deadline = time.monotonic() + 60
            while len([*tmp_path.glob("j.2*")]) < 3:
                assert time.monotonic() < deadline
                traffic.wait_for(20)
        server.stop()

    assert all(one.stat().st_size >= 50_000 for one in tmp_path.glob("j.2*"))
    assert_all_recorded(gathered(journal), traffic)
