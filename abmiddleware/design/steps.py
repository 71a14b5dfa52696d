"""Takes an experiment a step further, if it may go there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

import msgspec

from abmiddleware.design.designs import Designs
from abmiddleware.design.ledger import Ledger, Outcome, Step, now
from abmiddleware.design.lifecycle import Decision, Status, check_step
from abmiddleware.design.lint.linting import lint
from abmiddleware.design.lock import changes, digest_of, locked_plan
from abmiddleware.design.record import ExperimentRecord
from abmiddleware.evaluation.plan import Plan
from abmiddleware.exceptions import DefinitionError

#: Steps that must tell why.
_WHY: Final = ("paused", "stopped", "abandoned")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for."""

    key: str
    to: str
    #: Who answers for it.
    by: str
    why: str = ""
    decision: Decision | None = None
    variation: str = ""
    learnings: str = ""
    #: What came out, as a decision keeps it.
    outcome: Outcome | None = None


class Team(msgspec.Struct, frozen=True, eq=False):
    """What a team has: its experiments, its records and their history."""

    plans: Mapping[str, Plan]
    designs: Designs
    ledger: Ledger
    #: Whether requests of bots and the like are left out.
    excludes: bool = True


def take(team: Team, request: Request) -> Step:
    """Take a step, and write it into the ledger.

    Raises:
        DefinitionError: it may not be taken; the message tells what is missing.
        OSError: the ledger cannot be written.
    """
    key, before = request.key, team.ledger.status(request.key)
    to = check_step(key, before, request.to)
    if not request.by:
        raise DefinitionError(f"{key}.by", "is missing, must name who answers for it")
    if to in _WHY and not request.why:
        raise DefinitionError(f"{key}.why", f"is missing: one that is {to} needs a reason")
    step = Step(at=now(), key=key, to=to, by=request.by, why=request.why)
    if to == "draft":
        _check_draft(key, _record(team, key))
    elif to == "ready":
        _check_lint(team, key)
    elif to == "running":
        step = _running(team, step, before)
    elif to == "decided":
        step = _decided(team, step, request)
    team.ledger.append(step)
    return step


def _record(team: Team, key: str) -> ExperimentRecord:
    record = team.designs.experiments.get(key)
    if record is None:
        raise DefinitionError(f"experiments.{key}", "is missing, must be a record of it")
    return record


def _plan(team: Team, key: str) -> Plan:
    if key not in team.plans:
        known = ", ".join(map(repr, sorted(team.plans))) or "none"
        raise DefinitionError(key, f"is no experiment of the engine, which has {known}")
    return team.plans[key]


def _check_draft(key: str, record: ExperimentRecord) -> None:
    for name in ("hypothesis", "owner"):
        if not getattr(record, name):
            raise DefinitionError(f"experiments.{key}.{name}", "is missing, must be there first")


def _check_lint(team: Team, key: str) -> None:
    found = lint(
        _plan(team, key),
        team.designs,
        team.plans,
        team.ledger,
        today=dt.datetime.now(dt.UTC).date(),
        excludes=team.excludes,
    )
    errors = [str(one) for one in found if one.level == "error"]
    if errors:
        raise DefinitionError(key, f"has {len(errors)} errors of lint: {'; '.join(errors)}")


def _running(team: Team, step: Step, before: Status) -> Step:
    """Lock a plan at the start and at a new phase; else see that it is as it was locked."""
    _record(team, step.key)
    plan = _plan(team, step.key)
    locked = locked_plan(plan, team.designs)
    start = team.ledger.start(step.key)
    step = msgspec.structs.replace(
        step, config_hash=plan.config_hash, coverage=float(plan.definition.coverage)
    )
    if start is None or start.plan["phase"] < locked["phase"]:
        _check_lint(team, step.key)
        record = team.designs.experiments[step.key]
        return msgspec.structs.replace(
            step, digest=digest_of(locked), plan=locked, secondary=record.secondary
        )
    changed = changes(start.plan, locked)
    if changed:
        raise DefinitionError(
            step.key,
            f"is locked since {start.at}, but {'; '.join(changed)}: undo it, or begin a new "
            "phase, with a seed of its own",
        )
    _check_ramp(team, step, before)
    return step


def _check_ramp(team: Team, step: Step, before: Status) -> None:
    """Check that coverage rises; over a pause it may stay."""
    covered = [one.coverage for one in team.ledger.steps(step.key) if one.coverage is not None]
    now_covered = step.coverage or 0.0
    if not covered or now_covered > covered[-1]:
        return
    told = f"is {now_covered:g} and was {covered[-1]:g}, must"
    if before == "running":
        raise DefinitionError(f"{step.key}.coverage", f"{told} rise: running is running already")
    if now_covered < covered[-1]:
        raise DefinitionError(
            f"{step.key}.coverage", f"{told} not be lower: begin a new phase, with its own seed"
        )


def _decided(team: Team, step: Step, request: Request) -> Step:
    if request.decision is None:
        raise DefinitionError(
            f"{step.key}.decision", "is missing: ship, roll back, iterate, inconclusive or invalid"
        )
    if not request.learnings:
        raise DefinitionError(f"{step.key}.learnings", "are missing, must tell what was learnt")
    start = team.ledger.start(step.key)
    known = start.plan["variations"] if start else []
    if request.decision == "ship" and request.variation not in known:
        raise DefinitionError(
            f"{step.key}.variation",
            f"is {request.variation!r}, must be the one to ship: {', '.join(map(repr, known))}",
        )
    return msgspec.structs.replace(
        step,
        decision=request.decision,
        variation=request.variation,
        learnings=request.learnings,
        outcome=request.outcome,
    )
