"""An agent's own lost sessions do not stop it, and it leaves those of all others alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from abmiddleware import Journal
from abmiddleware.agent.sessions import end_others, named
from abmiddleware.agent.settings import directory_of
from abmiddleware.agent.state import StateFile
from tests.agent.warehouses import Postgres, ship
from tests.exposures.facts import outcome


@contextmanager
def lost(address: str, statement: str) -> Iterator[psycopg.Connection]:
    """A session in the midst of something, whose client says nothing more."""
    connection = psycopg.connect(address)
    connection.execute(statement)
    try:
        yield connection
    finally:
        connection.close()


def is_alive(connection: psycopg.Connection) -> bool:
    """Tell whether a session still answers."""
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def test_a_delivery_goes_on_where_a_lost_session_holds_its_tables(
    journal: Path, postgres: str
) -> None:
    """A balancer may have forgotten the connection of an earlier delivery, in its midst."""
    warehouse = Postgres(postgres, "held")
    writer = Journal(journal)
    writer.write([outcome(event_id="a")])
    ship(journal, warehouse)
    writer.write([outcome(event_id="b")])
    agent = StateFile(directory_of(journal)).load().agent

    with lost(named(postgres, agent), "LOCK TABLE held.outcomes"):
        assert ship(journal, warehouse) == [1]

    assert warehouse.ids("outcomes") == ["a", "b"]


def test_sessions_of_others_are_left_alone(postgres: str) -> None:
    """Those of a second agent, and of people."""
    with (
        lost(named(postgres, "first"), "SELECT 1") as first,
        lost(named(postgres, "second"), "SELECT 1") as second,
        lost(postgres, "SELECT 1") as person,
    ):
        end_others(named(postgres, "first"))

        assert [is_alive(one) for one in (first, second, person)] == [False, True, True]


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        ("", "?application_name=abmiddleware-agent-1f"),
        ("?sslmode=prefer", "?sslmode=prefer&application_name=abmiddleware-agent-1f"),
        ("?application_name=shop%20x&a=b+c", "?a=b+c&application_name=shop%20x-1f"),
        ("?application_name=" + "n" * 80, "?application_name=" + "n" * 60 + "-1f"),
    ],
)
def test_a_name_for_its_sessions_changes_nothing_else_of_an_address(given: str, ours: str) -> None:
    """What the address said is still said, and a name in it is the beginning of the agent's."""
    assert named(f"postgresql://a:b@h/d{given}", "1f") == f"postgresql://a:b@h/d{ours}"
