"""What is in the journal is in the warehouse, each event once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from abmiddleware import Journal
from abmiddleware.exposures.records import Record, encode, row
from tests.agent.warehouses import DuckDB, Parquet, Postgres, Warehouse, once, ship
from tests.exposures.facts import NOON, exposure, link, outcome

_numbers = count()
DAY = 86_400_000_000


@pytest.fixture(params=["duckdb", "parquet", "postgres"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouse]:
    """Each destination that is tested for real."""
    match request.param:
        case "duckdb":
            yield DuckDB(tmp_path / "warehouse.duckdb")
        case "parquet":
            yield Parquet(tmp_path / "lake")
        case _:
            yield Postgres(request.getfixturevalue("postgres"), f"delivery_{next(_numbers)}")


def plain(record: Record) -> dict[str, Any]:
    """Return a record as a row of a table."""
    told = msgspec.structs.asdict(row(record))
    told["ts"] = datetime.fromtimestamp(told["ts_us"] / 1e6, UTC).replace(
        microsecond=told["ts_us"] % 1_000_000
    )
    return told


def parsed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with their JSON decoded, in the order of their ids."""
    objects = {"alt_ids", "attributes", "unit_ids", "properties"}
    return sorted(
        (
            {k: json.loads(v) if k in objects and isinstance(v, str) else v for k, v in one.items()}
            for one in rows
        ),
        key=lambda one: str(one["event_id"]),
    )


def test_every_column_arrives_as_it_was_recorded(journal: Path, warehouse: Warehouse) -> None:
    """All three tables have the columns of the rows; empty text stays text, and null null."""
    exposures: list[Record] = [
        exposure(),
        exposure(unit_id="007", service="", alt_ids={}, feature_key="f", trace_id="t" * 32),
        exposure(unit_id='"quoted", näive 🎈\n', attributes={"deep": [1, {"a": None}], "b": ""}),
    ]
    outcomes: list[Record] = [
        outcome(),
        outcome(event_id="none", value=None, properties={"big": 2**70, "quote": '"\\'}),
    ]
    Journal(journal).write([*exposures, *outcomes, link()])
    ship(journal, warehouse)

    tables: dict[str, list[Record]]
    tables = {"exposures": exposures, "outcomes": outcomes, "links": [link()]}
    for table, records in tables.items():
        expected = sorted(map(plain, records), key=lambda one: str(one["event_id"]))
        assert parsed(warehouse.rows(table)) == expected


def test_what_was_delivered_is_not_delivered_again(journal: Path, warehouse: Warehouse) -> None:
    """A second run takes only what is new, also from a file that was rotated meanwhile."""
    writer = Journal(journal)
    writer.write([outcome(event_id="a"), outcome(event_id="b")])
    assert ship(journal, warehouse) == [2]
    writer.write([outcome(event_id="c")])
    journal.rename(journal.with_name("journal.jsonl.20261123T101500000000Z"))
    Journal(journal).write([outcome(event_id="d")])

    assert ship(journal, warehouse) == [2]
    assert ship(journal, warehouse) == []
    assert warehouse.ids("outcomes") == ["a", "b", "c", "d"]


def test_rows_of_one_event_count_once(journal: Path, warehouse: Warehouse) -> None:
    """Of several sights in one batch the earliest stays."""
    Journal(journal).write([exposure(ts_us=NOON + number) for number in range(5)])
    ship(journal, warehouse)

    assert [one["ts_us"] for one in warehouse.rows("exposures")] == [NOON]


@pytest.mark.parametrize("warehouse", ["duckdb", "postgres"], indirect=True)
def test_a_later_sight_does_not_replace_the_earliest(journal: Path, warehouse: Warehouse) -> None:
    """Databases keep the row that came first, over batches and lost states."""
    writer = Journal(journal)
    for number in range(3):
        writer.write([exposure(ts_us=NOON + number)])
        ship(journal, warehouse)
    ship(journal, warehouse, directory=journal.parent / "another")

    assert [one["ts_us"] for one in warehouse.rows("exposures")] == [NOON]


