"""Features that are asked before a rule or an experiment counts (specification, section 7)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from abmiddleware.evaluation.patterns import paid_by
from abmiddleware.evaluation.plan import CompiledPrerequisite
from abmiddleware.evaluation.result import FeatureSource
from abmiddleware.evaluation.scope import Scope
from abmiddleware.evaluation.values import Attributes


class Answer(Enum):
    """What prerequisites say together."""

    PASS = "pass"  # noqa: S105  # no secret
    #: One failed.
    FAIL = "fail"
    #: One failed that ends the whole feature.
    GATE = "gate"
    #: One leads back to what holds it.
    CYCLE = "cycle"


def ask(prerequisites: Iterable[CompiledPrerequisite], scope: Scope) -> Answer:
    """Evaluate the features in their order, up to the first that fails."""
    for prerequisite in prerequisites:
        result = scope.feature(prerequisite.feature)
        if result.source is FeatureSource.CYCLE:
            return Answer.CYCLE
        matches = prerequisite.matches
        value = Attributes(value=result.value)
        if matches is not None and not paid_by(scope.attributes, matches, value):
            return Answer.GATE if prerequisite.gate else Answer.FAIL
    return Answer.PASS
