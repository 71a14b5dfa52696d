"""A short name for a definition, so that a record tells which one decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Final

import msgspec

from abmiddleware.evaluation.definition import MISSING, Definition, Extra, FeatureDefinition, Rule

_UNENCODABLE: Final = (ValueError, TypeError, OverflowError, RecursionError)
_FIELDS: Final = [part for part in fields(Definition) if part.name != "extra"]
#: Which fields list records, that have an `extra` of their own.
_LISTS: Final = [at for at, part in enumerate(_FIELDS) if "entries" in part.metadata]
_values: Final = attrgetter(*(part.name for part in _FIELDS))
_RULE_FIELDS: Final = [part for part in fields(Rule) if part.name != "extra"]
_encoder = msgspec.json.Encoder(enc_hook=lambda value: _name(value), order="deterministic")


def definition_hash(definition: Definition[Any]) -> str:
    """Return 16 hexadecimal digits, the same in every process for the same definition.

    Variations that JSON lacks, such as functions, count by their qualified name; `extra` does not
    count.
    """
    values = list(_values(definition))
    for at in _LISTS:
        if values[at] is not None:
            values[at] = _without_extra(values[at])
    return _digest(values)


def feature_hash(feature: FeatureDefinition[Any]) -> str:
    """Do for a feature as `definition_hash` does; a text by which two of one key are told apart."""
    values: list[Any] = [feature.default]
    for rule in _listed(feature.rules):
        # What MISSING is encoded as could be a value.
        values.append(getattr(rule, "force", None) is MISSING)
        for part in _RULE_FIELDS:
            value = getattr(rule, part.name, None)
            values.append(_without_extra(value) if "entries" in part.metadata else value)
    return _digest(values)


def _listed(entries: object) -> Sequence[object]:
    return entries if isinstance(entries, (list, tuple)) else ()


def _digest(values: list[Any]) -> str:
    try:
        text = _encoder.encode(values)
    except _UNENCODABLE:
        text = _text(values).encode("utf-8", "backslashreplace")
    return blake2b(text, digest_size=8).hexdigest()


def _without_extra(entries: object) -> object:
    """Return the records of a list with nothing but their fields."""
    if not isinstance(entries, (list, tuple)):
        return entries
    return [
        replace(entry, extra=None) if isinstance(entry, Extra) and entry.extra else entry
        for entry in entries
    ]


def _text(values: list[Any]) -> str:
    """Tell values of which JSON cannot hold one; lists, such as the variations, one by one."""
    listed = [part for value in values if isinstance(value, (list, tuple)) for part in value]
    return repr([_told(value) for value in (*listed, *values)])


def _told(value: object) -> str:
    """Tell a value that JSON cannot hold, such as half a surrogate pair."""
    try:
        return repr(msgspec.to_builtins(value, enc_hook=_name, order="deterministic"))
    except _UNENCODABLE:
        return _name(value)


def _name(value: object) -> str:
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{getattr(named, '__module__', '')}.{named.__qualname__}"
