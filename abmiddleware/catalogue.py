"""The experiments that views can ask for: the current snapshot, and objects used without one."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Final

from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.result import Result, unknown_result
from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import DefinitionError, UnknownExperimentError
from abmiddleware.mistakes import Mistakes
from abmiddleware.snapshot import Snapshot

#: Experiments used without being registered that are remembered.
_MAX_ADOPTED: Final = 10_000


class Catalogue:
    """Finds the plan of what a view asks for."""

    def __init__(self, snapshot: Snapshot, mistakes: Mistakes) -> None:
        #: The current configuration; replaced as a whole.
        self.snapshot = snapshot
        self.mistakes = mistakes
        self._adopted: dict[str, Plan] = {}
        #: What units are made of beyond those of the snapshot: hash attributes of adopted plans.
        self.adopted_units: tuple[str, ...] = ()

    def adopt(self, experiment: object, known: Plan | None) -> Plan | None:
        """Return the plan of an experiment object; None for what is none.

        Args:
            experiment: what a view asked for.
            known: the plan that the configuration has for its key.

        Raises:
            DefinitionError: in strict mode, another experiment in use has the same key.
        """
        if not isinstance(experiment, Experiment):
            return None
        plan = experiment.plan
        if plan is known:
            return plan
        known = known or self._adopted.get(plan.key)
        if known is None and len(self._adopted) < _MAX_ADOPTED:
            known = self._adopted.setdefault(plan.key, plan)
            if plan.hash_attribute not in (*self.snapshot.units, *self.adopted_units):
                self.adopted_units = (*self.adopted_units, plan.hash_attribute)
        if known is not None and known.config_hash != plan.config_hash:
            problem = "is the key of two different experiments in use, must be its own"
            self.mistakes.report(f"twin {plan.key}", lambda: DefinitionError(plan.key, problem))
        return plan

    def unknown(self, experiment: object, snapshot: Snapshot) -> Result[Any]:
        """Return the result of what no configuration knows.

        Raises:
            UnknownExperimentError: in strict mode.
        """
        key = experiment if isinstance(experiment, str) else shown(experiment)

        def error() -> UnknownExperimentError:
            return UnknownExperimentError(key, get_close_matches(key, snapshot.plans, n=3))

        self.mistakes.report(f"unknown {key}", error)
        return unknown_result()
