"""A short name for a definition, so that a record tells which one decided."""

from __future__ import annotations

from dataclasses import fields
from hashlib import blake2b
from typing import Any, Final

import msgspec

from abmiddleware.evaluation.definition import Definition

_UNENCODABLE: Final = (ValueError, TypeError, OverflowError, RecursionError)
_encoder = msgspec.json.Encoder(enc_hook=lambda value: _name(value), order="deterministic")


def definition_hash(definition: Definition[Any]) -> str:
    """Return 16 hexadecimal digits, the same in every process for the same definition.

    Variations that JSON lacks, such as functions, count by their qualified name.
    """
    told = {part.name: getattr(definition, part.name) for part in fields(Definition)}
    try:
        text = _encoder.encode(told)
    except _UNENCODABLE:
        texts = [_told(value) for value in (*definition.variations, *told.values())]
        text = repr(texts).encode("utf-8", "backslashreplace")
    return blake2b(text, digest_size=8).hexdigest()


def _told(value: object) -> str:
    """Tell a value that JSON cannot hold, such as half a surrogate pair."""
    try:
        return repr(msgspec.to_builtins(value, enc_hook=_name, order="deterministic"))
    except _UNENCODABLE:
        return _name(value)


def _name(value: object) -> str:
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{getattr(named, '__module__', '')}.{named.__qualname__}"
