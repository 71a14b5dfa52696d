"""How people name a variation of an experiment: in handlers, templates, tests and overrides."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec

from abmiddleware.evaluation.arms import Arm
from abmiddleware.evaluation.values import is_number

#: The name that the first variation always has, unless another one is called so.
CONTROL = "control"


def names(arms: Sequence[Arm]) -> dict[str, int]:
    """Return the index of each name: keys that `meta` gives, then texts that are values, `control`.

    A variation that has none of them goes by its index.
    """
    found = {arm.key: arm.variation_id for arm in arms if arm.is_named}
    for arm in arms:
        if isinstance(arm.value, str):
            found.setdefault(arm.value, arm.variation_id)
    found.setdefault(CONTROL, 0)
    for arm in arms:
        found.setdefault(str(arm.variation_id), arm.variation_id)
    return found


def keyword_of(name: str) -> str:
    """Return a name as an argument of Python has it: `one_click` for `one-click`."""
    word = re.sub(r"\W", "_", name)
    return word if word.isidentifier() else f"_{word}"


def indices_of(arms: Sequence[Arm], keyword: str) -> set[int]:
    """Return the variations that the keyword of a handler may mean."""
    known = names(arms)
    if keyword in known:
        return {known[keyword]}
    return {index for name, index in known.items() if keyword_of(name) == keyword}


def index_of(arms: Sequence[Arm], name: object) -> int | None:
    """Return the variation that a name, a value or an index means; None where none has it.

    A number is a value before it is an index, and a text, as of a URL, a name before it stands for
    a value that is a number or a boolean.
    """
    if isinstance(name, str):
        known = names(arms).get(name)
        return known if known is not None else _first(arms, lambda value: _text(value) == name)
    known = _first(arms, lambda value: _is_same(value, name))
    if known is None and type(name) is int and name in range(len(arms)):
        return name
    return known


class Wanted(msgspec.Struct, frozen=True):
    """A variation that somebody asks to see, by a name, a value or an index."""

    name: Any


def forced_arm(arms: Sequence[Arm], index: object) -> Arm | None:
    """Return the variation that is forced; None where there is no such.

    Args:
        arms: of the experiment.
        index: a number, as in GrowthBook's configuration, or a `Wanted`.
    """
    found: object = index_of(arms, index.name) if isinstance(index, Wanted) else index
    if is_number(found) and found in range(len(arms)):
        return arms[int(cast(float, found))]
    return None


def shown_names(arms: Sequence[Arm]) -> str:
    """Return the shortest names of all variations, for a message."""
    best = {index: name for name, index in reversed(names(arms).items())}
    return ", ".join(repr(best[arm.variation_id]) for arm in arms)


def _first(arms: Sequence[Arm], is_meant: Callable[[object], bool]) -> int | None:
    return next((arm.variation_id for arm in arms if is_meant(arm.value)), None)


def _is_same(value: object, name: object) -> bool:
    """Tell whether two values are equal; true is not 1."""
    if isinstance(value, bool) != isinstance(name, bool):
        return False
    try:
        return value is name or bool(value == name)
    except Exception:  # noqa: BLE001  # values may be objects of any type, such as arrays
        return False


def _text(value: object) -> str | None:
    return msgspec.json.encode(value).decode() if type(value) in (bool, int, float) else None
