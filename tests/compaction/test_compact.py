"""Closed files of the journal become Parquet, and nothing is lost or doubled on the way."""

from __future__ import annotations

import fcntl
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from abmiddleware import Journal
from abmiddleware.agent.settings import directory_of
from abmiddleware.exposures.records import Record, encode
from tests.agent.warehouses import DuckDB, once
from tests.exposures.facts import NOON, exposure, outcome

DAY = 86_400_000_000
#: Of files that were rotated long ago.
LONG_AGO = time.time() - 3 * 86_400


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The path of a journal."""
    return tmp_path / "journal.jsonl"


def rotated(journal: Path, *records: Record, name: str = "20261120T000000000000Z") -> Path:
    """Write a file that was rotated days ago."""
    path = journal.with_name(f"{journal.name}.{name}")
    Journal(path).write(list(records))
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def command(journal: Path, *options: str) -> list[str]:
    """Return the command that compacts a journal."""
    own = [sys.executable, "-m", "abmiddleware.cli", "compact", "--journal", str(journal)]
    return [*own, *options]


def compact(journal: Path, *options: str, code: int = 0) -> dict[str, Any]:
    """Compact a journal; return what the command tells."""
    done = subprocess.run(  # noqa: S603  # our own command
        command(journal, "--json", *options), capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def lake(journal: Path) -> Path:
    """Return where the tables are."""
    return journal.with_suffix(".parquet")


def select(journal: Path, what: str, table: str = "outcomes") -> list[tuple[Any, ...]]:
    """Ask DuckDB for something of a table's Parquet files."""
    files = f"read_parquet('{lake(journal)}/{table}/*/*.parquet', hive_partitioning = true)"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(f"SELECT {what} FROM {files} ORDER BY ALL").fetchall()  # noqa: S608


def ids(journal: Path) -> list[str]:
    """Return the event ids of the outcomes, each as often as it is there."""
    return [str(one) for (one,) in select(journal, "event_id")]


def test_rotated_files_become_parquet_by_the_day(journal: Path) -> None:
    """Each UTC day has its folder; the file that is written now is left alone."""
    rotated(journal, exposure(), *(outcome(event_id=f"{n}", ts_us=NOON + n * DAY) for n in (0, 1)))
    Journal(journal).write([outcome(event_id="now")])
    told = compact(journal)

    assert told["rows"] == {"exposures": 1, "outcomes": 2}
    assert told["open"] == {"journal.jsonl": "is written now, until it is rotated"}
    assert [str(day) for _, day in select(journal, "event_id, dt")] == ["2026-11-22", "2026-11-23"]
    assert len(select(journal, "event_id", "exposures")) == 1
    assert len(list(journal.parent.glob("journal.jsonl.2*"))) == 1, "it is kept unless told"


def test_duckdb_reads_the_same_from_lines_and_from_parquet(journal: Path) -> None:
    """Nothing is changed on the way but the form."""
    source = rotated(
        journal,
        *(
            exposure(unit_id=f"u{n}", attributes={"n": n, "deep": [None, "ä"]}, ts_us=NOON - n)
            for n in range(100)
        ),
    )
    compact(journal)
    names = "event_id, ts_us, ts, unit_id, variation_id, forced, feature_key, kind, service"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        types = "event_id: 'VARCHAR', ts_us: 'BIGINT', ts: 'TIMESTAMPTZ', unit_id: 'VARCHAR'"
        types += ", variation_id: 'BIGINT', forced: 'BOOLEAN', feature_key: 'VARCHAR'"
        types += ", kind: 'VARCHAR', service: 'VARCHAR', attributes: 'JSON'"
        lines = f"read_json('{source}', format = 'newline_delimited', columns = {{{types}}})"
        query = f"SELECT {names}, attributes::VARCHAR FROM {lines} ORDER BY ALL"  # noqa: S608
        read = connection.execute(query).fetchall()

    assert len(read) == 100
    assert select(journal, f"{names}, attributes::VARCHAR", "exposures") == read


def test_a_second_run_does_nothing_new(journal: Path) -> None:
    """What was turned is known, also under another name."""
    source = rotated(journal, outcome())
    compact(journal)
    files = {path: path.stat().st_mtime_ns for path in lake(journal).rglob("*.parquet")}
    source.rename(journal.with_name("journal.jsonl.1"))
    told = compact(journal)

    assert (told["compacted"], told["unchanged"]) == ([], ["journal.jsonl.1"])
    assert {p: p.stat().st_mtime_ns for p in lake(journal).rglob("*.parquet")} == files


def test_rows_are_by_time_and_each_event_is_there_once(journal: Path) -> None:
    """Of several sights of an event the earliest stays."""
    times = [NOON + n for n in random.Random(1).sample(range(500), 500)]  # noqa: S311  # hides nothing
    rotated(journal, *(exposure(ts_us=ts) for ts in times), exposure(unit_id="b", ts_us=NOON + 250))
    told = compact(journal)

    assert told["rows"] == {"exposures": 2}
    assert told["repeated"] == 499
    assert select(journal, "ts_us, unit_id", "exposures") == [
        (NOON, exposure().unit_id),
        (NOON + 250, "b"),
    ]
    (file,) = lake(journal).rglob("*.parquet")
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT ts_us FROM '{file}'").fetchall()  # noqa: S608
    assert found == sorted(found)


