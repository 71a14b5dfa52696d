"""What attributes may be: JSON values, and ids that name somebody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from numbers import Integral, Real
from typing import SupportsInt, cast
from uuid import UUID

from abmiddleware.evaluation.values import shown
from abmiddleware.notices import notices

#: The types of JSON values that hold no others.
SCALARS = frozenset({str, int, float, bool, type(None)})
#: What a missing id becomes where it is made a text. All who have one would be one visitor.
NO_IDS = frozenset(
    {"", "null", "NULL", "undefined", "None", "none", "nil", "NaN", "nan", "AnonymousUser"}
)


def plain(name: str, value: object) -> object:
    """Return an attribute as a JSON value, so that it is hashed and compared as elsewhere.

    UUIDs, decimals, dates, enums, tuples and the numbers of NumPy are converted, also within lists
    and objects; anything else counts as missing, with a warning, since its text may differ between
    processes.
    """
    try:
        return as_json(value)
    except Exception:  # noqa: BLE001  # a value of any type may come, with any conversion
        notices.warn(
            f"attribute {name}",
            "attribute %r counts as missing: %s is no JSON value; give its id or text",
            name,
            shown(value),
        )
        return None


def as_json(value: object) -> object:
    """Return a value as JSON holds it; see `plain`.

    Raises:
        Exception: of any kind, it cannot.
    """
    return value if _is_plain(value) else _converted(value)


def _is_plain(value: object) -> bool:
    """Tell whether a value is a JSON value already."""
    kind = type(value)
    if kind is list:
        return all(map(_is_plain, cast(list[object], value)))
    if kind is dict:
        return all(map(_is_plain, cast(dict[str, object], value).values()))
    return kind in SCALARS


def _is_whole(value: Integral | Real | Decimal) -> bool:
    if isinstance(value, Decimal):
        return value == value.to_integral_value()
    return isinstance(value, Integral)


def _converted(value: object) -> object:
    if type(value) in SCALARS:
        return value
    if isinstance(value, Enum):
        return _converted(value.value)
    if isinstance(value, str):
        return str.__str__(value)  # Django's SafeString returns itself from str()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (Integral, Real, Decimal)):
        return int(cast(SupportsInt, value)) if _is_whole(value) else float(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_converted(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _converted(item) for name, item in value.items()}
    raise TypeError


def is_no_id(name: str, value: object) -> bool:
    """Tell whether an attribute that should be an id is none; tell the team."""
    if type(value) is not str or value not in NO_IDS:
        return False
    if name != "id" and not name.endswith(("_id", "Id", "ID")):
        return False
    notices.warn_once(
        f"no id {name} {value}",
        lambda: (
            f"attribute {name!r} counts as missing: {value!r} is what becomes of a missing id; "
            "give None where there is none"
        ),
    )
    return True
