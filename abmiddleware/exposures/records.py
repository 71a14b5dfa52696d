"""The facts that are recorded, and the rows they become in the journal (`docs/records.md`)."""

from __future__ import annotations

import secrets
import time
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.metadata import version
from typing import Any, Final

import msgspec

#: The version of the rows' schema.
SCHEMA: Final = 1


def now_us() -> int:
    """Return the time in microseconds since 1970, UTC."""
    return time.time_ns() // 1000


class Exposure(msgspec.Struct, frozen=True):
    """A unit met a variation."""

    ts_us: int
    experiment_key: str
    phase: int
    variation_key: str
    variation_id: int
    #: The attribute that was hashed, and the text of its value.
    unit_type: str
    unit_id: str
    #: Other ids known at that moment, by attribute name.
    alt_ids: dict[str, str]
    #: The attributes that the engine is told to record.
    attributes: dict[str, object]
    #: The definition that decided.
    config_hash: str
    service: str
    kind: str = "exposed"
    forced: bool = False
    feature_key: str | None = None
    trace_id: str | None = None

    @property
    def event_id(self) -> str:
        """The same for every exposure of one unit to one variation on one UTC day."""
        return digest(
            self.kind,
            self.experiment_key,
            str(self.phase),
            self.unit_type,
            self.unit_id,
            self.variation_key,
            str(self.ts_us // 86_400_000_000),
        )


class Outcome(msgspec.Struct, frozen=True):
    """Something happened that an experiment may be judged by, such as a purchase."""

    ts_us: int
    event_id: str
    event: str
    value: float | None
    #: The ids of every unit that experiments randomise by, by attribute name.
    unit_ids: dict[str, str]
    properties: dict[str, Any]
    service: str


class Link(msgspec.Struct, frozen=True):
    """Two ids were seen to be of the same person: visitor and user at a login."""

    ts_us: int
    unit_type_a: str
    id_a: str
    unit_type_b: str
    id_b: str
    source: str
    service: str

    @property
    def event_id(self) -> str:
        """The same for every sight of this pair on one UTC day."""
        day = str(self.ts_us // 86_400_000_000)
        return digest("link", self.unit_type_a, self.id_a, self.unit_type_b, self.id_b, day)


Record = Exposure | Outcome | Link


def digest(*parts: str) -> str:
    """Return 32 hexadecimal digits that tell these parts, in this order, from any others."""
    joined = "\x1f".join(part.replace("\x1f", "\x1f\x1f") for part in parts)
    return blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def unique_id(ts_us: int) -> str:
    """Return 32 hexadecimal digits that sort by time and are never given twice."""
    return f"{ts_us:016x}{secrets.token_hex(8)}"


class ExposureRow(msgspec.Struct, frozen=True):
    """One exposure as a line of the journal."""

    v: int
    type: str
    event_id: str
    ts_us: int
    ts: str
    experiment_key: str
    phase: int
    variation_key: str
    variation_id: int
    unit_type: str
    unit_id: str
    alt_ids: dict[str, str]
    kind: str
    forced: bool
    attributes: dict[str, object]
    config_hash: str
    feature_key: str | None
    trace_id: str | None
    service: str
    sdk: str


class OutcomeRow(msgspec.Struct, frozen=True):
    """One outcome as a line of the journal."""

    v: int
    type: str
    event_id: str
    ts_us: int
    ts: str
    event: str
    value: float | None
    unit_ids: dict[str, str]
    properties: dict[str, Any]
    service: str
    sdk: str


class LinkRow(msgspec.Struct, frozen=True):
    """One link of two ids as a line of the journal."""

    v: int
    type: str
    event_id: str
    ts_us: int
    ts: str
    unit_type_a: str
    id_a: str
    unit_type_b: str
    id_b: str
    source: str
    service: str
    sdk: str


Row = ExposureRow | OutcomeRow | LinkRow

_ROWS: Final[dict[str, type[Row]]] = {
    "exposure": ExposureRow,
    "outcome": OutcomeRow,
    "link": LinkRow,
}


def row(record: Record) -> Row:
    """Return a record as the row of the journal."""
    told = (record.event_id, record.ts_us, rfc3339(record.ts_us))
    if isinstance(record, Exposure):
        return ExposureRow(
            SCHEMA,
            "exposure",
            *told,
            record.experiment_key,
            record.phase,
            record.variation_key,
            record.variation_id,
            record.unit_type,
            record.unit_id,
            record.alt_ids,
            record.kind,
            record.forced,
            record.attributes,
            record.config_hash,
            record.feature_key,
            record.trace_id,
            record.service,
            sdk(),
        )
    if isinstance(record, Outcome):
        return OutcomeRow(
            SCHEMA,
            "outcome",
            *told,
            record.event,
            record.value,
            record.unit_ids,
            record.properties,
            record.service,
            sdk(),
        )
    return LinkRow(
        SCHEMA,
        "link",
        *told,
        record.unit_type_a,
        record.id_a,
        record.unit_type_b,
        record.id_b,
        record.source,
        record.service,
        sdk(),
    )


@cache
def sdk() -> str:
    """Return the name and version of this library."""
    return f"abmiddleware/{version('abmiddleware')}"


def rfc3339(ts_us: int) -> str:
    """Return an instant as people read it, such as `2026-11-22T09:30:00.000123Z`."""
    seconds, micros = divmod(ts_us, 1_000_000)
    return f"{_second(seconds)}.{micros:06}Z"


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


_encoder = msgspec.json.Encoder(enc_hook=str)


def encode(record: Record) -> bytes:
    """Return a record as one line of JSON, without a line end.

    Values that JSON lacks become their text. What JSON cannot carry at all, such as a half of a
    surrogate pair or an integer beyond 64 bits, is carried as an escaped text.
    """
    try:
        return _encoder.encode(row(record))
    except (ValueError, TypeError, OverflowError, RecursionError):
        return _encoder.encode(_portable(msgspec.to_builtins(row(record), enc_hook=_as_it_is)))


def _as_it_is(value: object) -> object:
    return value


def _portable(value: object, depth: int = 0) -> object:
    if depth > 64:
        return "nested too deeply"
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {str(_portable(str(k))): _portable(item, depth + 1) for k, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_portable(item, depth + 1) for item in value]
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    return _portable(str(value))


class _Type(msgspec.Struct):
    type: str


_type_decoder = msgspec.json.Decoder(_Type)
_row_decoders = {name: msgspec.json.Decoder(form) for name, form in _ROWS.items()}


def decode(line: bytes) -> Row:
    """Return the row of one line of the journal.

    Raises:
        ValueError: the line is no row of this schema.
    """
    name = _type_decoder.decode(line).type
    decoder = _row_decoders.get(name)
    if decoder is None:
        raise ValueError(f"rows of type {name!r} are unknown, must be one of {', '.join(_ROWS)}")
    return decoder.decode(line)
