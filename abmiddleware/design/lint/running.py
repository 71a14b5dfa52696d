"""Rules about an experiment that runs: what was locked stays (L12)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from abmiddleware.design.lint.finding import Case, Finding
from abmiddleware.design.lock import changes, locked_plan

_ON: Final = ("running", "paused")


def lock(case: Case) -> Iterator[Finding]:
    """Compare with what was locked at the start."""
    start = case.ledger.start(case.plan.key)
    if start is None or case.ledger.status(case.plan.key) not in _ON:
        return
    if case.plan.phase > start.plan["phase"]:
        if start.plan["seed"] == (case.plan.definition.seed or case.plan.key):
            yield case.error(
                "L13",
                "seed",
                "is that of the phase before: units would keep what they met, must be a new one",
            )
        return
    for change in changes(start.plan, locked_plan(case.plan, case.designs)):
        yield case.error(
            "L12",
            "",
            f"{change}, though it is locked since {start.at}: undo it, or begin a new phase",
        )


def ramp(case: Case) -> Iterator[Finding]:
    """Ask for a coverage that only rises, and for a step that tells of it."""
    if case.ledger.status(case.plan.key) not in _ON:
        return
    covered = [one for one in case.ledger.steps(case.plan.key) if one.coverage is not None]
    start = case.ledger.start(case.plan.key)
    if not covered or start is None or case.plan.phase > start.plan["phase"]:
        return
    last, now = covered[-1].coverage or 0.0, float(case.plan.definition.coverage)
    if now < last:
        yield case.error(
            "L12", "coverage", f"was {last:g}, is {now:g}: who is in would fall out; must rise"
        )
    elif now > last:
        yield case.warning(
            "L12", "coverage", f"was {last:g}, is {now:g}, which no step tells: write one"
        )


RULES: Final = (lock, ramp)
