"""What the ledger tells of an experiment, as its analysis needs it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from abmiddleware.design.designs import Designs
from abmiddleware.design.ledger import Step, started
from abmiddleware.design.lock import changes, locked_plan
from abmiddleware.evaluation.plan import Plan


class Mark(msgspec.Struct, frozen=True):
    """An instant at which more units came in, or none any more."""

    #: In microseconds since 1970.
    at_us: int
    #: What happened, such as "50 %" for a coverage.
    what: str


class History(msgspec.Struct, frozen=True):
    """The life of an experiment so far; one that nobody wrote down has none."""

    #: When its phase began, and when it was stopped, in microseconds since 1970; 0 for not yet.
    began_us: int = 0
    stopped_us: int = 0
    marks: list[Mark] = []
    #: What is no longer as it was locked, in words.
    changed: list[str] = []
    #: The secondary metrics of the start; None where there was none.
    secondary: tuple[str, ...] | None = None
    #: The definitions that were to decide, as exposures name them.
    definitions: frozenset[str] = frozenset()
    #: By goal, how much experiments before moved it.
    moved: Mapping[str, Sequence[float]] = {}

    @classmethod
    def of(
        cls,
        steps: Sequence[Step],
        plan: Plan,
        designs: Designs,
        moved: Mapping[str, Sequence[float]] | None = None,
    ) -> History:
        """Return it.

        Args:
            steps: of the experiment.
            plan: its definition.
            designs: its record and its metrics.
            moved: by goal, how much experiments before moved it.
        """
        moved = moved or {}
        start = started(steps)
        if start is None or plan.key not in designs.experiments:
            return cls(moved=moved)
        steps = steps[steps.index(start) :]
        stop = next((step for step in steps if step.to == "stopped"), None)
        return cls(
            _microseconds(start.at),
            _microseconds(stop.at) if stop else 0,
            [mark for step in steps if (mark := _mark(step)) is not None],
            changes(start.plan, locked_plan(plan, designs)),
            start.secondary,
            frozenset(step.config_hash for step in steps if step.config_hash),
            moved,
        )


def _microseconds(at: str) -> int:
    return round(dt.datetime.fromisoformat(at).timestamp() * 1_000_000)


def _mark(step: Step) -> Mark | None:
    if step.to == "running" and step.coverage is not None:
        return Mark(_microseconds(step.at), f"{step.coverage:.0%}".replace("%", " %"))
    if step.to in ("paused", "stopped"):
        return Mark(_microseconds(step.at), step.to)
    return None
