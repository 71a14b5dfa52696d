"""How handlers and templates name a variation of an experiment."""

from __future__ import annotations

import re
from collections.abc import Sequence

from abmiddleware.evaluation.plan import Arm

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
    """Return the variation that has a name or value; None where none has."""
    if isinstance(name, str):
        return names(arms).get(name)
    return next((arm.variation_id for arm in arms if _is_same(arm.value, name)), None)


def shown_names(arms: Sequence[Arm]) -> str:
    """Return the shortest names of all variations, for a message."""
    best = {index: name for name, index in reversed(names(arms).items())}
    return ", ".join(repr(best[arm.variation_id]) for arm in arms)


def _is_same(value: object, name: object) -> bool:
    """Tell whether two values are equal; true is not 1."""
    return value == name and isinstance(value, bool) == isinstance(name, bool)
