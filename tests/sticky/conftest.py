"""The backends of the stores: started once, emptied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import create_engine, text

from abmiddleware.sticky import StickyStore
from tests.backends import postgres_server, redis_server
from tests.sticky.places import PLACES


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a Redis."""
    with redis_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    """The address of a PostgreSQL."""
    with postgres_server() as address:
        yield address


@pytest.fixture
def empty_redis(redis_url: str) -> str:
    """The URL of a Redis without keys."""
    with Redis.from_url(redis_url) as client:
        client.flushall()
        client.config_resetstat()
    return redis_url


@pytest.fixture
def empty_postgres(postgres_address: str) -> str:
    """The address of a PostgreSQL without our table."""
    engine = create_engine(f"postgresql+psycopg://{postgres_address}")
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS abmiddleware_sticky"))
    engine.dispose()
    return postgres_address


def address_of(place: str, request: pytest.FixtureRequest) -> str:
    """Return the address of a place whose backend runs and is empty."""
    form = PLACES[place][1]
    backends = {
        "redis": "empty_redis",
        "postgres": "empty_postgres",
        "directory": "tmp_path",
    }
    return form.format_map(
        {
            name: request.getfixturevalue(fixture)
            for name, fixture in backends.items()
            if f"{{{name}}}" in form
        }
    )


@pytest.fixture(params=PLACES)
def store(request: pytest.FixtureRequest) -> Iterator[StickyStore]:
    """Each store, empty."""
    with PLACES[request.param][0](address_of(request.param, request)) as opened:
        yield opened


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    """A file for SQLite that is not there yet."""
    return tmp_path / "sticky.db"
