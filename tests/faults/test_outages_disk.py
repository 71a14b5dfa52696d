"""Disks of the warehouse and of the agent that are full, locked or frozen, while visitors come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path

import pytest

from abmiddleware.agent.status import status_of
from tests import disks
from tests.agent.warehouses import DuckDB, Parquet, Postgres, Warehouse, state_of
from tests.backends import postgres_server
from tests.faults.arrivals import DRAINED, arrived, assert_arrives, recorded, shipping, until
from tests.faults.conftest import Tell
from tests.faults.scale import LONG, times
from tests.faults.servers import gunicorn, serving
from tests.faults.traffic import Traffic, assert_all_recorded

#: Seconds that a disk is not to be used.
OUTAGE = times(3, 60)
_numbers = count()
Fault = Callable[[Path], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL."""
    with postgres_server() as address:
        yield f"postgresql://{address}"


@contextmanager
def frozen(disk: Path) -> Iterator[None]:
    """Stop a disk: who writes there waits."""
    disks.command("fsfreeze", "--freeze", disk)
    try:
        yield
    finally:
        disks.command("fsfreeze", "--unfreeze", disk)


@pytest.mark.parametrize("to", ["parquet", *(["duckdb"] if LONG else [])])
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(disks.full, id="full"),
        *([pytest.param(disks.read_only, id="read-only")] if LONG else []),
        *([pytest.param(frozen, id="frozen")] if LONG else []),
    ],
)
def test_a_disk_of_the_warehouse_costs_nothing(
    tmp_path: Path, fault: Fault, to: str, tell: Tell
) -> None:
    """Records wait in the journal, which is on another disk, until its own can be used again."""
    with disks.freezable_disk(tmp_path, times(16, 256)) as disk:  # DuckDB's log takes its room
        warehouse = Parquet(disk / "lake") if to == "parquet" else DuckDB(disk / "w.duckdb")
        survives(tmp_path / "journal.jsonl", warehouse, lambda: fault(disk), tell)


@pytest.mark.parametrize("to", ["parquet", *(["postgres"] if LONG else [])])
@pytest.mark.parametrize(
    "fault",
    [pytest.param(disks.full, id="full"), *([pytest.param(frozen, id="frozen")] if LONG else [])],
)
def test_a_disk_of_the_agent_costs_nothing(
    tmp_path: Path, request: pytest.FixtureRequest, fault: Fault, to: str, tell: Tell
) -> None:
    """Where the agent cannot note what it does it does nothing, until it can."""
    with disks.freezable_disk(tmp_path) as disk:
        warehouse: Warehouse = Parquet(tmp_path / "lake")
        if to == "postgres":
            warehouse = Postgres(request.getfixturevalue("postgres"), f"disk_{next(_numbers)}")
        survives(
            tmp_path / "journal.jsonl",
            warehouse,
            lambda: fault(disk),
            tell,
            disk / "agent",
        )


def survives(
    journal: Path,
    warehouse: Warehouse,
    fault: Callable[[], AbstractContextManager[None]],
    tell: Tell,
    state: Path | None = None,
) -> None:
    """All requests are answered and recorded; after the fault all arrives in time, once."""
    state = state or state_of(journal)
    with (
        shipping(journal, warehouse, "--state", str(state)) as agent,
        serving(journal, gunicorn()) as server,
    ):
        with Traffic(server) as traffic:
            until(lambda: arrived(warehouse), DRAINED, 0.5)
            with fault():
                time.sleep(OUTAGE)
                assert status_of(journal, state).lag_seconds > OUTAGE / 2
            took = assert_arrives(journal, warehouse, state=state)
            traffic.wait_for(20)
        assert not traffic.broken
        server.stop()
        assert_all_recorded(journal, traffic)
        assert_arrives(journal, warehouse, state=state)
        assert agent.poll() is None

    tell(f"{len(recorded(journal))} records, 0 lost, 0 twice, drained in {took:.1f} s")
