"""The variations of an experiment, and which one a text or an index means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from abmiddleware.evaluation.definition import VariationMeta
from abmiddleware.evaluation.values import is_number, is_truthy


class Arm(msgspec.Struct, frozen=True):
    """What a result says of one variation."""

    variation_id: int
    value: Any
    key: str
    name: str
    passthrough: bool
    #: Whether `meta` names it, so that a sticky bucket can.
    is_named: bool = False


class Wanted(msgspec.Struct, frozen=True):
    """A variation that somebody asks to see, by its value, key, name, or index."""

    value: Any

    def arm(self, arms: Sequence[Arm]) -> Arm | None:
        """Return the variation that is meant; None if there is no such."""
        value = self.value
        for is_meant in _READINGS:
            for arm in arms:
                if is_meant(arm, value):
                    return arm
        return None


def _has_value(arm: Arm, value: object) -> bool:
    if arm.value is value:
        return True
    try:
        return type(arm.value) is type(value) and bool(arm.value == value)
    except Exception:  # noqa: BLE001  # values may be objects of any type, such as arrays
        return False


def _has_key(arm: Arm, value: object) -> bool:
    return arm.key == value


def _has_name(arm: Arm, value: object) -> bool:
    return bool(value) and arm.name == value


def _has_text(arm: Arm, value: object) -> bool:
    """Tell whether a text, such as one of a URL, stands for a number or a boolean."""
    if type(value) is not str or type(arm.value) not in (bool, int, float):
        return False
    return msgspec.json.encode(arm.value).decode() == value


def _has_index(arm: Arm, value: object) -> bool:
    return type(value) is int and arm.variation_id == value


#: In their order: a variation of the value 1 comes before the one with the index 1.
_READINGS = (_has_value, _has_key, _has_name, _has_text, _has_index)


def forced_arm(arms: Sequence[Arm], index: object) -> Arm | None:
    """Return the variation that is forced; None where there is no such.

    Args:
        arms: of the experiment.
        index: a number, as in GrowthBook's configuration, or a `Wanted`.
    """
    if isinstance(index, Wanted):
        return index.arm(arms)
    if is_number(index) and index in range(len(arms)):
        return arms[int(cast(float, index))]
    return None


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
