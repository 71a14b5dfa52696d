"""What became of experiments, step by step: a file of JSON lines that people review like code."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from abmiddleware.design.lifecycle import Decision, Status, check_step
from abmiddleware.exceptions import DefinitionError, DocumentError

#: Outcomes of past experiments that tell what is usual.
FEWEST_PAST: Final = 3


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What came out: the goal of a variation beside the control."""

    metric: str
    variation: str
    #: Relative to the control, with the standard error of its logarithm.
    lift: float
    error: float
    #: Of all variations.
    units: int = 0
    days: int = 0


class Step(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One step in the life of an experiment."""

    #: When, in RFC 3339.
    at: str
    key: str
    to: Status
    #: Who answers for it.
    by: str
    why: str = ""
    #: Of a start, the digest of what is locked, and the plan itself.
    digest: str = ""
    plan: dict[str, Any] = {}
    #: Of a start, the secondary metrics that were there.
    secondary: tuple[str, ...] = ()
    #: Of a start and of a ramp, the definition that decides from now on, as exposures carry it.
    config_hash: str = ""
    coverage: float | None = None
    #: Of a decision: what was decided, the variation that stays, and what was learnt.
    decision: Decision | None = None
    variation: str = ""
    learnings: str = ""
    outcome: Outcome | None = None


class Ledger:
    """The steps of all experiments of a team.

        Ledger("experiments.jsonl").steps("checkout-button")

    Args:
        path: the file; one that is not there has no steps.

    Raises:
        DocumentError: a line is no step, or does not follow the one before; names it.
        OSError: the file cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._steps: dict[str, list[Step]] = {}
        for number, line in enumerate(self._lines(), 1):
            if line.strip():
                self._take(line, f"{self.path}:{number}")

    def _lines(self) -> list[bytes]:
        return self.path.read_bytes().splitlines() if self.path.exists() else []

    def _take(self, line: bytes, place: str) -> None:
        try:
            step = msgspec.json.decode(line, type=Step)
            self._follow(step)
        except (msgspec.DecodeError, DefinitionError) as error:
            raise DocumentError(place, str(error)) from None

    def _follow(self, step: Step) -> None:
        check_step(step.key, self.status(step.key), step.to)
        self._steps.setdefault(step.key, []).append(step)

    def steps(self, key: str) -> list[Step]:
        """Return the steps of an experiment, in their order."""
        return list(self._steps.get(key, ()))

    def keys(self) -> list[str]:
        """Return the experiments that have steps, in the order of their first."""
        return list(self._steps)

    def status(self, key: str) -> Status:
        """Return what an experiment is; one without steps is an idea."""
        steps = self._steps.get(key)
        return steps[-1].to if steps else "idea"

    def start(self, key: str) -> Step | None:
        """Return the step that locked the plan of an experiment's phase, if it has begun."""
        return started(self.steps(key))

    def moved(self, metric: str, *, but: str = "") -> list[float]:
        """Return by how much experiments that were decided moved a metric, whichever way.

        Args:
            metric: their goal.
            but: the key of one that does not count.
        """
        outcomes = (
            step.outcome for key, steps in self._steps.items() if key != but for step in steps
        )
        return [abs(one.lift) for one in outcomes if one is not None and one.metric == metric]

    def append(self, step: Step) -> None:
        """Take a step, and write it.

        Raises:
            DefinitionError: it may not follow; nothing is written.
            OSError: the file cannot be written.
        """
        self._follow(step)
        line = msgspec.json.encode(step) + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(self.path, flags, 0o644)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError:
            self._steps[step.key].pop()
            raise


def started(steps: Sequence[Step]) -> Step | None:
    """Return the last step that locked a plan, if any has."""
    return next((step for step in reversed(steps) if step.digest), None)


def now() -> str:
    """Return the instant as steps have it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
