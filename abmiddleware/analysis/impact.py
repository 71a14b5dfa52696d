"""What all experiments brought together, without the luck of those that were picked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from abmiddleware.analysis.inference.shrinkage import FEWEST, shrunken
from abmiddleware.design.ledger import Outcome, Step


class Contribution(msgspec.Struct, frozen=True):
    """What one experiment brought."""

    key: str
    decision: str
    variation: str
    #: Relative, as it was measured; and drawn towards zero, None where too few are known.
    lift: float
    shrunken: float | None


class Impact(msgspec.Struct, frozen=True):
    """All that was decided by one metric."""

    metric: str
    contributions: list[Contribution]
    #: Of what was shipped, all lifts one after the other: as measured, which is too much, and
    #: drawn towards zero.
    shipped: float
    shipped_shrunken: float | None
    #: Of what was rolled back, the losses that were avoided.
    avoided: float
    avoided_shrunken: float | None


def impacts(decisions: Iterable[Step]) -> list[Impact]:
    """Return what decisions brought, by metric.

    Those without a measured outcome, and of experiments that were invalid, are left out.

    Winners are picked among noise, so that their measured lifts add up to more than there is. Each
    is drawn towards zero by what all decided experiments of the metric tell, won or lost.

    Args:
        decisions: the steps of the ledger that decide.
    """
    by_metric: dict[str, list[tuple[Step, Outcome]]] = {}
    for step in decisions:
        if step.outcome is not None and step.decision != "invalid":
            by_metric.setdefault(step.outcome.metric, []).append((step, step.outcome))
    return [_impact(metric, found) for metric, found in sorted(by_metric.items())]


def _impact(metric: str, found: Sequence[tuple[Step, Outcome]]) -> Impact:
    logarithms = [math.log1p(outcome.lift) for _, outcome in found]
    drawn: list[float | None] = [None] * len(found)
    if len(found) >= FEWEST:
        errors = [outcome.error for _, outcome in found]
        drawn = [math.expm1(one) for one in shrunken(logarithms, errors)]
    contributions = [
        Contribution(step.key, str(step.decision), outcome.variation, outcome.lift, one)
        for (step, outcome), one in zip(found, drawn, strict=True)
    ]
    shipped = [one for one in contributions if one.decision == "ship"]
    avoided = [one for one in contributions if one.decision == "roll back"]
    return Impact(
        metric,
        contributions,
        _total([one.lift for one in shipped]),
        _total_shrunken(shipped),
        _total([one.lift for one in avoided]),
        _total_shrunken(avoided),
    )


def _total(lifts: Iterable[float]) -> float:
    return math.prod(1 + lift for lift in lifts) - 1


def _total_shrunken(contributions: Sequence[Contribution]) -> float | None:
    known = [one.shrunken for one in contributions if one.shrunken is not None]
    return _total(known) if len(known) == len(contributions) and known else None
