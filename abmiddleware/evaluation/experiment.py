"""An experiment defined in code."""

from __future__ import annotations

from dataclasses import dataclass, field

from abmiddleware.evaluation.checks import check_definition
from abmiddleware.evaluation.definition import Definition
from abmiddleware.evaluation.digest import definition_hash
from abmiddleware.evaluation.plan import Plan, compile_plan
from abmiddleware.evaluation.result import T


@dataclass(frozen=True, slots=True, eq=False)
class Experiment(Definition[T]):
    """An experiment: a key, its variations, and who takes part.

    It is checked and compiled when it is built; a mistake raises at once.

        CHECKOUT = Experiment("checkout-button", ["control", "one-click"], coverage=0.2)

    Raises:
        DefinitionError: the definition is wrong; the message names the place and the mend.
    """

    #: The compiled form.
    plan: Plan = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_definition(self)
        plan = compile_plan(self, config_hash=definition_hash(self), path=self.key)
        plan.raise_problems()
        object.__setattr__(self, "plan", plan)
