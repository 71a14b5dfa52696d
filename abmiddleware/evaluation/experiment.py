"""An experiment defined in code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

from abmiddleware.evaluation.checks import check_definition
from abmiddleware.evaluation.definition import Definition
from abmiddleware.evaluation.digest import definition_hash
from abmiddleware.evaluation.growthbook import read, write
from abmiddleware.evaluation.plan import Plan, compile_plan
from abmiddleware.evaluation.result import T


@dataclass(frozen=True, eq=False)
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
        # The caller's list may change; what was compiled must not.
        object.__setattr__(self, "variations", tuple(self.variations))
        plan = compile_plan(self, config_hash=definition_hash(self), path=self.key)
        plan.raise_problems()
        object.__setattr__(self, "plan", plan)

    @classmethod
    def from_growthbook(cls, document: Mapping[str, object]) -> Experiment[Any]:
        """Read an experiment from GrowthBook's JSON form.

        Raises:
            DefinitionError: the definition is wrong.
        """
        return read(cls, document)

    def to_growthbook(self) -> dict[str, Any]:
        """Return the experiment in GrowthBook's JSON form, as far as its values are JSON's."""
        return write(self)

    def __reduce__(self) -> tuple[Callable[..., Experiment[T]], tuple[object, ...]]:
        """Pickle the definition, and compile it anew where it is unpickled."""
        told = {part.name: getattr(self, part.name) for part in fields(Definition)}
        return partial(type(self), **told), ()
