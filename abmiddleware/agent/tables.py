"""Rows as Arrow tables, with the columns of `docs/records.md`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from abmiddleware.agent.rows import FORMS, INTEGER, TABLE_OF
from abmiddleware.extras import required

if TYPE_CHECKING:
    from pyarrow import Table

_DAY: Final = 86_400_000_000


def day_of(ts_us: int) -> str:
    """Return the UTC day of an instant, such as `2026-11-23`."""
    return datetime.fromtimestamp(ts_us // _DAY * 86_400, UTC).strftime("%Y-%m-%d")


def by_table(rows: Iterable[Any]) -> dict[str, list[Any]]:
    """Return the rows of each table; of those with one `event_id` the first."""
    seen: dict[str, dict[str, Any]] = {table: {} for table in FORMS}
    for row in rows:
        seen[TABLE_OF[type(row)]].setdefault(row.event_id, row)
    return {table: list(found.values()) for table, found in seen.items() if found}


def by_day(rows: Iterable[Any]) -> dict[str, list[Any]]:
    """Return the rows of each UTC day."""
    days: dict[int, list[Any]] = {}
    for row in rows:
        days.setdefault(row.ts_us // _DAY, []).append(row)
    return {day_of(day * _DAY): days[day] for day in sorted(days)}


def json_columns(table: str) -> list[str]:
    """Return the columns of a table that hold JSON."""
    return [
        field.name for field in msgspec.structs.fields(FORMS[table]) if field.type is msgspec.Raw
    ]


def arrow_table(table: str, rows: Sequence[Any]) -> Table:
    """Return rows of one table as an Arrow table.

    `ts` is a timestamp, made of `ts_us`. Objects are JSON text.

    Raises:
        ConfigurationError: pyarrow is not installed.
    """
    arrow = required("pyarrow", "warehouse", "the agent")
    columns, fields = [], []
    kind = FORMS[table].__struct_config__.tag
    fields.append(arrow.field("type", arrow.string(), nullable=False))
    columns.append(arrow.repeat(arrow.scalar(kind, arrow.string()), len(rows)))
    for name, form in _columns(FORMS[table]).items():
        kept = arrow.field(name, _arrow_type(arrow, name, form), nullable="None" in str(form))
        fields.append(kept)
        columns.append(arrow.array(_values(rows, name, form), kept.type))
    return arrow.Table.from_arrays(columns, schema=arrow.schema(fields))


def _columns(form: type[Any]) -> Mapping[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(form)}


def _values(rows: Sequence[Any], name: str, form: Any) -> list[object]:
    if name == "ts":
        return [row.ts_us for row in rows]
    if form is msgspec.Raw:
        return [str(getattr(row, name), "utf-8") for row in rows]
    return [getattr(row, name) for row in rows]


def _arrow_type(arrow: Any, name: str, form: Any) -> Any:
    if name == "ts":
        return arrow.timestamp("us", tz="UTC")
    if form is INTEGER:
        return arrow.int64()
    if form is bool:
        return arrow.bool_()
    return arrow.float64() if "float" in str(form) else arrow.string()
