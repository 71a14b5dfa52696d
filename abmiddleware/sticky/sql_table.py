"""The table of sticky assignments: one row each, so that no save can lose another one's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.extras import required
from abmiddleware.sticky.document import MAX_KEY, MAX_TEXT, StickyDocument

if TYPE_CHECKING:
    from sqlalchemy import Executable, Table
    from sqlalchemy.schema import CreateTable

_TABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_DIALECTS: Final = ("sqlite", "postgresql")


class StickyTable:
    """What both SQL stores say to the database, and what they make of its answer.

    Args:
        dialect: the name of the database's dialect.
        name: the name of the table.
        needed_by: the name of the store, for messages.

    Raises:
        ConfigurationError: no such table can be, or SQLAlchemy is missing.
    """

    table: Table
    #: Creates the table unless it is there.
    creation: CreateTable
    #: Saves one assignment, a row of `rows`.
    upsert: Executable

    def __init__(self, dialect: str, name: str, needed_by: str) -> None:
        sql = required("sqlalchemy", "sql", needed_by)
        if not isinstance(name, str) or not _TABLE_NAME.fullmatch(name):
            raise ConfigurationError(
                f"table: is {shown(name)}, must be at most 63 ASCII letters, digits and _"
            )
        if dialect not in _DIALECTS:
            raise ConfigurationError(
                f"engine: is of {shown(dialect)}, must be of {' or '.join(_DIALECTS)}"
            )
        self.table = _table(sql, name)
        self.creation = sql.schema.CreateTable(self.table, if_not_exists=True)
        self.upsert = _upsert(sql, dialect, self.table)
        columns = self.table.c
        self._select = sql.select(
            columns.document_key, columns.assignment_key, columns.variation_key
        ).where(columns.document_key.in_(sql.bindparam("keys", expanding=True)))

    def select(self, keys: Sequence[str]) -> tuple[Executable, dict[str, Any]]:
        """Return the one statement that loads documents, and its parameters."""
        return self._select, {"keys": list(keys)}

    def rows(self, document: StickyDocument) -> list[dict[str, str]]:
        """Return the rows of a document, in one order, lest two savers wait for each other."""
        key = document.key
        return [
            {"document_key": key, "assignment_key": assignment, "variation_key": variation}
            for assignment, variation in sorted(document.assignments.items())
        ]

    def documents(self, rows: Iterable[Sequence[object]]) -> dict[str, StickyDocument]:
        """Return the documents of the rows that were loaded."""
        found: dict[str, dict[str, str]] = {}
        for key, assignment, variation in rows:
            # SQLite keeps whatever somebody wrote into a column, of any type.
            if isinstance(key, str) and isinstance(assignment, str) and isinstance(variation, str):
                found.setdefault(key, {})[assignment] = variation
        return {key: StickyDocument.of(key, assignments) for key, assignments in found.items()}


def _table(sql: Any, name: str) -> Table:
    table: Table = sql.Table(
        name,
        sql.MetaData(),
        sql.Column("document_key", sql.String(MAX_KEY), primary_key=True),
        sql.Column("assignment_key", sql.String(MAX_TEXT), primary_key=True),
        sql.Column("variation_key", sql.String(MAX_TEXT), nullable=False),
        # When it was last changed: for whoever wants to delete old ones.
        sql.Column(
            "saved_at", sql.DateTime(timezone=True), nullable=False, server_default=sql.func.now()
        ),
    )
    return table


def _upsert(sql: Any, dialect: str, table: Table) -> Executable:
    insert = required(f"sqlalchemy.dialects.{dialect}", "sql", "sticky").insert(table)
    fresh = insert.excluded.variation_key
    upsert: Executable = insert.on_conflict_do_update(
        index_elements=[table.c.document_key, table.c.assignment_key],
        set_={"variation_key": fresh, "saved_at": sql.func.now()},
        where=table.c.variation_key != fresh,
    )
    return upsert
