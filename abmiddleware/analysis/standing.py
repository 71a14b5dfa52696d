"""How an experiment stands, in a line: its health, and what to do next."""

from __future__ import annotations

import msgspec

from abmiddleware.analysis.analysis import Analysis
from abmiddleware.design.lifecycle import Status
from abmiddleware.design.record import ExperimentRecord


class Standing(msgspec.Struct, frozen=True):
    """One experiment of many."""

    key: str
    #: As the ledger has it.
    status: Status
    owner: str
    surface: tuple[str, ...]
    days: int
    planned_days: int
    units: int
    planned_units: int
    #: In a word or two, such as "waiting" or "unhealthy".
    finding: str
    #: What is wrong and what one should know, in words.
    notes: list[str]
    #: What somebody should do.
    action: str


def standing(status: Status, record: ExperimentRecord, analysis: Analysis) -> Standing:
    """Return how an experiment stands.

    Args:
        status: as the ledger has it.
        record: its plan.
        analysis: what its records say.
    """
    return Standing(
        analysis.key,
        status,
        record.owner,
        record.surface,
        analysis.days,
        analysis.planned_days,
        sum(arm.units for arm in analysis.arms),
        analysis.planned_units,
        analysis.status,
        [*analysis.health.problems, *analysis.health.warnings],
        _action(status, analysis),
    )


def _action(status: Status, analysis: Analysis) -> str:
    if status == "stopped":
        return "decide, and write what was learnt"
    if status in ("idea", "draft", "ready") and analysis.status != "no data":
        return f"it has units but is {status} in the ledger: write its steps"
    return {
        "no data": "look whether run() is called, and whether the definition is on",
        "unhealthy": "stop it, or find the cause; no result can be trusted",
        "waiting": analysis.withheld,
        "running": "let it run",
        "ship": f"stop it, and ship {_name(analysis)}",
        "roll back": "stop it, and roll back",
        "inconclusive": "stop it, and decide by what the rule says when flat",
    }[analysis.status]


def _name(analysis: Analysis) -> str:
    return next((arm.name for arm in analysis.arms if arm.key == analysis.winner), "it")
