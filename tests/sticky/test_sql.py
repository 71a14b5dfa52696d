"""What is particular to SQL: one SELECT, upserts, the table, and hostile content."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from abmiddleware import ConfigurationError
from abmiddleware.sticky import AsyncSQLStickyStore, SQLStickyStore, StickyDocument
from abmiddleware.sticky.sql_table import StickyTable
from tests.backends import free_port
from tests.sticky.conftest import address_of

DOCUMENT = StickyDocument("id", "u1", {"button__0": "1"})
DATABASES = ["sqlite", "postgres"]


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine of each database, without our table."""
    made = create_engine(address_of(request.param, request))
    yield made
    made.dispose()


@pytest.fixture(params=DATABASES)
async def async_engine(request: pytest.FixtureRequest) -> AsyncEngine:
    """An async engine of each database, without our table; whoever uses it disposes of it."""
    return create_async_engine(address_of(f"async-{request.param}", request))


def statements(engine: Engine) -> list[str]:
    """Return the list that the statements of an engine go to from now on."""
    told: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def tell(*facts: object) -> None:
        told.append(str(facts[2]).split()[0])

    @event.listens_for(engine, "begin")
    def tell_begin(_: object) -> None:
        told.append("BEGIN")

    return told


def test_a_load_is_one_select(engine: Engine) -> None:
    """All documents of a request come by one statement, and no keys are none."""
    store = SQLStickyStore(engine)
    store.create_table()
    told = statements(engine)
    store.load([])
    assert told == []

    store.load(["id||u1", "deviceId||d1", "company||c1"])
    assert [one for one in told if one != "BEGIN"] == ["SELECT"]


async def test_an_async_load_is_one_select(async_engine: AsyncEngine) -> None:
    """The same holds for the async store."""
    store = AsyncSQLStickyStore(async_engine)
    await store.create_table()
    told = statements(async_engine.sync_engine)
    await store.load([])
    await store.load(["id||u1", "deviceId||d1"])
    await async_engine.dispose()

    assert [one for one in told if one != "BEGIN"] == ["SELECT"]


def test_a_load_leaves_no_transaction_behind(engine: Engine) -> None:
    """Between requests no connection holds back what a database cleans up."""
    store = SQLStickyStore(engine)
    store.create_table()
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
    store.load(["id||u1"])

    if isinstance(raw, sqlite3.Connection):
        assert not raw.in_transaction
    else:
        assert raw is not None
        assert raw.info.transaction_status.name == "IDLE"


def test_the_table_is_created_once(engine: Engine) -> None:
    """Creating it again keeps what it holds."""
    store = SQLStickyStore(engine)
    store.create_table()
    store.save(DOCUMENT)
    store.create_table()

    assert store.load(["id||u1"]) == {"id||u1": DOCUMENT}


def test_an_unchanged_assignment_is_not_written_again(engine: Engine) -> None:
    """Saving what is there keeps the instant of its last change."""
    store = SQLStickyStore(engine)
    store.create_table()
    store.save(DOCUMENT)
    with engine.begin() as connection:
        connection.execute(text("UPDATE abmiddleware_sticky SET saved_at = '2020-01-01'"))
    store.save(DOCUMENT)
    assert _year(engine) == "2020"

    store.save(StickyDocument("id", "u1", {"button__0": "0"}))
    assert _year(engine) != "2020"


def _year(engine: Engine) -> str:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT CAST(saved_at AS TEXT) FROM abmiddleware_sticky"))
        return str(found.scalar_one())[:4]


def test_the_table_may_have_another_name(engine: Engine) -> None:
    """Two services may have a table each."""
    store = SQLStickyStore(engine, table="Shop_sticky")
    store.create_table()
    store.save(DOCUMENT)

    assert inspect(engine).has_table("Shop_sticky")
    assert not inspect(engine).has_table("abmiddleware_sticky")
    assert store.load(["id||u1"]) == {"id||u1": DOCUMENT}
    with engine.begin() as connection:
        connection.execute(text('DROP TABLE "Shop_sticky"'))


