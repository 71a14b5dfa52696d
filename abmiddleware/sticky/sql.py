"""Stores in a SQL database, by SQLAlchemy: SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.extras import required
from abmiddleware.sticky.document import StickyDocument, storable, storable_keys
from abmiddleware.sticky.sql_table import StickyTable

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

TABLE: Final = "abmiddleware_sticky"


def _check(engine: object, kind: type, name: str) -> None:
    if not isinstance(engine, kind):
        raise ConfigurationError(f"engine: is {shown(engine)}, must be {name}")


class SQLStickyStore:
    """Keeps one row for each assignment: one SELECT for a load, one upsert a row for a save.

    The store waits as long as the engine does, on the path of the request. Give it limits:
    `pool_timeout=1` (seconds until a connection is free), and as `connect_args` for PostgreSQL
    `{"connect_timeout": 1, "options": "-c statement_timeout=200"}` (seconds, milliseconds), for
    SQLite `{"timeout": 0.2}` (seconds that it waits for other writers).

    Args:
        engine: whatever it raises, the store raises.
        table: the table's name. Its schema can be set by the engine's `schema_translate_map`.

    Raises:
        ConfigurationError: an argument is wrong, or SQLAlchemy is missing.
    """

    def __init__(self, engine: Engine, *, table: str = TABLE) -> None:
        name = type(self).__name__
        _check(engine, required("sqlalchemy", "sql", name).Engine, "an Engine of SQLAlchemy")
        self._table = StickyTable(engine.dialect.name, table, name)
        self._engine = engine
        # A SELECT needs no transaction, which would cost it two more round trips.
        self._reader = engine.execution_options(isolation_level="AUTOCOMMIT")

    def create_table(self) -> None:
        """Create the table unless it is there. Do it once, where you deploy."""
        with self._engine.begin() as connection:
            connection.execute(self._table.creation)

    def load(self, keys: Sequence[str]) -> Mapping[str, StickyDocument]:
        """Return the documents that are stored, by key."""
        wanted = storable_keys(keys)
        if not wanted:
            return {}
        with self._reader.connect() as connection:
            rows = connection.execute(*self._table.select(wanted)).all()
        return self._table.documents(rows)

    def save(self, document: StickyDocument) -> None:
        """Lay the document's assignments over what is stored under its key."""
        if (fresh := storable(document)) is not None:
            with self._engine.begin() as connection:
                connection.execute(self._table.upsert, self._table.rows(fresh))


class AsyncSQLStickyStore:
    """A `SQLStickyStore` for the `AsyncEngine` of SQLAlchemy."""

    def __init__(self, engine: AsyncEngine, *, table: str = TABLE) -> None:
        name = type(self).__name__
        package = required("sqlalchemy.ext.asyncio", "sql", name)
        _check(engine, package.AsyncEngine, "an AsyncEngine of SQLAlchemy")
        self._table = StickyTable(engine.dialect.name, table, name)
        self._engine = engine
        self._reader = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def create_table(self) -> None:
        """Create the table unless it is there. Do it once, where you deploy."""
        async with self._engine.begin() as connection:
            await connection.execute(self._table.creation)

    async def load(self, keys: Sequence[str]) -> Mapping[str, StickyDocument]:
        """Return the documents that are stored, by key."""
        wanted = storable_keys(keys)
        if not wanted:
            return {}
        async with self._reader.connect() as connection:
            rows = (await connection.execute(*self._table.select(wanted))).all()
        return self._table.documents(rows)

    async def save(self, document: StickyDocument) -> None:
        """Lay the document's assignments over what is stored under its key."""
        if (fresh := storable(document)) is not None:
            async with self._engine.begin() as connection:
                await connection.execute(self._table.upsert, self._table.rows(fresh))
