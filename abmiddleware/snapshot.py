"""One immutable configuration; a request keeps the one it began with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.plan import EvaluationOptions, Plan
from abmiddleware.exceptions import ConfigurationError, DefinitionError


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
        cls, experiments: Iterable[Experiment[Any]], options: EvaluationOptions | None = None
    ) -> Snapshot:
        """Return the snapshot of experiments defined in code.

        Raises:
            ConfigurationError: something among them is no experiment.
            DefinitionError: two have the same key.
        """
        by_key: dict[str, Experiment[Any]] = {}
        for index, experiment in enumerate(experiments):
            path = f"experiments[{index}]"
            if not isinstance(experiment, Experiment):
                raise ConfigurationError(f"{path}: is {experiment!r}, must be an Experiment")
            if experiment.key in by_key:
                taken = list(by_key).index(experiment.key)
                raise DefinitionError(
                    f"{path}.key",
                    f"is {experiment.key!r} as is that of experiments[{taken}], must be its own",
                )
            by_key[experiment.key] = experiment
        attributes = {experiment.hash_attribute for experiment in by_key.values()}
        return cls(
            MappingProxyType(by_key),
            {key: experiment.plan for key, experiment in by_key.items()},
            None if options == EvaluationOptions() else options,
            ("id", *sorted(attributes - {"id"})),
        )
