"""What comes out of the warehouse: a few rows, or one value."""

from __future__ import annotations

import math
from typing import Any


def number(value: float) -> Any:
    """Return a constant as a double: SQL takes a written `1.0` for a decimal, of few digits."""
    import ibis

    return ibis.literal(repr(float(value))).cast("float64")


def rows(table: Any) -> list[dict[str, Any]]:
    """Return the rows of a small table of Ibis."""
    found: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return found


def scalar(expression: Any) -> Any:
    """Return the value of an expression that has one."""
    return expression.to_pyarrow().as_py()


def counts(table: Any, column: str) -> dict[str, int]:
    """Return how many rows there are of each value of a column, in order."""
    found = rows(table.group_by(column).agg(rows=table.count()))
    return {
        str(row[column]): row["rows"] for row in sorted(found, key=lambda row: str(row[column]))
    }


def quantile(table: Any, column: str, level: float) -> float | None:
    """Return a quantile of a column, between two values where it lies there; None of no rows.

    Some warehouses have approximate ones alone: of them the values at the two places are asked.
    """
    from ibis.common.exceptions import OperationNotDefinedError

    try:
        found = scalar(table[column].quantile(level))
    except OperationNotDefinedError:
        found = _at_place(table, column, level)
    return None if found is None else float(found)


def _at_place(table: Any, column: str, level: float) -> float | None:
    import ibis

    count: int = scalar(table.count())
    if not count:
        return None
    place = level * (count - 1)
    first, last = math.floor(place), math.ceil(place)
    ranked = table.select(
        amount=table[column], place=ibis.row_number().over(order_by=table[column])
    )
    found = {
        row["place"]: row["amount"] for row in rows(ranked.filter(ranked.place.isin([first, last])))
    }
    below, above = float(found[first]), float(found[last])
    return below + (above - below) * (place - first)
