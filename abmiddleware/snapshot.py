"""One immutable configuration; a request keeps the one it began with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.plan import EvaluationOptions, Plan
from abmiddleware.exceptions import DefinitionError


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The compiled experiments of one configuration."""

    experiments: Mapping[str, Experiment[Any]]
    plans: Mapping[str, Plan]
    #: None where nothing but the definitions decides.
    options: EvaluationOptions | None
    #: The attributes that units are made of: the visitor's, and what experiments randomise by.
    units: tuple[str, ...]

    @classmethod
    def of(
        cls, experiments: Mapping[str, Experiment[Any]], options: EvaluationOptions | None = None
    ) -> Snapshot:
        """Return the snapshot of experiments defined in code, by key."""
        attributes = {experiment.hash_attribute for experiment in experiments.values()}
        return cls(
            MappingProxyType(dict(experiments)),
            {key: experiment.plan for key, experiment in experiments.items()},
            None if options == EvaluationOptions() else options,
            ("id", *sorted(attributes - {"id"})),
        )


def by_key(experiments: Sequence[Experiment[Any]]) -> dict[str, Experiment[Any]]:
    """Return experiments by their keys.

    Raises:
        DefinitionError: two have the same key.
    """
    found: dict[str, Experiment[Any]] = {}
    for index, experiment in enumerate(experiments):
        if experiment.key in found:
            taken = list(found).index(experiment.key)
            raise DefinitionError(
                f"experiments[{index}].key",
                f"is {experiment.key!r} as is that of experiments[{taken}], must be its own",
            )
        found[experiment.key] = experiment
    return found
