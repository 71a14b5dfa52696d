"""6.5, 6.9 and 6.6: order between values of any two types, and between versions."""

from __future__ import annotations

import re
from typing import Any

from .freedom import free
from .values import double, is_number, number_text, text

Json = Any

#: White space and line ends of ECMAScript.
SPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
PREFIXED = re.compile(r"0([xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")


def utf16(string: str) -> bytes:
    """1.5: strings are ordered by UTF-16 code units."""
    return string.encode("utf-16-be", "surrogatepass")


def compare(left: Json, right: Json) -> int | None:
    """6.5: -1, 0 or 1; null when the two have no order, which fails all four operators."""
    # 6.9: arrays and objects become text.
    left = text(left) if isinstance(left, list | dict) else left
    right = text(right) if isinstance(right, list | dict) else right
    if isinstance(left, str) and isinstance(right, str):
        return _sign(utf16(left), utf16(right))
    a, b = to_number(left), to_number(right)
    return None if a != a or b != b else _sign(a, b)


def _sign(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


def to_number(value: Json) -> float:
    """6.9: null, booleans, numbers and strings as numbers; NaN for what is none."""
    if value is None:
        return 0.0
    if isinstance(value, str):
        return _string_to_number(value.strip(SPACE))
    return double(value) if is_number(value) else float(value)


def _string_to_number(string: str) -> float:
    if string == "":
        return 0.0
    if DECIMAL.fullmatch(string):
        return float(string)
    if string in {"Infinity", "+Infinity", "-Infinity"}:
        return float(string)
    if PREFIXED.fullmatch(string):
        if string[1].isupper():
            free("capital prefix of a number")
        return double(int(string, 0))
    return float("nan")


def padded_version(value: Json) -> str:
    """6.6: the padded form."""
    # 1
    if is_number(value):
        value = number_text(value)
    elif not isinstance(value, str) or value == "":
        value = "0"
    # 2
    value = value.removeprefix("v").split("+", 1)[0]
    # 3
    segments = value.replace("-", ".").split(".")
    # 4
    if len(segments) == 3:
        segments.append("~")
    # 5
    padded = [
        segment.rjust(5, " ") if segment.isascii() and segment.isdigit() else segment
        for segment in segments
    ]
    # 6
    return "-".join(padded)


def compare_versions(left: Json, right: Json) -> int:
    """6.6: the padded forms of both sides, as strings."""
    return _sign(utf16(padded_version(left)), utf16(padded_version(right)))
