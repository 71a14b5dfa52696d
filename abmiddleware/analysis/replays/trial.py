"""How units are assigned and compared in each replay."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from abmiddleware.analysis.subject import Subject
from abmiddleware.design.record import ExperimentRecord
from abmiddleware.evaluation.hashing import bucket_of
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.values import is_truthy, shown
from abmiddleware.exceptions import ConfigurationError, DefinitionError


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """How units are assigned and compared in each replay."""

    key: str
    #: Of each variation, the control first, in all 1.
    weights: tuple[float, ...]
    seed: str
    hash_version: int = 2
    alpha: float = 0.05
    #: Whether intervals hold at every look, and the units at which they are narrowest.
    sequential: bool = False
    tuning: int = 5_000
    #: Looks at equal steps of the units, of which the first find ends the experiment.
    looks: int = 1
    #: The share of all treatments in each of as many phases of equal size, which are pooled; none
    #: for the weights.
    ramp: tuple[float, ...] = ()

    @classmethod
    def of(
        cls, plan: Plan, record: ExperimentRecord, *, looks: int = 1, ramp: Sequence[float] = ()
    ) -> Trial:
        """Return that of an experiment, at full coverage.

        Args:
            plan: of the experiment.
            record: one without an end is looked at any time, as its analysis is.
            looks: at its units.
            ramp: the share of all treatments in each phase.

        Raises:
            DefinitionError: the hash of the definition includes nobody.
            ConfigurationError: there is no such number of looks, or no such share.
        """
        definition = plan.definition
        seed = definition.seed or plan.key
        version = definition.hash_version if is_truthy(definition.hash_version) else 1
        if bucket_of(seed, version) is None:
            raise DefinitionError(
                f"{plan.key}.hash_version", f"is {shown(version)}, must be 1 or 2"
            )
        weights = [one.weight for one in Subject.of(plan).variations]
        if not sum(weights) > 0:
            raise DefinitionError(f"{plan.key}.ranges", "include nobody, must include units")
        if looks < 1:
            raise ConfigurationError(f"looks: is {looks}, must be 1 or more")
        if wrong := [share for share in ramp if not 0 < share < 1]:
            raise ConfigurationError(f"ramp: has {wrong[0]:g}, must have shares between 0 and 1")
        return cls(
            key=plan.key,
            weights=tuple(weight / sum(weights) for weight in weights),
            seed=seed,
            hash_version=version,
            alpha=record.alpha,
            sequential=record.sequential or record.end is None,
            tuning=record.tuning,
            looks=looks,
            ramp=tuple(ramp),
        )

    @property
    def phases(self) -> list[tuple[float, ...]]:
        """The weights of each phase."""
        control, *others = self.weights
        share = sum(others)
        return [
            (1 - one, *(one * (other / share if share else 1 / len(others)) for other in others))
            for one in self.ramp or (1 - control,)
        ]
