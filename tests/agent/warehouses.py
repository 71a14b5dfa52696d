"""Destinations that a test can look into, and agents that deliver there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import psycopg

from abmiddleware.agent.settings import Settings, directory_of
from abmiddleware.agent.shipping import Shipping


class Warehouse:
    """A destination."""

    def __init__(self, address: str) -> None:
        self.address = address

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of a table by the names of their columns, without those of dlt."""
        columns, found = self._select(table)
        rows = [dict(zip(columns, row, strict=True)) for row in found]
        return [{k: v for k, v in row.items() if not k.startswith("_dlt")} for row in rows]

    def ids(self, table: str) -> list[str]:
        """Return the event ids of a table, sorted."""
        return sorted(row["event_id"] for row in self.rows(table))

    def _select(self, table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        raise NotImplementedError


class DuckDB(Warehouse):
    """A file of DuckDB."""

    def __init__(self, place: Path) -> None:
        super().__init__(f"duckdb:///{place}")
        self.place = place

    def _select(self, table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        with duckdb.connect(str(self.place), read_only=True) as connection:
            return _read(connection, f"experiments.{table}")


class Parquet(Warehouse):
    """A directory of Parquet files."""

    def __init__(self, place: Path) -> None:
        super().__init__(f"parquet:{place}")
        self.place = place

    def files(self, table: str) -> list[str]:
        """Return the files of a table."""
        home = self.place / "experiments" / table
        return sorted(str(path.relative_to(home)) for path in home.rglob("*.parquet"))

    def _select(self, table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        with duckdb.connect() as connection:
            files = f"{self.place}/experiments/{table}/*/*.parquet"
            return _read(connection, f"read_parquet('{files}', hive_partitioning = false)")


class Postgres(Warehouse):
    """A schema of a PostgreSQL."""

    def __init__(self, address: str, schema: str) -> None:
        super().__init__(address)
        self.schema = schema

    def _select(self, table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        with psycopg.connect(self.address) as connection:
            cursor = connection.execute(f"SELECT * FROM {self.schema}.{table}")  # noqa: S608
            return [column.name for column in cursor.description or ()], cursor.fetchall()


def _read(
    connection: duckdb.DuckDBPyConnection, source: str
) -> tuple[list[str], list[tuple[Any, ...]]]:
    connection.execute("SET TimeZone = 'UTC'")
    found = connection.execute(f"SELECT * FROM {source}")  # noqa: S608
    return [column[0] for column in found.description or ()], found.fetchall()


def start(journal: Path, warehouse: Warehouse, *options: str) -> subprocess.Popen[str]:
    """Start an agent."""
    schema = warehouse.schema if isinstance(warehouse, Postgres) else "experiments"
    return subprocess.Popen(  # noqa: S603  # our own command
        [
            *(sys.executable, "-m", "abmiddleware.cli", "agent", "--journal", str(journal)),
            *("--destination", warehouse.address, "--dataset", schema, *options),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def once(journal: Path, warehouse: Warehouse, *options: str, code: int = 0) -> str:
    """Run an agent to the end of the journal; return what it said."""
    said, _ = (running := start(journal, warehouse, "--once", *options)).communicate(timeout=120)
    assert running.returncode == code, said
    return said


def ship(journal: Path, warehouse: Warehouse, **changes: Any) -> list[int]:
    """Deliver a journal in this process, as `--once` does; return the records of each step."""
    shipping = Shipping(settings(journal, warehouse, **changes))
    try:
        counts = [shipping.step()]
        while shipping.has_more:
            counts.append(shipping.step())
        return [count for count in counts if count]
    finally:
        shipping.close()


def settings(journal: Path, warehouse: Warehouse, **changes: Any) -> Settings:
    """Return the settings of an agent, and make its directory."""
    schema = warehouse.schema if isinstance(warehouse, Postgres) else "experiments"
    plain = Settings(
        journal=journal,
        destination=warehouse.address,
        directory=directory_of(journal),
        dataset=schema,
    )
    made = msgspec.structs.replace(plain, **changes)
    made.directory.mkdir(exist_ok=True)
    return made


def state_of(journal: Path) -> Path:
    """Return the directory of a journal's agent."""
    return directory_of(journal)
