"""Rules about what a record says: hypothesis, metrics, time and size (L1 to L11, L17 to L25)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from statistics import median
from typing import Final

from abmiddleware.design.ledger import FEWEST_PAST
from abmiddleware.design.lint.finding import Case, Finding
from abmiddleware.design.power import (
    FEW_CLUSTERS,
    FEWEST_CLUSTERS,
    FEWEST_CONVERSIONS,
    WEEK,
    question_of,
    units_for,
)
from abmiddleware.design.shares import effective, shares
from abmiddleware.exceptions import DefinitionError

_DIRECTION: Final = re.compile(
    r"\b(rais|lower|increas|decreas|reduc|more|fewer|less|higher|grow|rise|fall|drop|faster|slower)",
    re.IGNORECASE,
)
_LEAST_HYPOTHESIS: Final = 40
_MOST_SECONDARY: Final = 10
#: Days after which visitors have lost their cookies.
_LONG: Final = 42
_PEOPLE: Final = ("id", "user_id")
#: Shares that differ by less are equal.
_EQUAL: Final = 1e-9


def hypothesis(case: Case) -> Iterator[Finding]:
    """Ask for a change, a metric and a direction, so that no story is told afterwards."""
    text = case.record.hypothesis
    if len(text) < _LEAST_HYPOTHESIS:
        yield case.error(
            "L1",
            "hypothesis",
            f"has {len(text)} characters, must tell in {_LEAST_HYPOTHESIS} or more what is changed "
            "because of what, and which metric it moves where to",
        )
    elif not _DIRECTION.search(text):
        yield case.error("L1", "hypothesis", "has no direction, must say what it raises or lowers")


def responsibility(case: Case) -> Iterator[Finding]:
    """Ask for an owner and an end: what nobody ends runs for ever."""
    if not case.record.owner:
        yield case.error("L2", "owner", "is missing, must name who answers for it")
    if case.record.end is None:
        yield case.error("L2", "end", "is missing, must be the planned last day")


def goals(case: Case) -> Iterator[Finding]:
    """Ask for one goal: each more costs power, and honesty."""
    count = len(case.record.goals)
    if not count:
        yield case.error("L3", "goals", "are missing, must be the metric that decides")
    elif count == 2:
        yield case.warning("L3", "goals", "are two, should be one: each costs power")
    elif count > 2:
        yield case.error("L3", "goals", f"are {count}, must be one, or two at most")


def guardrails(case: Case) -> Iterator[Finding]:
    """Ask for what must not get worse, and by how much at most."""
    if not case.record.guardrails:
        yield case.warning("L4", "guardrails", "are missing, should name what must not get worse")
    for name in case.record.guardrails:
        if not case.designs.metrics[name].margin > 0:
            yield case.error(
                "L4", "guardrails", f"{name!r} has the margin 0, which no experiment can show"
            )


def roles(case: Case) -> Iterator[Finding]:
    """Ask for one role of each metric."""
    seen: set[str] = set()
    for name in case.record.metrics:
        if name in seen:
            yield case.error("L5", "metrics", f"{name!r} has two roles, must have one")
        seen.add(name)


def size(case: Case) -> Iterator[Finding]:
    """Ask for units enough to find what is looked for (L6, L7)."""
    record, days = case.record, case.record.planned_days
    goal = case.goal
    if goal is None:
        return
    if not record.mde or not record.baseline or not record.units_per_day:
        yield case.error(
            "L6", "mde", "baseline and units_per_day must be given, so that the size can be told"
        )
        return
    if days is None:
        return
    total, found = record.units_per_day * days, _shares(case)
    if goal.is_share:
        expected = total * min(found) * record.baseline
        if expected < FEWEST_CONVERSIONS:
            yield case.error(
                "L7",
                "units_per_day",
                f"brings {expected:,.0f} conversions of a variation in {days} days, must bring "
                f"{FEWEST_CONVERSIONS} or more",
            )
    try:
        needed = units_for(question_of(record, goal, len(case.plan.parts.arms)), record.mde)
    except DefinitionError as error:
        yield case.error("L6", error.path, error.problem)
        return
    share = effective(found)
    units = total * share
    if units < needed and share:
        longer = math.ceil(needed / share / record.units_per_day / WEEK) * WEEK
        told = "" if max(found) - min(found) < _EQUAL else " (counted as of equal shares)"
        yield case.error(
            "L6",
            "end",
            f"brings {units:,.0f} units of a variation{told}, must bring {needed:,} to find "
            f"{record.mde:.1%} with a power of {record.power:.0%}: {longer} days",
        )


def _shares(case: Case) -> list[float]:
    """Return the shares of the variations that somebody meets, the control first."""
    found = shares(case.plan.definition, len(case.plan.parts.arms))
    return [one for one in found if one > 0] or found


def effect(case: Case) -> Iterator[Finding]:
    """Ask whether the effect can be true, and whether it need be so small."""
    mde = case.record.mde
    if mde > 0.5:
        yield case.warning("L8", "mde", f"is {mde:.0%}, which hardly any change brings")
    past = case.ledger.moved(case.record.goals[0]) if case.record.goals else []
    if len(past) >= FEWEST_PAST and 0 < mde < median(past) / 2:
        yield case.warning(
            "L8",
            "mde",
            f"is {mde:.1%}, where half of {len(past)} experiments moved it by {median(past):.1%} "
            "or more: a smaller experiment would do",
        )


def time(case: Case) -> Iterator[Finding]:
    """Ask for whole weeks, two at best: people differ by the day of the week."""
    days = case.record.planned_days
    if days is None:
        return
    if days < WEEK or days % WEEK:
        yield case.error("L9", "end", f"makes it {days} days, must be whole weeks")
    elif days < 2 * WEEK:
        yield case.warning("L9", "end", f"makes it {days} days, should be 14 or more")
    elif days > _LONG:
        yield case.warning(
            "L9", "end", f"makes it {days} days; after {_LONG} many visitors have another id"
        )
    for name, dates in case.designs.calendar.items():
        for field in ("start", "end"):
            if getattr(case.record, field) in dates:
                yield case.warning("L10", field, f"is in {name}, when people are not as always")


def weights(case: Case) -> Iterator[Finding]:
    """Ask for equal shares, which find most."""
    found = shares(case.plan.definition, len(case.plan.parts.arms))
    if max(found) - min(found) > _EQUAL and not case.record.why_unequal:
        yield case.error(
            "L11",
            "why_unequal",
            f"is missing: the weights are {[round(float(one), 4) for one in found]}, must be "
            "equal, or a reason be given; to begin small, lower the coverage",
        )


def looking(case: Case) -> Iterator[Finding]:
    """Ask for a tuning that fits a sequential plan."""
    record, days = case.record, case.record.planned_days
    if not record.sequential or not days or not record.units_per_day:
        return
    planned = 2 * record.units_per_day * days / len(case.plan.parts.arms)
    if not planned / 3 <= record.tuning <= planned * 3:
        yield case.error(
            "L21",
            "tuning",
            f"is {record.tuning:,}, must be near {planned:,.0f}, the units of two variations at "
            "the end",
        )


def clusters(case: Case) -> Iterator[Finding]:
    """Ask for clusters enough, where whole companies, say, are assigned (L16)."""
    record, days = case.record, case.record.planned_days
    if case.plan.hash_attribute in _PEOPLE or not record.units_per_day or not days:
        return
    each = record.units_per_day * days * min(_shares(case))
    told = f"brings {each:,.0f} units by {case.plan.hash_attribute!r} of a variation"
    if each < FEWEST_CLUSTERS:
        yield case.error(
            "L16",
            "units_per_day",
            f"{told}, must bring {FEWEST_CLUSTERS}: no test holds with fewer",
        )
    elif each < FEW_CLUSTERS:
        yield case.warning(
            "L16", "units_per_day", f"{told}, should bring {FEW_CLUSTERS}: tests find too much"
        )


def secondary(case: Case) -> Iterator[Finding]:
    """Ask for few metrics: of twenty one is found by chance."""
    count = len(case.record.secondary)
    if count > _MOST_SECONDARY:
        yield case.warning("L22", "secondary", f"are {count}, should be {_MOST_SECONDARY} or fewer")


def tails(case: Case) -> Iterator[Finding]:
    """Ask for a cap of sums, which a few large ones drown."""
    for name in case.record.goals:
        metric = case.designs.metrics[name]
        if (
            metric.kind == "mean"
            and metric.aggregate == "sum"
            and not (metric.cap or metric.cap_at)
        ):
            yield case.warning(
                "L23", "goals", f"{name!r} sums without a cap, should have cap = 0.999"
            )


def rule(case: Case) -> Iterator[Finding]:
    """Ask for what will be done, before anybody knows what comes out."""
    if not case.record.decision_rule:
        yield case.warning(
            "L24",
            "decision_rule",
            "is missing, should say what is done when it is better, worse or flat",
        )


def confirmations(case: Case) -> Iterator[Finding]:
    """Ask for what no program can see (L17, L18, L25)."""
    confirmed = case.record.confirmed
    asked = {
        "exposure": ("L17", "error", "run() is called where the treatment begins, for all alike"),
        "aa": (
            "L19",
            "error",
            "`abmiddleware aa` passed on this unit and these metrics within 90 days",
        ),
        "qa": ("L25", "warning", "each variation was looked at, and switching it off was tried"),
    }
    if case.record.activation:
        asked["activation"] = (
            "L18", "warning", "the activation comes before anything in which variations differ"
        )  # fmt: skip
    for name, (number, level, what) in asked.items():
        if name not in confirmed:
            make = case.error if level == "error" else case.warning
            yield make(number, "confirmed", f"lacks {name!r}: {what}")
    if not case.excludes:
        yield case.warning("L25", "exclude", "nobody is excluded: bots and staff count")


RULES: Final = (
    hypothesis, responsibility, goals, guardrails, roles, size, effect, time, weights, looking,
    clusters, secondary, tails, rule, confirmations,
)  # fmt: skip
