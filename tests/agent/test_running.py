"""The agent as a process: started, looked at, stopped, and told wrong things."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

from abmiddleware import Journal
from abmiddleware.agent.shipping import size_of
from abmiddleware.exposures.records import encode
from tests.agent.warehouses import (
    DuckDB,
    Parquet,
    Postgres,
    Warehouse,
    once,
    ship,
    start,
    state_of,
)
from tests.exposures.facts import exposure, outcome

_numbers = count()


@pytest.fixture
def database(postgres: str) -> Postgres:
    """A schema of its own in a PostgreSQL."""
    return Postgres(postgres, f"running_{next(_numbers)}")


def fill(journal: Path, *names: str) -> None:
    """Write outcomes of these ids."""
    Journal(journal).write([outcome(event_id=name) for name in names])


def status(journal: Path, *options: str) -> tuple[str, int]:
    """Return what `--status` says, and its exit code."""
    done = subprocess.run(  # noqa: S603  # our own command
        [
            *(sys.executable, "-m", "abmiddleware.cli", "agent", "--status"),
            *("--journal", str(journal), *options),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    return done.stdout, done.returncode


def until(holds: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@contextmanager
def running(journal: Path, warehouse: Warehouse, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run an agent that delivers at once, and see to it that it ends."""
    process = start(journal, warehouse, "--interval", "0.1", *options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ids(warehouse: Warehouse, table: str = "outcomes") -> list[str]:
    """Return what has arrived by now; nothing where there is no table yet."""
    try:
        return warehouse.ids(table)
    except psycopg.Error:
        return []


def test_an_agent_delivers_while_it_runs(journal: Path, database: Postgres) -> None:
    """What is written arrives within the interval, and a signal ends it well."""
    fill(journal, "a")
    with running(journal, database) as agent:
        until(lambda: ids(database) == ["a"])
        fill(journal, "b", "c")
        until(lambda: ids(database) == ["a", "b", "c"])
        said, code = status(journal)
        assert f"runs as process {agent.pid}" in said
        assert code == 0
        agent.send_signal(signal.SIGTERM)
        printed, _ = agent.communicate(timeout=5)

    assert agent.returncode == 0
    assert "delivered 2 records" in printed
    assert "does not run" in status(journal)[0]


def test_once_ends_while_others_write_on(journal: Path, tmp_path: Path) -> None:
    """What is there at the start is delivered, and cron need not wait for a pause."""
    fill(journal, *map(str, range(100)))
    script = (
        "import sys, time\n"
        "from abmiddleware import Journal\n"
        "from tests.exposures.facts import outcome\n"
        "journal, number = Journal(sys.argv[1]), 0\n"
        "while True:\n"
        "    journal.write([outcome(event_id=f'later-{number}')])\n"
        "    number += 1\n"
        "    time.sleep(0.001)\n"
    )
    lake = Parquet(tmp_path / "lake")
    writer = subprocess.Popen([sys.executable, "-c", script, str(journal)])  # noqa: S603
    try:
        once(journal, lake, "--batch", "20")
    finally:
        writer.kill()
        writer.wait()

    assert {str(number) for number in range(100)} <= set(lake.ids("outcomes"))


def test_status_tells_people_and_machines(journal: Path, tmp_path: Path) -> None:
    """Lag, counts and the last error; the exit code is 1 while the last attempt failed."""
    fill(journal, "a", "b")
    said, code = status(journal)
    assert "lag  " in said
    assert "unknown: nothing was delivered yet" in said
    assert code == 0
    once(journal, DuckDB(tmp_path / "w.duckdb"))
    fill(journal, "c")

    told = json.loads(status(journal, "--json")[0])
    assert told["delivered"] == {"outcomes": 2}
    assert told["lag_bytes"] == len(encode(outcome(event_id="c"))) + 2
    assert told["lag_seconds"] > 0
    assert (told["last_error"], told["failures"], told["process"]) == ("", 0, "")

    (tmp_path / "w.duckdb").unlink()
    (tmp_path / "w.duckdb").mkdir()
    once(journal, DuckDB(tmp_path / "w.duckdb"), code=1)
    said, code = status(journal)
    assert code == 1
    assert "is a directory" in said.lower()


def test_a_journal_has_one_agent(journal: Path, database: Postgres, tmp_path: Path) -> None:
    """A second one is told which process is there, or delivers elsewhere with its own state."""
    fill(journal, "a")
    with running(journal, database) as agent:
        until(lambda: ids(database))
        said = once(journal, database, code=2)
        assert f"another agent (process {agent.pid}) ships this journal already" in said
        other = DuckDB(tmp_path / "w.duckdb")
        once(journal, other, "--state", str(tmp_path / "other"))

    assert other.ids("outcomes") == ["a"]


def test_a_state_that_broke_delivers_all_again(journal: Path, database: Postgres) -> None:
    """The events are in the database once, all the same."""
    fill(journal, "a", "b")
    ship(journal, database)
    (state_of(journal) / "state.json").write_bytes(b'{"version":1,"checksum":"0"')
    said = once(journal, database)

    assert "the whole journal is delivered again" in said
    assert database.ids("outcomes") == ["a", "b"]


def test_a_refused_record_is_set_aside(journal: Path, database: Postgres) -> None:
    """What the database never takes does not hold up what comes behind it."""
    fill(journal, "first")
    once(journal, database)
    with psycopg.connect(database.address, autocommit=True) as connection:
        connection.execute(
            f"ALTER TABLE {database.schema}.outcomes ADD CHECK (event_id NOT LIKE 'bad%')"
        )
    names = [f"{'bad' if number in (7, 8, 9, 30) else 'good'}-{number:02}" for number in range(40)]
    fill(journal, *names)
    once(journal, database)

    assert database.ids("outcomes") == ["first", *(n for n in names if n.startswith("good"))]
    lines = journal.with_name("journal.jsonl.quarantine").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    assert len(told) == 4
    raw = journal.read_bytes()
    for one, name in zip(told, ["bad-07", "bad-08", "bad-09", "bad-30"], strict=True):
        assert one["reason"].startswith("psycopg2.errors.CheckViolation: new row")
        assert name.encode() in raw[one["offset"] :].split(b"\n", 1)[0]
    assert json.loads(status(journal, "--json")[0])["quarantined"] == 4


def test_a_database_that_refuses_all_loses_nothing(journal: Path, database: Postgres) -> None:
    """Then no record is to blame, and all of them wait."""
    fill(journal, "first")
    once(journal, database)
    with psycopg.connect(database.address, autocommit=True) as connection:
        table = f"{database.schema}.outcomes"
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT shut CHECK (event_id = 'first')")
        fill(journal, *map(str, range(30)))
        once(journal, database, code=1)
        assert not journal.with_name("journal.jsonl.quarantine").exists()
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT shut")
    once(journal, database)

    assert database.ids("outcomes") == sorted([*map(str, range(30)), "first"])


def test_past_its_quota_the_agent_waits(journal: Path, tmp_path: Path) -> None:
    """What it may not take stays in the journal, and is counted."""
    fill(journal, "a")
    lake = Parquet(tmp_path / "lake")
    state_of(journal).mkdir()
    ballast = state_of(journal) / "ballast"
    ballast.write_bytes(b"\0" * 4 * 1024 * 1024)
    said = once(journal, lake, "--quota", "4", code=1)
    told = json.loads(status(journal, "--json")[0])
    assert "more than its quota of 4194304 bytes" in said
    assert (told["over_quota"], told["delivered"]) == (1, {})

    ballast.unlink()
    once(journal, lake, "--quota", "4")
    assert lake.ids("outcomes") == ["a"]


def test_memory_and_disk_are_bounded_by_small_batches(journal: Path, tmp_path: Path) -> None:
    """A long journal passes through a small quota, and leaves nothing behind."""
    Journal(journal).write(
        [outcome(event_id=f"{number:04}", properties={"x": "y" * 900}) for number in range(5000)]
    )
    lake = Parquet(tmp_path / "lake")
    once(journal, lake, "--quota", "4")

    assert len(lake.ids("outcomes")) == 5000
    assert sum(file.lstat().st_size for file in state_of(journal).rglob("*")) < 2**20


@pytest.mark.parametrize(
    ("destination", "problem"),
    [
        ("", "destination: is missing, must be given by --destination URL"),
        ("mysql://root:secret@host/db", "'mysql://root:***@host/db', must be one of"),
        ("postgresql://host", "must be like 'postgresql://user:password@host:5432/database'"),
        ("duckdb:file.duckdb", "must be one of"),
        ("parquet:", "must be one of"),
        ("dlt:Not A Name", "must be one of"),
    ],
    ids=["none", "unknown", "no-database", "relative", "no-directory", "no-name"],
)
def test_a_wrong_destination_is_told(journal: Path, destination: str, problem: str) -> None:
    """The exit code is 2, and no password is shown."""
    said = once(journal, Warehouse(destination), code=2)

    assert problem in said
    assert "secret" not in said


def test_a_password_is_shown_nowhere(journal: Path, postgres: str) -> None:
    """Neither the status nor a failure tells it; the environment keeps it from `ps`."""
    fill(journal, "a")
    closed = Warehouse("postgresql://ann:hunter2@127.0.0.1:1/db")
    said = once(journal, closed, code=1)
    told, _ = status(journal)
    kept = (state_of(journal) / "state.json").read_text()

    assert "postgresql://ann:***@127.0.0.1:1/db" in told
    assert "hunter2" not in said + told + kept
    environment = {**os.environ, "ABMIDDLEWARE_DESTINATION": postgres}
    done = subprocess.run(  # noqa: S603  # our own command
        [
            *(sys.executable, "-m", "abmiddleware.cli", "agent", "--once"),
            *("--journal", str(journal), "--dataset", f"running_{next(_numbers)}"),
        ],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--batch", "0"], "must be 1 or more"),
        (["--interval", "inf"], "must be seconds, more than 0"),
        (["--quota", "1"], "must be 4 or more"),
    ],
    ids=["batch", "interval", "quota"],
)
def test_a_wrong_option_is_told(journal: Path, options: list[str], problem: str) -> None:
    """The exit code is 2, as of every wrong command line."""
    assert problem in once(journal, Warehouse("duckdb:////x"), *options, code=2)


def test_a_journal_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    """A directory in the journal's place is no journal, and a missing name no command."""
    said = once(tmp_path / "no" / "journal.jsonl", DuckDB(tmp_path / "w.duckdb"))
    assert "Traceback" not in said
    done = subprocess.run(
        [sys.executable, "-m", "abmiddleware.cli", "agent", "--once"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "journal: is missing" in done.stderr


def test_exposures_and_links_are_delivered_too(journal: Path, database: Postgres) -> None:
    """The command delivers every table."""
    Journal(journal).write([exposure(), outcome()])
    once(journal, database)

    assert len(database.ids("exposures")) == len(database.ids("outcomes")) == 1


def test_a_directory_that_changes_meanwhile_has_a_size(tmp_path: Path) -> None:
    """The loader removes whole directories while somebody asks for the status."""
    over = threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            for number in range(60):
                (tmp_path / f"package-{number}" / "jobs").mkdir(parents=True)
            for number in range(60):
                shutil.rmtree(tmp_path / f"package-{number}")

    (tmp_path / "state.json").write_text("x" * 100)
    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        assert {size_of(tmp_path) for _ in range(300)} == {100}
    finally:
        over.set()
        thread.join()