def test_parquet_files_are_by_the_day_of_the_event(journal: Path, tmp_path: Path) -> None:
    """Each UTC day has its folder, whenever its events are delivered."""
    warehouse = Parquet(tmp_path / "lake")
    Journal(journal).write(
        [outcome(event_id=str(day), ts_us=NOON + day * DAY) for day in range(3)] * 2
    )
    ship(journal, warehouse)

    folders = [file.partition("/")[0] for file in warehouse.files("outcomes")]
    assert folders == ["dt=2026-11-22", "dt=2026-11-23", "dt=2026-11-24"]
    assert warehouse.ids("outcomes") == ["0", "1", "2"]


@pytest.mark.parametrize("dataset", ["My-Data", "abTests", "1st"])
def test_files_are_published_whatever_the_dataset_is_called(
    journal: Path, tmp_path: Path, dataset: str
) -> None:
    """dlt spells a name its own way; what it calls delivered is where it is read."""
    lake = tmp_path / "lake"
    Journal(journal).write([outcome(event_id="one")])
    ship(journal, Parquet(lake), dataset=dataset)

    assert len([*lake.glob("[!.]*/outcomes/*/*.parquet")]) == 1
    assert not [*lake.glob(".incoming/*/outcomes/*/*")]


def test_what_no_warehouse_takes_is_set_aside(journal: Path, warehouse: Warehouse) -> None:
    """Torn lines and impossible values go to the quarantine with their place; the rest arrives."""
    good = encode(outcome())
    bad = [
        good[:70],
        encode(outcome(ts_us=-5)),
        encode(exposure(phase=2**80)),
        encode(outcome(event_id="x" * 300)),
        good.replace(b'"EUR"', b'"\\ud800"'),
        good.replace(b"EUR", b"\xff"),
    ]
    journal.write_bytes(b"\n".join([*bad, b"\0" * 50 + good, b""]))
    ship(journal, warehouse)

    quarantine = journal.with_name("journal.jsonl.quarantine")
    told = [json.loads(line) for line in quarantine.read_text().splitlines()]
    assert warehouse.ids("outcomes") == [outcome().event_id]
    offsets = {sum(len(one) + 1 for one in bad[:number]) for number in range(7)}
    assert {one["offset"] for one in told} == offsets
    assert {one["file"] for one in told} == {"journal.jsonl"}
    reasons = " ".join(one["reason"] for one in told)
    for reason in ["NUL bytes", "ts_us: is -5", "event_id: must have", "$.phase", "surrogate"]:
        assert reason in reasons


def test_nul_characters_become_replacement_characters(journal: Path, warehouse: Warehouse) -> None:
    """A NUL in a text, which databases refuse, is U+FFFD in the warehouse."""
    Journal(journal).write([outcome(properties={"a": "x\0y", "b": "\\u0000"})])
    ship(journal, warehouse)

    (one,) = parsed(warehouse.rows("outcomes"))
    assert one["properties"] == {"a": "x\ufffdy", "b": "\\u0000"}


def test_a_batch_has_a_bound(journal: Path, warehouse: Warehouse) -> None:
    """A long journal goes in several packages, and none is cut wrongly."""
    Journal(journal).write([outcome(event_id=f"{number:03}") for number in range(250)])

    assert ship(journal, warehouse, batch=100) == [100, 100, 50]
    assert warehouse.ids("outcomes") == [f"{number:03}" for number in range(250)]


def test_a_journal_that_is_not_there_yet_is_empty(journal: Path, warehouse: Warehouse) -> None:
    """An agent may start before the first record is written."""
    assert ship(journal, warehouse) == []


def test_nothing_is_sent_about_the_user(journal: Path, tmp_path: Path) -> None:
    """The loader's telemetry is off, and its files stay in the agent's directory."""
    home = tmp_path / "home"
    home.mkdir()
    Journal(journal).write([outcome()])
    before = dict(os.environ)
    try:
        os.environ.update(HOME=str(home), RUNTIME__DLTHUB_TELEMETRY="true")
        os.environ["RUNTIME__DLTHUB_TELEMETRY_ENDPOINT"] = "http://127.0.0.1:9/"
        once(journal, DuckDB(tmp_path / "warehouse.duckdb"))
    finally:
        os.environ.clear()
        os.environ.update(before)

    assert not list(home.rglob("*"))
    assert not list(tmp_path.rglob(".anonymous_id"))
