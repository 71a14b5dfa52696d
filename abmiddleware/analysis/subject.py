"""The experiment that is analysed: its variations, their shares, and what it randomises by."""

from __future__ import annotations

from typing import Any

import msgspec

from abmiddleware.evaluation.buckets import are_usable, usable_ranges
from abmiddleware.evaluation.definition import Definition
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.values import shown


class Variation(msgspec.Struct, frozen=True):
    """One variation, as records name it and as people do."""

    key: str
    name: str
    #: Its share of the units; those of an experiment need not add up to one.
    weight: float


class Subject(msgspec.Struct, frozen=True):
    """What an analysis must know of a definition."""

    key: str
    #: The control first.
    variations: list[Variation]
    unit_type: str = "id"
    phase: int = 0

    @classmethod
    def of(cls, plan: Plan) -> Subject:
        """Return it of a compiled experiment, of code or of any source."""
        arms = plan.parts.arms
        weights = _weights(plan.definition, len(arms))
        return cls(
            plan.key,
            [
                Variation(arm.key, arm.name or _name(arm.value, arm.key), weight)
                for arm, weight in zip(arms, weights, strict=True)
            ],
            plan.hash_attribute,
            plan.phase,
        )


def _weights(definition: Definition[Any], count: int) -> list[float]:
    """Return the shares that units are spread by, whatever way they were given."""
    if definition.ranges is not None:
        widths = [end - start for start, end in usable_ranges(definition.ranges)[:count]]
        return [*widths, *[0.0] * (count - len(widths))]
    weights = definition.weights
    if weights is None or not are_usable(weights, count):
        return [1 / count] * count
    return [float(one) for one in weights]


def _name(value: object, key: str) -> str:
    return value if isinstance(value, str) else key if not key.isdecimal() else shown(value)
