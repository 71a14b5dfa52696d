"""The life of an experiment: what may follow what, and what each step needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

from abmiddleware.exceptions import DefinitionError

Status = Literal[
    "idea", "draft", "ready", "running", "paused", "stopped", "decided", "archived", "abandoned"
]
Decision = Literal["ship", "roll back", "iterate", "inconclusive", "invalid"]

#: What may follow each status. A step from running to running raises the coverage.
NEXT: Final[Mapping[Status, tuple[Status, ...]]] = {
    "idea": ("draft", "abandoned"),
    "draft": ("ready", "abandoned"),
    "ready": ("draft", "running", "abandoned"),
    "running": ("running", "paused", "stopped"),
    "paused": ("running", "stopped"),
    "stopped": ("decided",),
    "decided": ("archived",),
    "archived": (),
    "abandoned": (),
}
#: Why some steps are never taken, and what to do in their place.
_NEVER: Final[Mapping[tuple[Status, Status], str]] = {
    ("stopped", "running"): "units keep what they met: begin a new experiment, with a key and a "
    "seed of its own",
    (
        "decided",
        "running",
    ): "it is decided: begin a new experiment, with a key and a seed of its own",
    ("draft", "running"): "must be ready first, which lint tells",
    ("idea", "running"): "must be a draft and ready first",
    ("running", "decided"): "must be stopped first, with a reason",
}


def check_step(key: str, before: Status, after: str) -> Status:
    """Return the status that follows if it may.

    Raises:
        DefinitionError: it may not; the message tells what may.
    """
    if after not in get_args(Status):
        raise DefinitionError(
            key, f"cannot become {after!r}, must be of {_listed(get_args(Status))}"
        )
    if after not in NEXT[before]:
        why = _NEVER.get((before, after), "")  # type: ignore[arg-type]
        may = f"may become {_listed(NEXT[before])}" if NEXT[before] else "is at its end"
        raise DefinitionError(
            key, f"is {before}, cannot become {after}{f': {why}' if why else ''}; it {may}"
        )
    return after


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)
