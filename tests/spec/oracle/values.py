"""Section 1: values, truth, text, order; and the equalities of 6.3 and 6.4."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

Json = Any


def is_number(value: Json) -> bool:
    """1.1: there is one number type; a boolean is not one."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def double(number: float) -> float:
    """1.1: the nearest IEEE double."""
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def field(record: Json, name: str) -> Json:
    """1.1: an optional field; an explicit null is as good as absent."""
    return record.get(name) if isinstance(record, dict) else None


def entries(record: Json) -> dict[str, Json]:
    """Return what should be an object, or an empty one."""
    return record if isinstance(record, dict) else {}


def truthy(value: Json) -> bool:
    """1.2: empty arrays and objects are truthy, which Python's `bool` denies."""
    if value is None or value is False:
        return False
    if is_number(value):
        return bool(value == value and value != 0)
    return not (isinstance(value, str) and value == "")


def number_text(number: float) -> str:
    """1.3: the digits are those of `repr`, the layout is ECMAScript's."""
    value = double(number)
    if value in {float("inf"), float("-inf")}:
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    shortest = Decimal(repr(abs(value))).normalize().as_tuple()
    digits = "".join(str(digit) for digit in shortest.digits)
    assert isinstance(shortest.exponent, int)
    return ("-" if value < 0 else "") + _layout(digits, len(digits) + shortest.exponent)


def _layout(digits: str, p: int) -> str:
    k = len(digits)
    if k <= p <= 21:
        return digits + "0" * (p - k)
    if 0 < p <= 21:
        return f"{digits[:p]}.{digits[p:]}"
    if -6 < p <= 0:
        return "0." + "0" * -p + digits
    fraction = f".{digits[1:]}" if k > 1 else ""
    return f"{digits[0]}{fraction}e{'-' if p - 1 < 0 else '+'}{abs(p - 1)}"


def text(value: Json) -> str:
    """1.4: the text of any value."""
    if isinstance(value, str):
        return value
    if value is True or value is False or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, list):
        return ",".join("" if element is None else text(element) for element in value)
    return "[object Object]" if isinstance(value, dict) else number_text(value)


def units(string: str) -> list[int]:
    """3.1: the UTF-16 code units of a string."""
    encoded = string.encode("utf-16-be", "surrogatepass")
    return [encoded[at] * 256 + encoded[at + 1] for at in range(0, len(encoded), 2)]


def type_name(value: Json) -> str:
    """6.4: the name that `$type` compares with."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if is_number(value):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def same(left: Json, right: Json) -> bool:
    """6.4: the same null, boolean, number or string; never arrays or objects."""
    if type_name(left) != type_name(right) or isinstance(left, list | dict):
        return False
    return bool(left == right)


def deeply_equal(left: Json, right: Json) -> bool:
    """6.3 step 3: equal with equal types, objects also in the order of their keys."""
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(deeply_equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        names = serialised_order(left)
        return names == serialised_order(right) and all(
            deeply_equal(left[name], right[name]) for name in names
        )
    return same(left, right)


def serialised_order(record: dict[str, Json]) -> list[str]:
    """6.3 step 3: integer-like keys first, ascending; then insertion order."""
    integers = [name for name in record if is_index(name)]
    return sorted(integers, key=int) + [name for name in record if not is_index(name)]


def is_index(name: str) -> bool:
    """6.2: a canonical index: ASCII digits without leading zeros."""
    return name.isascii() and name.isdigit() and (name == "0" or not name.startswith("0"))