def test_what_is_no_row_is_kept_in_the_quarantine(journal: Path) -> None:
    """Torn lines and blocks of NUL are set aside once, and rows beside them are found."""
    path = journal.with_name(f"{journal.name}.1")
    good = encode(outcome(event_id="good"))
    path.write_bytes(good[:60] + b"\n" + b"\0" * 100 + good + b"\n" + good[:50] + good + b"\n")
    os.utime(path, (LONG_AGO, LONG_AGO))
    told = compact(journal)
    again = compact(journal)

    assert ids(journal) == ["good"]
    assert (told["quarantined"], told["unkept"]) == (3, 0)
    assert (again["compacted"], again["unchanged"]) == ([], [path.name])
    lines = journal.with_name("journal.jsonl.quarantine").read_text().splitlines()
    assert len(lines) == 3


def test_a_file_that_may_still_get_records_is_left(journal: Path) -> None:
    """Today's, one that was written to just now, and one after the day that was asked for."""
    path = rotated(journal, outcome())
    assert not compact(journal, "--until", "2026-01-01")["compacted"]
    os.utime(path)
    until = time.strftime("%Y-%m-%d", time.gmtime())
    assert compact(journal, "--until", until)["open"] == {path.name: "may still get records"}
    assert not compact(journal)["compacted"]
    assert not lake(journal).exists()


def test_what_is_deleted_was_delivered_and_is_in_parquet(journal: Path, tmp_path: Path) -> None:
    """A file that the agent has not confirmed to its end waits, and is told."""
    path = rotated(journal, outcome(event_id="a"))
    Journal(journal).write([outcome(event_id="now")])
    directory_of(journal).mkdir()
    told = compact(journal, "--delete", code=1)
    assert "has confirmed 0 of" in told["left"][path.name]
    assert path.exists()

    once(journal, DuckDB(tmp_path / "w.duckdb"))
    told = compact(journal, "--delete")
    assert told["deleted"] == [path.name]
    assert not path.exists()
    assert ids(journal) == ["a"]
    assert journal.exists()


def test_a_damaged_parquet_file_keeps_its_source(journal: Path) -> None:
    """What cannot be read back is told, nothing is deleted, and the next run makes it anew."""
    path = rotated(journal, *(outcome(event_id=str(n)) for n in range(1000)))
    compact(journal)
    (file,) = lake(journal).rglob("*.parquet")
    raw = bytearray(file.read_bytes())
    raw[100:140] = secrets.token_bytes(40)
    file.write_bytes(raw)
    told = compact(journal, "--delete", code=1)
    assert "cannot be read back" in told["left"][path.name]
    assert path.exists()

    assert compact(journal, "--delete")["deleted"] == [path.name]
    assert len(ids(journal)) == 1000


def test_a_kill_at_any_moment_loses_and_doubles_nothing(journal: Path) -> None:
    """The next run ends what the killed one had begun."""
    names = [f"{number}-{part}" for number in range(4) for part in range(4000)]
    for number in range(4):
        rotated(
            journal,
            *(
                outcome(event_id=f"{number}-{part}", ts_us=NOON + part % 5 * DAY)
                for part in range(4000)
            ),
            name=f"2026112{number}T000000000000Z",
        )
    chance = random.Random(7)  # noqa: S311  # hides nothing
    for _ in range(6):
        running = subprocess.Popen(command(journal, "--delete"), stdout=subprocess.DEVNULL)  # noqa: S603
        time.sleep(chance.uniform(0.3, 1.5))
        running.send_signal(signal.SIGKILL)
        running.wait()
    if list(journal.parent.glob("journal.jsonl.*")):
        compact(journal, "--delete")

    assert Counter(ids(journal)) == Counter(names)
    assert not list(lake(journal).rglob("*.tmp"))


def test_two_runs_do_not_meet(journal: Path) -> None:
    """The second one ends with 1 and says so."""
    rotated(journal, outcome())
    compact(journal)
    lock = lake(journal) / "_compacted" / "lock"
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = subprocess.run(  # noqa: S603  # our own command
            command(journal), capture_output=True, text=True, check=False
        )

    assert done.returncode == 1
    assert "another process writes to" in done.stderr


def test_what_the_command_says_is_for_people(journal: Path) -> None:
    """Without --json it is a table, and without a terminal there is no counter."""
    rotated(journal, *(outcome(event_id=str(n)) for n in range(2000)))
    done = subprocess.run(  # noqa: S603  # our own command
        command(journal), capture_output=True, text=True, check=True
    )

    assert "compacted  1 files" in done.stdout
    assert "2,000 outcomes; 0 repeated" in done.stdout
    assert "times smaller" in done.stdout
    assert not done.stderr


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--until", "yesterday"], "must be a day such as 2026-11-22"),
        (["--until", "2999-01-01"], "must not be after today"),
        (["--grace", "nan"], "must be seconds, 0 or more"),
        (["--state", "nowhere"], "state: there is no directory"),
        ([], "journal: there is no"),
    ],
    ids=["no-day", "future", "grace", "state", "no-journal"],
)
def test_a_wrong_option_is_told(journal: Path, options: list[str], problem: str) -> None:
    """The exit code is 2."""
    done = subprocess.run(  # noqa: S603  # our own command
        command(journal, *options), capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert problem in done.stderr
