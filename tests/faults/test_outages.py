"""Warehouses and streams that are down, hang or forget, while visitors come."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from abmiddleware.agent.status import Status, status_of
from tests.agent.warehouses import Parquet, Postgres, Warehouse, start, state_of
from tests.backends import postgres_server
from tests.exposures.sinks.brokers import broker
from tests.faults.arrivals import DRAINED, arrived, assert_arrives, recorded, shipping, until
from tests.faults.conftest import Tell
from tests.faults.line import Line
from tests.faults.names import NOWHERE
from tests.faults.scale import LONG, times
from tests.faults.servers import Server, gunicorn, serving
from tests.faults.traffic import Traffic, assert_all_recorded

#: Seconds that an outage lasts.
OUTAGE = times(3, 60)
_numbers = count()


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL."""
    with postgres_server() as address:
        yield f"postgresql://{address}"


@pytest.fixture
def line(postgres: str) -> Iterator[Line]:
    """The network before it."""
    with Line(int(postgres.rpartition(":")[2].partition("/")[0])) as line:
        yield line


def behind(line: Line, postgres: str) -> tuple[Warehouse, Postgres]:
    """Return a schema as the agent reaches it, and as the test does."""
    schema = f"outage_{next(_numbers)}"
    port = postgres.rpartition(":")[2].partition("/")[0]
    return Postgres(postgres.replace(f":{port}/", f":{line.port}/"), schema), Postgres(
        postgres, schema
    )


def threads_of(server: Server) -> int:
    """Return how many threads the workers have."""
    return sum(len(os.listdir(f"/proc/{pid}/task")) for pid in server.workers())


@pytest.mark.parametrize("fault", ["down", "forget", *(["hang", "reset"] if LONG else [])])
def test_an_outage_of_the_database_costs_nothing(
    tmp_path: Path, line: Line, postgres: str, fault: str, tell: Tell
) -> None:
    """Every request is answered, and all that was recorded meanwhile arrives soon after, once."""
    journal = tmp_path / "journal.jsonl"
    theirs, ours = behind(line, postgres)
    with (
        shipping(journal, theirs, "--timeout", "5") as agent,
        serving(journal, gunicorn("--preload")) as server,
    ):
        with Traffic(server) as traffic:
            traffic.wait_for(100)
            until(lambda: arrived(ours), DRAINED)
            before = threads_of(server)
            getattr(line, fault)()
            time.sleep(OUTAGE)
            assert threads_of(server) == before
            line.up()
            took = assert_arrives(journal, ours)
            traffic.wait_for(20)
        assert not traffic.broken
        server.stop()
        assert_all_recorded(journal, traffic)
        assert_arrives(journal, ours)
        assert agent.poll() is None

    tell(f"{len(recorded(journal))} records, 0 lost, 0 twice, drained in {took:.1f} s")


def test_a_delivery_that_was_given_up_is_told(tmp_path: Path, line: Line, postgres: str) -> None:
    """Who asks for the agent's status while the database hangs sees an error, until it is back."""
    journal = tmp_path / "journal.jsonl"
    theirs, ours = behind(line, postgres)
    with serving(journal, gunicorn()) as server:
        server.get(1)
    line.hang()
    with shipping(journal, theirs, "--timeout", "0.5"):
        until(lambda: "gave a delivery up" in status(journal).last_error, DRAINED)
        assert status(journal).failures > 0
    line.up()
    with shipping(journal, theirs):
        assert_arrives(journal, ours)
        until(lambda: status(journal).is_well, DRAINED)


def status(journal: Path) -> Status:
    """Return how the agent is doing."""
    return status_of(journal, state_of(journal))


@pytest.mark.parametrize("to", ["postgres", "parquet"])
def test_an_agent_that_is_killed_repeats_nothing(
    tmp_path: Path, postgres: str, to: str, tell: Tell
) -> None:
    """`kill -9` at any moment: the next agent ends what this one had begun."""
    journal = tmp_path / "journal.jsonl"
    warehouse: Warehouse = Parquet(tmp_path / "lake")
    if to == "postgres":
        warehouse = Postgres(postgres, f"outage_{next(_numbers)}")
    chance, kills = random.Random(3), times(2, 20)  # noqa: S311  # hides nothing
    with serving(journal, gunicorn()) as server:
        with Traffic(server) as traffic:
            traffic.wait_for(20)
            for _ in range(kills):
                with shipping(journal, warehouse, "--interval", "0.05") as agent:
                    time.sleep(chance.uniform(1.0, 3.0))
                    agent.send_signal(signal.SIGKILL)
        server.stop()
    assert_all_recorded(journal, traffic)
    with shipping(journal, warehouse):
        assert_arrives(journal, warehouse)

    tell(f"{kills} kills, {len(recorded(journal))} records, 0 lost, 0 twice")


@pytest.mark.parametrize("where", ["hangs", "no-address"])
def test_a_signal_ends_the_agent_whatever_hangs(
    tmp_path: Path, line: Line, postgres: str, where: str, tell: Tell
) -> None:
    """A database that is silent, or that has no address, holds nobody up."""
    journal = tmp_path / "journal.jsonl"
    theirs, _ = behind(line, postgres)
    address = theirs.address
    if where == "no-address":
        address = f"postgresql://ann:x@{NOWHERE}/db"
    line.hang()
    with serving(journal, gunicorn()) as server:
        server.get(1)
    agent = start(journal, Warehouse(address))
    _wait_for(journal.with_name(f"{journal.name}.agent"))
    time.sleep(4)
    began = time.monotonic()
    agent.terminate()
    said, _ = agent.communicate(timeout=60)
    took = time.monotonic() - began

    assert agent.returncode == 0, said
    assert took < 5
    tell(f"ended in {took:.1f} s")


def _wait_for(directory: Path) -> None:
    """Wait until the agent has begun: a busy machine takes long to import what it needs."""
    end = time.monotonic() + 60
    while not directory.exists() and time.monotonic() < end:
        time.sleep(0.05)


def test_an_outage_of_kafka_costs_nothing_within_the_bound(tmp_path: Path, tell: Tell) -> None:
    """The journal has all; the stream gets what waited, and says exactly what it could not keep."""
    journal = tmp_path / "journal.jsonl"
    with broker() as kafka:
        queue = str(times(150, 20_000))
        one = gunicorn(
            "--workers",
            "1",
            "--worker-class",
            "gthread",
            "--threads",
            "8",
            app="tests.faults.kafka_app:app",
        )
        with serving(journal, one, KAFKA=kafka.address, KAFKA_QUEUE=queue) as server:
            with Traffic(server) as traffic:
                traffic.wait_for(50)
                kafka.stop()
                traffic.wait_for(times(150, 200 * OUTAGE))
                kafka.resume()
                traffic.wait_for(50)
            assert not traffic.broken
            counts = server.counts()
            deadline = time.monotonic() + DRAINED
            while counts["queued"] and time.monotonic() < deadline:
                time.sleep(0.1)
                counts = server.counts()
        assert_all_recorded(journal, traffic)
        records = recorded(journal)
        written, lost = int(str(counts["written"])), counts["lost"]
        assert isinstance(lost, dict)
        dropped = sum(lost.values())
        messages = [message.value() for message in kafka.messages("experiments", written)]

    assert counts["queued"] == 0
    assert written + dropped == len(records)
    assert len(messages) == written
    assert set(lost) <= {"queue full"}
    tell(f"{len(records)} records, {written} in Kafka, {dropped} counted as dropped")
