"""Rules about experiments beside one another: keys, seeds, namespaces and surfaces (L13, L14)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Final

from abmiddleware.design.lint.finding import Case, Finding
from abmiddleware.evaluation.definition import Definition
from abmiddleware.evaluation.plan import Plan

#: Statuses in which an experiment shares its visitors with others.
_ON: Final = ("running", "paused")
#: How long units remember what they met.
_RECENT: Final = dt.timedelta(days=90)
#: The tag of an experiment whose control is held out of all changes.
HOLDOUT: Final = "holdout"
_OVER: Final = ("stopped", "decided", "archived")


def keys(case: Case) -> Iterator[Finding]:
    """Ask for a key that nobody had: units keep what they met (C1)."""
    if case.ledger.status(case.plan.key) in _OVER:
        yield case.error(
            "L13", "key", "was an experiment before, must be a new one: units keep what they met"
        )


def seeds(case: Case) -> Iterator[Finding]:
    """Ask for a seed that no other experiment hashes by, or did lately (C2).

    Else variations go together, and units bring along what they met.
    """
    for other in [*_others(case), *_recent(case)]:
        if _hashed(other) == _hashed(case.plan):
            yield case.error(
                "L13",
                "seed",
                f"{_hashed(other)[0]!r} is that of {other.key!r}, too: who sees one variation "
                "of it always sees the same of this; must have a seed of its own",
            )


def namespaces(case: Case) -> Iterator[Finding]:
    """Ask for namespaces that exclude somebody (C3, C4)."""
    own = case.plan.definition.namespace
    if own is None:
        return
    name, start, end = own
    if name == _seed(case.plan):
        yield case.error(
            "L14",
            "namespace",
            f"{name!r} is its seed, too: its part of the namespace would be "
            "its part of the variations, must have another name",
        )
    for other in _others(case):
        theirs = other.definition.namespace
        if theirs is None or theirs[0] != name:
            continue
        if other.hash_attribute != case.plan.hash_attribute:
            yield case.error(
                "L14",
                "namespace",
                f"{name!r} has {other.key!r} by {other.hash_attribute!r} and this by "
                f"{case.plan.hash_attribute!r}: their parts exclude nobody",
            )
        elif start < theirs[2] and theirs[1] < end:
            yield case.error(
                "L14",
                "namespace",
                f"{name!r} from {start:g} to {end:g} overlaps {other.key!r} from {theirs[1]:g} to "
                f"{theirs[2]:g}, must be apart",
            )


def surfaces(case: Case) -> Iterator[Finding]:
    """Tell of experiments in one place that share visitors (C5)."""
    for other, shared in _shared_surfaces(case):
        if shared:
            yield case.warning(
                "L14",
                "surface",
                f"{', '.join(shared)} is that of {other.key!r}, too; about "
                f"{overlap(case.plan, other):.0%} of visitors are in both",
            )


def parameters(case: Case) -> Iterator[Finding]:
    """Ask for parameters that one experiment alone sets for a visitor (C5).

    They are the names in variations that are mappings. Elsewhere a name may mean something else.
    """
    for other, shared in _shared_surfaces(case):
        both = sorted(_parameters(case.plan) & _parameters(other))
        if both:
            names = ", ".join(map(repr, both))
            make = case.error if shared else case.warning
            where = f"on {', '.join(shared)}" if shared else "though on another surface"
            yield make(
                "L14",
                "variations",
                f"{names} is set by {other.key!r}, too, {where}, for about "
                f"{overlap(case.plan, other):.0%} of visitors; must be set by one of them, or "
                "a namespace must keep them apart",
            )


def goals(case: Case) -> Iterator[Finding]:
    """Tell of experiments elsewhere that move the same goal (C6); they rarely disturb each other.

    Those on one surface are told of by `surfaces`.
    """
    moved = {
        other.key: both
        for other, shared in _shared_surfaces(case)
        if not shared
        and (both := set(case.record.goals) & set(case.designs.experiments[other.key].goals))
    }
    if moved:
        names = ", ".join(map(repr, sorted(moved)))
        yield case.note(
            "L14",
            "goals",
            f"{', '.join(sorted(set().union(*moved.values())))} is a goal of {names}, too: "
            "effects rarely depend on one another, and `abmiddleware status` tells of pairs whose "
            "variations go together",
        )


def prerequisites(case: Case) -> Iterator[Finding]:
    """Tell of an experiment that another one lets nobody into (C7)."""
    for asked in case.plan.definition.prerequisites or ():
        other = case.plans.get(asked.feature)
        if other is not None and not _is_holdout(case, other):
            yield case.warning(
                "L14",
                "prerequisites",
                f"{other.key!r} decides who is in: its variations share nobody, or not alike",
            )


def holdouts(case: Case) -> Iterator[Finding]:
    """Ask for those who are held out of all changes to be held out of this one (C8)."""
    if HOLDOUT in case.record.tags:
        return
    asked = {one.feature for one in case.plan.definition.prerequisites or ()}
    for other in _others(case):
        if _is_holdout(case, other) and other.key not in asked and not _is_apart(case.plan, other):
            yield case.error(
                "L14",
                "prerequisites",
                f"lack {other.key!r}, whose control must meet nothing new: ask for its variation, "
                "or take a part of its namespace",
            )


def _shared_surfaces(case: Case) -> Iterator[tuple[Plan, list[str]]]:
    """Yield the experiments with a record that share visitors, and the surfaces of both."""
    for other in _others(case):
        record = case.designs.experiments.get(other.key)
        if record is not None and not _is_apart(case.plan, other):
            yield other, sorted(set(record.surface) & set(case.record.surface))


def _parameters(plan: Plan) -> set[str]:
    values = [arm.value for arm in plan.parts.arms]
    return {str(name) for value in values if isinstance(value, Mapping) for name in value}


def _is_holdout(case: Case, plan: Plan) -> bool:
    record = case.designs.experiments.get(plan.key)
    return record is not None and HOLDOUT in record.tags


def overlap(one: Plan, two: Plan) -> float:
    """Return the share of units that may be in both, from what is covered by chance."""
    if _is_apart(one, two):
        return 0.0
    return _covered(one.definition) * _covered(two.definition)


def _covered(definition: Definition[Any]) -> float:
    covered = float(definition.coverage)
    namespace = definition.namespace
    return covered * (namespace[2] - namespace[1]) if namespace else covered


def _is_apart(one: Plan, two: Plan) -> bool:
    """Tell whether parts of one namespace keep two experiments apart."""
    first, second = one.definition.namespace, two.definition.namespace
    if first is None or second is None or first[0] != second[0]:
        return False
    if one.hash_attribute != two.hash_attribute:
        return False
    return first[2] <= second[1] or second[2] <= first[1]


def _others(case: Case) -> Iterator[Plan]:
    """Yield the experiments that may share visitors: those that run, or are on without a step."""
    for key, plan in case.plans.items():
        if key == case.plan.key:
            continue
        is_known = bool(case.ledger.steps(key))
        is_on = plan.definition.active and plan.definition.status == "running"
        if case.ledger.status(key) in _ON or (is_on and not is_known):
            yield plan


def _recent(case: Case) -> Iterator[Plan]:
    """Yield the experiments that were stopped in the last 90 days."""
    for key, plan in case.plans.items():
        stops = [step.at for step in case.ledger.steps(key) if step.to == "stopped"]
        if key == case.plan.key or not stops:
            continue
        if case.today - dt.datetime.fromisoformat(stops[-1]).date() <= _RECENT:
            yield plan


def _seed(plan: Plan) -> str:
    return plan.definition.seed or plan.key


def _hashed(plan: Plan) -> tuple[str, int, str]:
    return _seed(plan), plan.definition.hash_version, plan.hash_attribute


RULES: Final = (keys, seeds, namespaces, surfaces, parameters, goals, prerequisites, holdouts)
