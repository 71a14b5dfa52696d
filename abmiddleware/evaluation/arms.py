"""The variations of an experiment, as results tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from abmiddleware.evaluation.definition import VariationMeta
from abmiddleware.evaluation.values import is_truthy


class Arm(msgspec.Struct, frozen=True):
    """What a result says of one variation."""

    variation_id: int
    value: Any
    key: str
    name: str
    passthrough: bool
    #: Whether `meta` names it, so that a sticky bucket can.
    is_named: bool = False


def compile_arms(variations: object, meta: object) -> tuple[Arm, ...]:
    """Compile the variations with their names; none where they are no list."""
    if isinstance(variations, str) or not isinstance(variations, Sequence):
        return ()
    entries = meta if isinstance(meta, (list, tuple)) else ()
    known = len(entries)
    return tuple(
        [
            _arm(index, value, entries[index] if index < known else None)
            for index, value in enumerate(variations)
        ]
    )


def _arm(index: int, value: object, meta: object) -> Arm:
    """Compile a variation and its entry in `meta`."""
    if not isinstance(meta, VariationMeta):
        return Arm(index, value, str(index), "", False)
    key, name = meta.key, meta.name
    is_named = isinstance(key, str) and bool(key)
    return Arm(
        index,
        value,
        key if is_named else str(index),
        name if isinstance(name, str) else "",
        is_truthy(meta.passthrough),
        is_named,
    )
