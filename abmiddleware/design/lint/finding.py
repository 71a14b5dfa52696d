"""What lint finds, and what it looks at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal

import msgspec

from abmiddleware.design.designs import Designs
from abmiddleware.design.ledger import Ledger
from abmiddleware.design.metrics import Metric
from abmiddleware.design.record import ExperimentRecord
from abmiddleware.evaluation.plan import Plan

Level = Literal["error", "warning", "note"]


class Finding(msgspec.Struct, frozen=True):
    """One mistake: which rule, where, what, and the mend."""

    rule: str
    level: Level
    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem} ({self.rule})"


class Case(msgspec.Struct, frozen=True, eq=False):
    """An experiment that is looked at, and all that is known beside it."""

    plan: Plan
    record: ExperimentRecord
    designs: Designs
    #: All experiments, by key.
    plans: Mapping[str, Plan]
    ledger: Ledger
    today: dt.date
    #: Whether requests of bots and the like are left out.
    excludes: bool = True

    @property
    def path(self) -> str:
        """Where the record stands."""
        return f"experiments.{self.plan.key}"

    @property
    def goal(self) -> Metric | None:
        """The metric that decides."""
        return self.designs.metrics[self.record.goals[0]] if self.record.goals else None

    def error(self, rule: str, field: str, problem: str) -> Finding:
        """Return what must not be."""
        return Finding(rule, "error", self._place(field), problem)

    def warning(self, rule: str, field: str, problem: str) -> Finding:
        """Return what should not be."""
        return Finding(rule, "warning", self._place(field), problem)

    def note(self, rule: str, field: str, problem: str) -> Finding:
        """Return what is good to know, and asks for nothing."""
        return Finding(rule, "note", self._place(field), problem)

    def _place(self, field: str) -> str:
        return f"{self.path}.{field}" if field else self.path
