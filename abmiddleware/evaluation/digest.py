"""A short name for a definition, so that a record tells which one decided."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from abmiddleware.evaluation.experiment import Experiment

_encoder = msgspec.json.Encoder(enc_hook=lambda value: _name(value), order="deterministic")


def definition_hash(experiment: Experiment[Any]) -> str:
    """Return 16 hexadecimal digits, the same in every process for the same definition.

    Variations that JSON lacks, such as functions, count by their qualified name.
    """
    fields = {name: getattr(experiment, name) for name in experiment.fields()}
    try:
        text = _encoder.encode(fields)
    except (ValueError, TypeError, OverflowError, RecursionError):
        fields["variations"] = [_name(value) for value in experiment.variations]
        fields["condition"] = repr(experiment.condition)
        text = repr(sorted(fields.items())).encode("utf-8", "backslashreplace")
    return blake2b(text, digest_size=8).hexdigest()


def _name(value: object) -> str:
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{named.__module__}.{named.__qualname__}"
