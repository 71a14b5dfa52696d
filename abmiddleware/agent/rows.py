"""Lines of the journal as rows for a warehouse: objects stay the JSON text that they are."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

import msgspec

from abmiddleware.exposures.records import (
    SCHEMA,
    ExposureRow,
    LinkRow,
    OutcomeRow,
    SuppressionRow,
)

#: The tables, by the type of the rows in them.
TABLES: Final = {
    "exposure": "exposures",
    "outcome": "outcomes",
    "link": "links",
    "suppression": "suppressions",
}
#: Longer event ids are refused, in characters: databases index them.
_MAX_EVENT_ID: Final = 256
#: The first microsecond of the year 10,000, which many databases lack.
_MAX_TS: Final = 253_402_300_800_000_000
#: What databases take as an integer.
INTEGER: Final = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

#: An escaped NUL, which PostgreSQL and others refuse; not a backslash that is followed by text.
_NUL: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def _form(kind: str, row: type[msgspec.Struct]) -> type[Any]:
    """Return a form of row whose objects are not decoded, and whose type is its tag."""
    fields = [
        (field.name, _type(field.type))
        for field in msgspec.structs.fields(row)
        if field.name != "type"
    ]
    return msgspec.defstruct(
        f"Raw{row.__name__}", fields, tag_field="type", tag=kind, frozen=True, gc=False
    )


def _type(of: Any) -> Any:
    if of is int:
        return INTEGER
    return msgspec.Raw if "dict" in str(of) else of


#: The form of the rows of each table.
FORMS: Final = {
    "exposures": _form("exposure", ExposureRow),
    "outcomes": _form("outcome", OutcomeRow),
    "links": _form("link", LinkRow),
    "suppressions": _form("suppression", SuppressionRow),
}
#: The table of each form.
TABLE_OF: Final = {form: table for table, form in FORMS.items()}

_exposure, _outcome, _link, _suppression = FORMS.values()
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(
    _exposure | _outcome | _link | _suppression
)


def decode(line: bytes) -> Any:
    """Return the row of a line, of one of `FORMS`.

    Raises:
        ValueError: the line is no row, or holds what no warehouse takes.
    """
    if b"\\u" in line:
        line = _plain(line)
    if not line.isascii():
        str(line, "utf-8")  # what is not decoded is not checked either
    try:
        row = _decoder.decode(line)
    except RecursionError:
        raise ValueError("the row is nested too deeply") from None
    if row.v != SCHEMA:
        raise ValueError(f"v: is {row.v}, must be {SCHEMA}")
    if not 0 <= row.ts_us < _MAX_TS:
        raise ValueError(f"ts_us: is {row.ts_us}, must be microseconds since 1970")
    if not row.event_id or len(row.event_id) > _MAX_EVENT_ID:
        raise ValueError(f"event_id: must have 1 to {_MAX_EVENT_ID} characters")
    return row


def _plain(line: bytes) -> bytes:
    """Return a line with escapes undone, and with U+FFFD in the place of NUL.

    Raises:
        ValueError: an escape is no character.
    """
    try:
        line = msgspec.json.encode(msgspec.json.decode(line))
    except RecursionError:
        raise ValueError("the row is nested too deeply") from None
    return _NUL.sub(rb"\1\\ufffd", line)
