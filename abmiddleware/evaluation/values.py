"""JSON values as the evaluation sees them: truth, text and order (specification, section 1)."""

from __future__ import annotations

import reprlib
from decimal import Decimal
from typing import Final

#: Whole numbers below this are exact in an IEEE double, so their text is their digits.
_EXACT: Final = 2**53


class Attributes(dict[str, object]):
    """What is known of the unit under evaluation, by attribute name; a missing attribute is None.

    Subclasses may compute an attribute when it is first read.
    """

    __slots__ = ("_searched",)

    @property
    def searched(self) -> float:
        """What the searches of patterns in them have cost so far, in nanoseconds."""
        return getattr(self, "_searched", 0.0)

    @searched.setter
    def searched(self, cost: float) -> None:
        self._searched = cost

    def __missing__(self, name: str) -> object:
        return None

    def get(self, name: str, default: object = None) -> object:
        """Return the attribute, computing it where needed."""
        value = self[name]
        return default if value is None else value

    def known(self, name: str) -> object:
        """Return the attribute if that takes no side effect such as issuing an id, else None."""
        return self[name]


_SHORT: Final = reprlib.Repr()
_SHORT.maxother = _SHORT.maxstring = 80


def shown(value: object) -> str:
    """Show a value in a message: short, and safe for one that is deep or refers to itself."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python refuses to write integers of thousands of digits
        return f"too long to show ({type(value).__name__})"


def is_number(value: object) -> bool:
    """Tell whether a value is a JSON number; a bool is not."""
    return type(value) is int or type(value) is float


def is_truthy(value: object) -> bool:
    """Tell whether a value is truthy: empty arrays and objects are, 0, NaN and "" are not (1.2)."""
    if value is None or value is False or value == "":
        return False
    return not (is_number(value) and (value == 0 or value != value))


def number_text(number: float) -> str:
    """Lay a number out as ECMAScript does: 1.0 is "1", 1e21 is "1e+21" (1.3)."""
    if type(number) is int and -_EXACT < number < _EXACT:
        return str(number)
    try:
        value = float(number)
    except OverflowError:
        value = float("inf") if number > 0 else float("-inf")
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    return ("-" if value < 0 else "") + _positive_text(abs(value))


def _positive_text(value: float) -> str:
    _, all_digits, exponent = Decimal(repr(value)).as_tuple()
    point = len(all_digits) + int(exponent)
    digits = "".join(map(str, all_digits)).rstrip("0")
    if 0 < point <= 21:
        if len(digits) <= point:
            return digits + "0" * (point - len(digits))
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    power = point - 1
    return f"{mantissa}e{'+' if power > 0 else '-'}{abs(power)}"


def text(value: object) -> str:
    """Return the text of any value, as ECMAScript converts it (1.4).

    Raises:
        RecursionError: arrays nested deeper than the interpreter's stack.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, list):
        return ",".join("" if item is None else text(item) for item in value)
    return "[object Object]"


def unit_text(value: object) -> str | None:
    """Return the text that is hashed for a unit; None where the value identifies nobody (3.3)."""
    if type(value) is str:
        return value or None
    if not is_truthy(value):
        return None
    try:
        return text(value)
    except RecursionError:
        return None


def string_order(value: str) -> bytes:
    """Return a key that sorts strings by UTF-16 code units (1.5)."""
    return value.encode("utf-16-be", "surrogatepass")


def same(left: object, right: object) -> bool:
    """Tell whether two scalars have the same JSON type and are equal; never so for containers."""
    if left is None or right is None or isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, str):
        return isinstance(right, str) and left == right
    return is_number(left) and is_number(right) and left == right


def deeply_equal(left: object, right: object) -> bool:
    """Compare two JSON values as their serialisations compare, order of keys included (6.3)."""
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(deeply_equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        ours, theirs = ordered_keys(left), ordered_keys(right)
        return ours == theirs and all(deeply_equal(left[key], right[key]) for key in ours)
    return same(left, right)


def ordered_keys(value: dict[str, object]) -> list[str]:
    """Return keys in ECMAScript's order: array indices ascending, then by insertion."""
    indices = [key for key in value if array_index(key) is not None]
    if not indices:
        return list(value)
    rest = [key for key in value if array_index(key) is None]
    return sorted(indices, key=int) + rest


def array_index(key: object) -> int | None:
    """Return a canonical array index such as "0" or "12" as a number; None for anything else."""
    if not (isinstance(key, str) and key.isascii() and key.isdigit()) or len(key) > 10:
        return None
    if key[0] == "0" and key != "0":
        return None
    index = int(key)
    return index if index < 2**32 - 1 else None
