"""Looks at an experiment by all rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from abmiddleware.design.designs import Designs
from abmiddleware.design.ledger import Ledger
from abmiddleware.design.lint import conflicts, plans, running
from abmiddleware.design.lint.finding import Case, Finding
from abmiddleware.evaluation.plan import Plan

Rule = Callable[[Case], Iterator[Finding]]
#: All rules, in the order of their findings.
RULES: Final[tuple[Rule, ...]] = (*plans.RULES, *conflicts.RULES, *running.RULES)


def lint(
    plan: Plan,
    designs: Designs,
    known: Mapping[str, Plan],
    ledger: Ledger,
    *,
    today: dt.date,
    excludes: bool = True,
) -> list[Finding]:
    """Return what is wrong with an experiment; errors keep it from being ready.

    Args:
        plan: the compiled experiment.
        designs: the metrics and records.
        known: all experiments of the configuration, by key.
        ledger: what became of experiments.
        today: in UTC.
        excludes: whether bots and the like are left out.
    """
    record = designs.experiments.get(plan.key)
    if record is None:
        problem = "is missing: must be a record, such as [experiments.checkout-button]"
        return [Finding("L1", "error", f"experiments.{plan.key}", problem)]
    case = Case(plan, record, designs, known, ledger, today, excludes)
    return [finding for rule in RULES for finding in rule(case)]
