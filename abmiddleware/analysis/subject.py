"""The experiment that is analysed: its variations, their shares, and what it randomises by."""

from __future__ import annotations

import msgspec

from abmiddleware.design.shares import shares
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
        weights = shares(plan.definition, len(arms))
        return cls(
            plan.key,
            [
                Variation(arm.key, arm.name or _name(arm.value, arm.key), weight)
                for arm, weight in zip(arms, weights, strict=True)
            ],
            plan.hash_attribute,
            plan.phase,
        )


def _name(value: object, key: str) -> str:
    return value if isinstance(value, str) else key if not key.isdecimal() else shown(value)
