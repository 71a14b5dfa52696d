"""Events of units, whatever table they are from: whose, when, what, how much."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import msgspec

from abmiddleware.analysis.queries import number
from abmiddleware.design.metrics import EventSource, Measure
from abmiddleware.exceptions import ConfigurationError

#: Larger ones are infinite.
_LARGEST: Final = 1e308
#: By Ibis' name of a database, its function that reads a field of JSON as text, and the path to it.
_FUNCTIONS: Final = {
    "athena": ("json_extract_scalar", '$["{}"]'),
    "bigquery": ("json_value", '$."{}"'),
    "clickhouse": ("JSONExtractString", "{}"),
    "databricks": ("get_json_object", "$['{}']"),
    "duckdb": ("json_extract_string", '$."{}"'),
    "postgres": ("json_extract_path_text", "{}"),
    "pyspark": ("get_json_object", "$['{}']"),
    "snowflake": ("json_extract_path_text", '"{}"'),
    "trino": ("json_extract_scalar", '$["{}"]'),
}


class Events(msgspec.Struct, frozen=True):
    """A table of Ibis with `unit_id`, `ts_us`, and what is measured."""

    name: str
    table: Any
    #: Whether it is the journal's, where events have names.
    has_names: bool

    @classmethod
    def of_journal(cls, outcomes: Any, unit_type: str, dialect: str) -> Events:
        """Return the journal's outcomes of a type of unit.

        Raises:
            ConfigurationError: the table lacks a column.
        """
        names = ("event_id", "ts_us", "event", "value")
        table = outcomes.select(
            unit_id=_id_in(_column(outcomes, "outcomes", "unit_ids"), unit_type, dialect),
            **{name: _column(outcomes, "outcomes", name) for name in names},
        )
        return cls("journal", table.filter(table.unit_id.notnull()), True)

    @classmethod
    def of_source(
        cls,
        name: str,
        source: EventSource,
        read: Callable[[EventSource], Any],
        unit_type: str,
        dialect: str,
    ) -> Events:
        """Return the events of a table of the team's own.

        Raises:
            ConfigurationError: it cannot be read, or lacks a column.
        """
        if unit_type not in source.ids:
            raise ConfigurationError(
                f"sources.{name}.ids: has no {unit_type!r}, which the experiment randomises by; "
                f"has {', '.join(map(repr, source.ids))}"
            )
        try:
            table = read(source)
        except Exception as error:
            raise ConfigurationError(f"sources.{name}: cannot be read: {error}") from error
        place = f"sources.{name}"
        unit = _column(table, f"{place}.ids.{unit_type}", source.ids[unit_type])
        time = _column(table, f"{place}.time", source.time)
        if not time.type().is_integer():
            time = _microseconds(time, dialect)
        return cls(name, table.mutate(unit_id=unit.cast("string"), ts_us=time), False)

    def measured(self, measure: Measure) -> Any:
        """Return the events of a measure, with `unit_id`, `ts_us` and `amount`.

        Those of the journal have `event_id`, too, and may be there twice.

        Raises:
            ConfigurationError: the table lacks the column.
        """
        table = self.table
        if self.has_names:
            table = table.filter(table.event == measure.event)
            return table.select("event_id", "unit_id", "ts_us", amount=_finite(table.value))
        if measure.aggregate == "count":
            return table.select("unit_id", "ts_us", amount=number(1))
        amount = _column(table, f"sources.{self.name}.{measure.column}", measure.column)
        return table.select("unit_id", "ts_us", amount=_finite(amount.cast("float64")))


def _finite(amount: Any) -> Any:
    """Return 0 for what is no number: null, NaN and the infinite, which `track` writes as null."""
    import ibis

    is_number = (amount >= number(-_LARGEST)) & (amount <= number(_LARGEST))
    return ibis.ifelse(is_number, amount, number(0))


def _microseconds(time: Any, dialect: str) -> Any:
    """Return a timestamp in microseconds since 1970.

    Many warehouses' seconds are whole ones, so that what is behind the point is asked apart; Spark
    has a function for both.
    """
    if dialect in ("pyspark", "databricks"):
        return _conversion("unix_micros", time.type())(time)
    return time.truncate("s").epoch_seconds().cast("int64") * 1_000_000 + time.microsecond()


@cache
def _conversion(name: str, kind: Any) -> Any:
    """Return a function of the database's own, of a value, to an integer."""
    import ibis

    def of_value(value: Any) -> Any:
        raise NotImplementedError  # it is the database's

    of_value.__name__ = name
    return ibis.udf.scalar.builtin(of_value, name=name, signature=((kind,), "int64"))


def _id_in(ids: Any, unit_type: str, dialect: str) -> Any:
    """Return the id of a type of unit in a column of JSON objects, as text if it is a number.

    Lakes and some databases keep JSON as text. A cast does not parse it everywhere, and Ibis' own
    access passes numbers over, so that each database is asked by its function.
    """
    name, path = _FUNCTIONS.get(dialect, ("", ""))
    if dialect == "postgres":
        is_binary = ids.type().is_json() and ids.type().binary
        name = "jsonb_extract_path_text" if is_binary else "json_extract_path_text"
        ids = ids if ids.type().is_json() else ids.cast("json")
    elif dialect == "clickhouse":
        ids = ids.cast("string")  # it has no function for its own type, and answers ""
        return _builtin(name, "string")(ids, unit_type).nullif("")
    elif dialect in ("snowflake", "databricks") and ids.type().is_json():
        return ids[unit_type].cast("string")
    if name:
        return _builtin(name, ids.type())(ids, path.format(unit_type))
    ids = ids if ids.type().is_json() else ids.cast("json")
    return ids[unit_type].str


@cache
def _builtin(name: str, kind: Any) -> Any:
    """Return a function of the database's own, of JSON and a path to a text in it."""
    import ibis

    def at_path(ids: Any, path: Any) -> Any:
        raise NotImplementedError  # it is the database's

    at_path.__name__ = name
    return ibis.udf.scalar.builtin(at_path, name=name, signature=((kind, "string"), "string"))


def _column(table: Any, path: str, name: str) -> Any:
    if name not in table.columns:
        known = ", ".join(map(repr, table.columns))
        raise ConfigurationError(f"{path}: there is no column {name!r}, only {known}")
    return table[name]
