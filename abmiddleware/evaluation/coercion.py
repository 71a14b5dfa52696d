"""Order between values of any types (specification, sections 6.5 and 6.9).

The one place that holds ECMAScript's coercions: later versions of the specification drop them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from abmiddleware.evaluation.values import is_number, string_order, text

Comparison = Callable[[Any, Any], bool]

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_OTHER_BASES = {
    "0x": (16, re.compile(r"[0-9a-fA-F]+", re.ASCII)),
    "0o": (8, re.compile(r"[0-7]+", re.ASCII)),
    "0b": (2, re.compile(r"[01]+", re.ASCII)),
}
_INFINITY = {"Infinity": float("inf"), "+Infinity": float("inf"), "-Infinity": float("-inf")}
#: What ECMAScript trims from a string that becomes a number.
_SPACE = "\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B)))
_SPACE += "\u2028\u2029\u202f\u205f\u3000\ufeff"


def compare(left: object, right: object, holds: Comparison) -> bool:
    """Compare two values by an order such as `operator.lt`; false where they have no order."""
    if is_number(left) and is_number(right):
        return holds(left, right)
    try:
        return _compare_others(left, right, holds)
    except RecursionError:
        return False


def _compare_others(left: object, right: object, holds: Comparison) -> bool:
    if isinstance(left, (list, dict)):
        left = text(left)
    if isinstance(right, (list, dict)):
        right = text(right)
    if isinstance(left, str) and isinstance(right, str):
        return holds(string_order(left), string_order(right))
    return holds(_number(left), _number(right))


def _number(value: object) -> float:
    """Convert as ECMAScript's Number() does; NaN, which no order holds for, where it cannot."""
    if value is None:
        return 0.0
    if isinstance(value, (bool, int, float)):
        return value
    return _parsed(value) if isinstance(value, str) else float("nan")


def _parsed(value: str) -> float:
    stripped = value.strip(_SPACE)
    if not stripped:
        return 0.0
    if stripped in _INFINITY:
        return _INFINITY[stripped]
    base = _OTHER_BASES.get(stripped[:2].lower())
    if base is not None and base[1].fullmatch(stripped, 2):
        return int(stripped[2:], base[0])
    return float(stripped) if _DECIMAL.fullmatch(stripped) else float("nan")
