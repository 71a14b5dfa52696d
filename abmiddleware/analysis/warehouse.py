"""Where the records are: the journal by DuckDB, or the team's own warehouse by Ibis."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, Final
from weakref import finalize

import msgspec

from abmiddleware.analysis.events import Events
from abmiddleware.design.metrics import JOURNAL, EventSource
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.extras import required

#: The columns of the journal that an analysis reads, by table, as DuckDB's types: types that are
#: guessed depend on what a file begins with.
COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {
    "exposures": {
        "type": "VARCHAR",
        "ts_us": "BIGINT",
        "experiment_key": "VARCHAR",
        "phase": "INTEGER",
        "variation_key": "VARCHAR",
        "unit_type": "VARCHAR",
        "unit_id": "VARCHAR",
        "kind": "VARCHAR",
        "forced": "BOOLEAN",
        "config_hash": "VARCHAR",
    },
    "outcomes": {
        "type": "VARCHAR",
        "event_id": "VARCHAR",
        "ts_us": "BIGINT",
        "event": "VARCHAR",
        "value": "DOUBLE",
        "unit_ids": "JSON",
    },
    "suppressions": {
        "type": "VARCHAR",
        "event_id": "VARCHAR",
        "ts_us": "BIGINT",
        "experiment_key": "VARCHAR",
        "phase": "INTEGER",
        "reason": "VARCHAR",
        "count": "BIGINT",
    },
}
_TYPES: Final = {
    "exposures": "exposure",
    "outcomes": "outcome",
    "suppressions": "suppression",
}
#: The table that only a warehouse has whose journal left something out.
_SUPPRESSIONS: Final = "suppressions"
#: Those types as Ibis has them.
_EMPTY: Final = {"BIGINT": "int64", "INTEGER": "int32", "DOUBLE": "float64", "BOOLEAN": "boolean"}
#: Files beside a journal that are none.
_NO_JOURNALS: Final = (".quarantine", ".log", ".agent", ".json", ".lock", ".parquet")
#: Bytes that DuckDB keeps in memory; beyond it works on disk.
_MEMORY: Final = "1GB"
#: Larger journals, in bytes, are parsed into a file rather than into memory.
_LARGE: Final = 256 * 1024**2


class Warehouse(msgspec.Struct, frozen=True, eq=False):
    """Tables of exposures and events that Ibis reaches."""

    #: A connection of Ibis.
    backend: Any
    exposures: Any
    outcomes: Any
    #: Of events beside the journal's, by name.
    sources: Mapping[str, EventSource] = {}
    #: Of counts of exposures that were not recorded; None where there is none.
    suppressions: Any = None

    def events(self, source: str, unit_type: str) -> Events:
        """Return the events of a source, by the ids of a type of unit.

        Raises:
            ConfigurationError: the source has no table, no such column, or no such ids.
        """
        if source == JOURNAL:
            return Events.of_journal(self.outcomes, unit_type, self.backend.name)
        return Events.of_source(
            source, self.sources[source], self._read, unit_type, self.backend.name
        )

    def _read(self, source: EventSource) -> Any:
        if not source.sql:
            return self.backend.table(source.table)
        if self.backend.name != "duckdb":
            return self.backend.sql(source.sql)
        # Of DuckDB 2 Ibis 12 cannot ask what columns a query has, but of a view it can.
        view = f"abmiddleware_{blake2b(source.sql.encode(), digest_size=8).hexdigest()}"
        self.backend.raw_sql(f"CREATE OR REPLACE TEMPORARY VIEW {view} AS {source.sql.strip(' ;')}")
        return self.backend.table(view)


def open_warehouse(
    backend: Any, sources: Mapping[str, EventSource] | None = None, *, schema: str | None = None
) -> Warehouse:
    """Return the warehouse of a connection of Ibis, such as `ibis.postgres.connect(...)`.

    Args:
        backend: the connection.
        sources: of events beside the journal's, by name.
        schema: where the tables `exposures` and `outcomes` are, as the agent delivers them; None
            for the connection's own.

    Raises:
        ConfigurationError: it lacks a table.
    """
    _silence(backend)
    exposures, outcomes = (_table(backend, name, schema) for name in ("exposures", "outcomes"))
    try:
        suppressions = _table(backend, _SUPPRESSIONS, schema)
    except ConfigurationError:  # none was ever delivered
        suppressions = None
    return Warehouse(backend, exposures, outcomes, sources or {}, suppressions)


def _silence(backend: Any) -> None:
    """Keep DuckDB from drawing a bar of its progress into the standard output."""
    if backend.name == "duckdb":
        backend.raw_sql("SET enable_progress_bar = false")


def _table(backend: Any, name: str, schema: str | None) -> Any:
    where = f"{schema}.{name}" if schema else name
    try:
        found = backend.table(name) if schema is None else backend.table(name, database=schema)
    except Exception as error:
        raise ConfigurationError(
            f"warehouse: has no table {where} that can be read: {error}"
        ) from error
    return _selected(found.rename("snake_case") if backend.name == "snowflake" else found, where)


def _selected(table: Any, where: str) -> Any:
    """Return the columns of a table that an analysis reads.

    Raises:
        ConfigurationError: it lacks one.
    """
    name = where.rpartition(".")[2].rpartition("/")[2]
    columns = [column for column in COLUMNS[name] if column != "type"]
    missing = [column for column in columns if column not in table.columns]
    if missing:
        known, lacks = ", ".join(table.columns), ", ".join(map(repr, missing))
        raise ConfigurationError(
            f"{where}: there is no column {lacks}, only {known}; must be a table that the agent or "
            "`abmiddleware compact` wrote, or a view with these columns"
        )
    return table.select(*columns)


def open_journal(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    sources: Mapping[str, EventSource] | None = None,
) -> Warehouse:
    """Return the warehouse of journals: their lines, and the Parquet files made of them.

    Args:
        paths: of journals, with what was rotated and compacted beside them; of directories with the
            tables that `abmiddleware compact` or the agent wrote; or patterns.
        sources: of events beside the journal's, which DuckDB can read.

    Raises:
        ConfigurationError: there is no such file, or a package is missing.
    """
    required("duckdb", "analysis", "the analysis")
    ibis = required("ibis", "analysis", "the analysis")
    lines, lakes = _found([paths] if isinstance(paths, (str, os.PathLike)) else paths)
    place = mkdtemp(prefix="abmiddleware-")
    backend = ibis.duckdb.connect()
    settings = {
        "TimeZone": "UTC",
        "memory_limit": _MEMORY,
        "temp_directory": place,
        "preserve_insertion_order": "false",
    }
    for name, value in settings.items():
        backend.raw_sql(f"SET {name} = '{value}'")
    finalize(backend, rmtree, place, ignore_errors=True)
    _silence(backend)
    records = _parsed(backend, lines, place) if lines else None
    exposures, outcomes, suppressions = (
        _records(backend, table, records, lakes) for table in COLUMNS
    )
    return Warehouse(backend, exposures, outcomes, sources or {}, suppressions)


def _found(paths: Iterable[str | os.PathLike[str]]) -> tuple[list[str], list[Path]]:
    """Return the files of lines, and the directories of tables.

    Raises:
        ConfigurationError: there is nothing at a path.
    """
    lines: set[str] = set()
    lakes: set[Path] = set()
    for path in paths:
        text = os.fspath(path)
        beside = f"{glob.escape(os.path.splitext(text)[0])}.parquet"
        found = glob.glob(text)
        if not any(mark in text for mark in "*?["):
            found += [*glob.glob(f"{glob.escape(text)}.*"), *glob.glob(beside)]
        if not found:
            raise ConfigurationError(
                f"journal: there is no file {text}; nothing was recorded yet, or elsewhere"
            )
        for each in found:
            if os.path.isdir(each):
                lakes |= _lakes(Path(each))
            elif not each.endswith(_NO_JOURNALS):
                lines.add(each)
    return sorted(lines), sorted(lakes)


def _lakes(place: Path) -> set[Path]:
    """Return a directory if it has the tables; the agent puts them into one of its own."""
    return {
        each
        for each in (place, place / "experiments")
        if any((each / table).is_dir() for table in COLUMNS)
    }


def _parsed(backend: Any, lines: list[str], place: str) -> Any:
    """Return a table of the records of files of lines, which are parsed this once.

    Args:
        backend: DuckDB.
        lines: the files.
        place: a directory for what is too large for the memory.
    """
    import ibis

    columns = {name: kind for of in COLUMNS.values() for name, kind in of.items()}
    found = backend.read_json(
        lines, columns=columns, format="newline_delimited", ignore_errors=True
    )
    found = found.filter(found.type.isin([*_TYPES.values()]))
    # Half of what a file of exposures holds is ids of events, which they are not told by.
    is_exposure = found.type == _TYPES["exposures"]
    kept = ibis.ifelse(is_exposure, ibis.null("string"), found.event_id)
    found = found.mutate(event_id=kept)
    if sum(map(os.path.getsize, lines)) <= _LARGE:
        return backend.create_table("records", found)
    # Faster than a database of DuckDB's own on disk.
    path = os.path.join(place, "records.parquet")
    found.to_parquet(path, compression="lz4")
    return backend.read_parquet(path)


def _records(backend: Any, table: str, records: Any, lakes: list[Path]) -> Any:
    """Return a table of all that files hold of it."""
    import ibis

    parts = []
    if records is not None:
        parts.append(_selected(records.filter(records.type == _TYPES[table]), table))
    for lake in lakes:
        files = sorted(map(str, (lake / table).glob("*/*.parquet")))
        if files:
            parts.append(_selected(backend.read_parquet(files), f"{lake}/{table}"))
    if not parts:
        schema = {name: _EMPTY.get(kind, "string") for name, kind in COLUMNS[table].items()}
        parts.append(ibis.memtable([], schema=ibis.schema(schema)))
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.union(part.cast(whole.schema()))
    return whole
