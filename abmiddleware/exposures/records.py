"""The facts that are recorded, and the rows they become in the journal (`docs/records.md`)."""

from __future__ import annotations

import secrets
import time
from functools import lru_cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from numbers import Integral, Real
from typing import Any, Final

import msgspec

from abmiddleware.evaluation.values import unit_text

#: The version of the rows' schema.
SCHEMA: Final = 1

#: Deeper values are cut off where a record cannot be written as it is.
_DEPTH: Final = 64


def _sdk() -> str:
    try:
        return f"abmiddleware/{version('abmiddleware')}"
    except PackageNotFoundError:  # it runs from a folder or a bundle that has no metadata
        return "abmiddleware"


#: The name and version of this library; read now, since a worker may later lack the right to.
SDK: Final = _sdk()


def now_us() -> int:
    """Return the time in microseconds since 1970, UTC."""
    return time.time_ns() // 1000


def id_text(value: object) -> str:
    """Return an id as it is recorded; "" for none.

    It is the text that is hashed, but for integers beyond 2**53: they are hashed as the double
    that other SDKs have, and recorded in full, as other tables have them.
    """
    if type(value) is int and value:
        try:
            return str(value)
        except ValueError:  # Python refuses to write integers of thousands of digits
            return unit_text(value) or ""
    return unit_text(value) or ""


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


class Suppression(msgspec.Struct, frozen=True):
    """Exposures of an experiment that were not recorded, as of bots, since the count before."""

    ts_us: int
    event_id: str
    experiment_key: str
    phase: int
    #: Why, as `abmiddleware.policy.Suppressed` has it, or "forced".
    reason: str
    count: int
    service: str


Record = Exposure | Outcome | Link | Suppression


def digest(*parts: str) -> str:
    """Return 32 hexadecimal digits that tell these parts, in this order, from any others."""
    try:
        told = msgspec.json.encode(parts)
    except UnicodeEncodeError:  # half of a surrogate pair
        told = repr(parts).encode("utf-8", "backslashreplace")
    return blake2b(told, digest_size=16).hexdigest()


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


class SuppressionRow(msgspec.Struct, frozen=True):
    """One count of exposures that were not recorded as a line of the journal."""

    v: int
    type: str
    event_id: str
    ts_us: int
    ts: str
    experiment_key: str
    phase: int
    reason: str
    count: int
    service: str
    sdk: str


Row = ExposureRow | OutcomeRow | LinkRow | SuppressionRow

_ROWS: Final[dict[str, type[Row]]] = {
    "exposure": ExposureRow,
    "outcome": OutcomeRow,
    "link": LinkRow,
    "suppression": SuppressionRow,
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
            SDK,
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
            SDK,
        )
    if isinstance(record, Link):
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
            SDK,
        )
    return SuppressionRow(
        SCHEMA,
        "suppression",
        *told,
        record.experiment_key,
        record.phase,
        record.reason,
        record.count,
        record.service,
        SDK,
    )


def rfc3339(ts_us: int) -> str:
    """Return an instant as people read it, such as `2026-11-22T09:30:00.000123Z`."""
    seconds, micros = divmod(ts_us, 1_000_000)
    return f"{_second(seconds)}.{micros:06}Z"


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def encode(record: Record) -> bytes:
    """Return a record as one line of JSON, without a line end.

    Values that JSON lacks become their text, and those without a text the name of their type.
    What cannot be written at all, such as half of a surrogate pair, is written escaped.
    """
    line = row(record)
    try:
        return _encoder.encode(line)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return _encoder.encode(_portable(msgspec.structs.asdict(line)))


def _plain(value: object) -> object:
    """Return a value of a type that msgspec does not know as one that it does."""
    if isinstance(value, str):
        return str.__str__(value)  # Django's SafeString returns itself from str()
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    return _text(value)


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def _text(value: object) -> str:
    try:
        return str.__str__(str(value)).encode("utf-8", "backslashreplace").decode()
    except Exception:  # noqa: BLE001  # an application's object may do anything here
        return f"<{type(value).__name__}>"


def _portable(value: object, around: tuple[int, ...] = ()) -> object:
    """Return a value with all that cannot be written replaced, within `around` (their ids)."""
    if isinstance(value, (dict, list, tuple, set, frozenset)):
        if id(value) in around or len(around) > _DEPTH:
            return "nested too deeply"
        inside = (*around, id(value))
        if isinstance(value, dict):
            return {_text(key): _portable(item, inside) for key, item in value.items()}
        return [_portable(item, inside) for item in value]
    try:
        return msgspec.Raw(_encoder.encode(value))
    except (ValueError, TypeError, OverflowError, RecursionError):
        return _text(value)


#: Types whose values nobody can change before they are written.
_UNCHANGING: Final = frozenset({str, int, float, bool, type(None)})


def frozen(value: object) -> object:
    """Return a value as it is now, whatever the application does with it before it is written."""
    if type(value) in _UNCHANGING:
        return value
    try:
        return msgspec.json.decode(_encoder.encode(value))
    except (ValueError, TypeError, OverflowError, RecursionError):
        return _portable(value)


class _Head(msgspec.Struct):
    v: int
    type: str


_head_decoder = msgspec.json.Decoder(_Head)
_row_decoders = {name: msgspec.json.Decoder(form) for name, form in _ROWS.items()}


def decode(line: bytes) -> Row:
    """Return the row of one line of the journal.

    Raises:
        ValueError: the line is no row of this schema.
    """
    try:
        head = _head_decoder.decode(line)
        decoder = _row_decoders.get(head.type)
        if decoder is not None and head.v == SCHEMA:
            return decoder.decode(line)
    except RecursionError:
        raise ValueError("the row is nested too deeply") from None
    raise ValueError(
        f"rows of type {head.type!r}, version {head.v}, are unknown; must be one of "
        f"{', '.join(_ROWS)}, version {SCHEMA}"
    )