def test_a_missing_table_is_the_callers_to_hear_of(engine: Engine) -> None:
    """A store hides no failure: the caller counts it and goes on unsticky."""
    store = SQLStickyStore(engine)
    with pytest.raises(SQLAlchemyError, match="abmiddleware_sticky"):
        store.load(["id||u1"])
    with pytest.raises(SQLAlchemyError, match="abmiddleware_sticky"):
        store.save(DOCUMENT)


def test_a_server_that_is_gone_is_an_error() -> None:
    """A database that nobody answers for raises what SQLAlchemy raises."""
    engine = create_engine(
        f"postgresql+psycopg://postgres@127.0.0.1:{free_port()}/postgres",
        connect_args={"connect_timeout": 1},
    )
    with pytest.raises(OperationalError):
        SQLStickyStore(engine).load(["id||u1"])
    engine.dispose()


HOSTILE = {
    "bytes as variation": ("id||u1", "old__0", b"\xff"),
    "bytes as experiment": ("id||u1", b"old__0", "1"),
    "a key without bars": ("id", "old__0", "1"),
}


@pytest.mark.parametrize("row", HOSTILE.values(), ids=HOSTILE)
def test_rows_of_other_types_count_as_missing(sqlite_path: Path, row: tuple[object, ...]) -> None:
    """SQLite takes any type in any column; such a row raises nothing, and others are loaded."""
    engine = create_engine(f"sqlite:///{sqlite_path}")
    store = SQLStickyStore(engine)
    store.create_table()
    store.save(DOCUMENT)
    with closing(sqlite3.connect(sqlite_path)) as connection, connection:
        connection.execute(
            "INSERT INTO abmiddleware_sticky (document_key, assignment_key, variation_key)"
            " VALUES (?, ?, ?)",
            row,
        )
    assert store.load(["id||u1", "deviceId||d1"]) == {"id||u1": DOCUMENT}
    engine.dispose()


def test_the_columns_hold_the_longest_texts() -> None:
    """The sizes of the columns are those that stores keep, and fit PostgreSQL's index rows."""
    columns = StickyTable("postgresql", "sticky", "test").table.c
    sizes = {column.name: getattr(column.type, "length", None) for column in columns}

    assert sizes == {
        "document_key": 400,
        "assignment_key": 255,
        "variation_key": 255,
        "saved_at": None,
    }
    assert (400 + 255) * 4 + 64 < 2704


@pytest.mark.parametrize("dialect", [postgresql, sqlite], ids=["postgresql", "sqlite"])
def test_the_statements_are_those_of_the_dialect(dialect: object) -> None:
    """A migration tool can print how the table is created."""
    name = dialect.__name__.rpartition(".")[2]  # type: ignore[attr-defined]
    table = StickyTable(name, "sticky", "test")

    assert "CREATE TABLE IF NOT EXISTS sticky" in str(
        table.creation.compile(dialect=dialect.dialect())  # type: ignore[attr-defined]
    )


@pytest.mark.parametrize("name", ["", "a b", "a-b", "1a", "a" * 64, "a;", "ä", None, 1], ids=repr)
def test_a_wrong_table_name_is_refused(sqlite_path: Path, name: object) -> None:
    """The error says what a name must be."""
    engine = create_engine(f"sqlite:///{sqlite_path}")
    with pytest.raises(ConfigurationError, match=r"^table: is .*, must be at most 63 ASCII"):
        SQLStickyStore(engine, table=name)  # type: ignore[arg-type]


def test_a_wrong_engine_is_refused(sqlite_path: Path) -> None:
    """An engine of the other kind, a URL, and a database without our upsert are no engines."""
    plain = create_engine(f"sqlite:///{sqlite_path}")
    awaited = create_async_engine(f"sqlite+aiosqlite:///{sqlite_path}")

    with pytest.raises(ConfigurationError, match=r"^engine: is .*, must be an Engine of SQLAlch"):
        SQLStickyStore(awaited)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"^engine: is .*, must be an AsyncEngine of SQL"):
        AsyncSQLStickyStore(plain)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"^engine: is 'sqlite://', must be an Engine"):
        SQLStickyStore("sqlite://")  # type: ignore[arg-type]
    with pytest.raises(
        ConfigurationError, match=r"^engine: is of 'mysql', must be of sqlite or postgresql$"
    ):
        StickyTable(mysql.dialect.name, "sticky", "test")
