"""What a warehouse has of a journal, and the agent between them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psycopg

from abmiddleware import JournalReader
from abmiddleware.agent.settings import directory_of
from abmiddleware.agent.state import StateFile
from tests.agent.warehouses import DuckDB, Warehouse, start

#: Seconds within which all must have arrived after an outage.
DRAINED = 30.0


@contextmanager
def shipping(journal: Path, warehouse: Warehouse, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run an agent that delivers twice a second."""
    agent = start(journal, warehouse, "--interval", "0.5", *options)
    try:
        yield agent
    finally:
        agent.kill()
        agent.communicate()


def recorded(journal: Path) -> set[str]:
    """Return the ids of the events in a journal."""
    return {row.event_id for row in JournalReader(journal)}


def arrived(warehouse: Warehouse) -> list[str]:
    """Return the ids of the events in a warehouse, each as often as it is there."""
    found: list[str] = []
    for table in ("exposures", "outcomes"):
        try:
            found += warehouse.ids(table)
        except (psycopg.errors.UndefinedTable, duckdb.IOException, duckdb.CatalogException):
            # none so far, or DuckDB's file is the agent's for now
            continue
    return found


def until(is_so: Callable[[], object], seconds: float, pause: float = 0.1) -> float:
    """Wait until something is so; return how long that took, in seconds."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < seconds
        time.sleep(pause)
    return time.monotonic() - began


def assert_arrives(
    journal: Path, warehouse: Warehouse, seconds: float = DRAINED, *, state: Path | None = None
) -> float:
    """All that is in the journal by now arrives, once; return the seconds that takes.

    Args:
        journal: its file.
        warehouse: where it arrives.
        seconds: that it may take.
        state: the directory of the agent, unless it is the journal's.
    """
    size, goal, there = journal.stat().st_size, recorded(journal), list[str]()
    agent = StateFile(state or directory_of(journal))

    def has_all() -> bool:
        there[:] = arrived(warehouse)
        return goal <= set(there)

    def is_past() -> bool:
        return any(place.offset >= size for place in agent.load().places.values())

    # Only one process may have DuckDB's file: who looks all the time keeps the agent out.
    took = until(is_past, seconds) if isinstance(warehouse, DuckDB) else 0.0
    took += until(has_all, seconds, 3.0 if isinstance(warehouse, DuckDB) else 0.1)
    assert len(there) == len(set(there))
    return took
