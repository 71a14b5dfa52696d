"""One source's configuration: experiments and features, compiled when they are first asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Final

from abmiddleware.evaluation.conditions import Problem
from abmiddleware.evaluation.definition import Definition, FeatureDefinition, Rule
from abmiddleware.evaluation.digest import definition_hash
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.features import Feature, FeaturePlan, compile_feature
from abmiddleware.evaluation.growthbook import read_experiment, read_feature
from abmiddleware.evaluation.membership import SavedGroups
from abmiddleware.evaluation.plan import Plan, compile_plan

#: Problems that are told at most: a broken export would fill the log.
MAX_PROBLEMS: Final = 100

#: A definition, or its JSON form, which is read when it is first asked for.
AnyExperiment = Definition[Any] | Mapping[str, object]
AnyFeature = FeatureDefinition[Any] | Mapping[str, object]


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """Experiments and features that belong together, with the saved groups they name.

    A document never changes. What cannot be used of a part includes nobody and is listed as a
    problem; all other parts serve.
    """

    experiments: Mapping[str, AnyExperiment]
    features: Mapping[str, AnyFeature]
    #: Experiments that run by themselves, in their order; only redirects do so on a server (16).
    #: Each comes with its place in the list that it is from.
    automatic: Sequence[tuple[int, AnyExperiment]] = ()
    saved_groups: SavedGroups | None = None
    contextual_bandits: Mapping[str, object] | None = None
    #: The attributes that experiments randomise by.
    units: frozenset[str] = frozenset()
    #: What is wrong with the form of its parts, which were set aside.
    problems: tuple[Problem, ...] = ()

    def experiment(self, key: str) -> Plan:
        """Compile the experiment of a key that is in `experiments`."""
        return self._plan(self.experiments[key], f"experiments.{key}")

    def redirects(self) -> tuple[Plan, ...]:
        """Compile the experiments that run by themselves."""
        return tuple(
            self._plan(experiment, f"experiments[{index}]") for index, experiment in self.automatic
        )

    def feature(self, key: str) -> FeaturePlan:
        """Compile the feature of a key that is in `features`."""
        feature = self.features[key]
        if isinstance(feature, Feature):
            return feature.plan
        if isinstance(feature, Mapping):
            feature = read_feature(key, feature)
        return compile_feature(
            feature,
            saved_groups=self.saved_groups or SavedGroups(),
            bandits=self.contextual_bandits or {},
            path=f"features.{key}",
        )

    def check(self) -> tuple[Problem, ...]:
        """Return what is wrong with its parts; the first hundred problems.

        It compiles every part, some 50 microseconds each, so it has no place in a request.
        """
        found = chain(self.problems, chain.from_iterable(self.findings()))
        return tuple(islice(found, MAX_PROBLEMS))

    def findings(self) -> Iterator[tuple[Problem, ...]]:
        """Compile one part after the other, keeping none, and yield what is wrong with each."""
        for key in self.experiments:
            yield self.experiment(key).problems
        for key in self.features:
            yield self.feature(key).problems

    def _plan(self, experiment: AnyExperiment, path: str) -> Plan:
        if isinstance(experiment, Experiment):
            return experiment.plan
        if isinstance(experiment, Mapping):
            experiment = read_experiment(experiment)
        return compile_plan(
            experiment,
            config_hash=definition_hash(experiment),
            saved_groups=self.saved_groups or SavedGroups(),
            path=path,
        )


def document_of(definitions: Iterable[Definition[Any] | FeatureDefinition[Any]]) -> Document:
    """Return the document of objects defined in code; of two with one key the first counts."""
    listed = list(definitions)
    experiments = [each for each in listed if isinstance(each, Definition)]
    features = [each for each in listed if isinstance(each, FeatureDefinition)]
    parts: list[Definition[Any] | Rule[Any]] = list(experiments)
    parts.extend(rule for feature in features for rule in feature.rules)
    attributes = [name for part in parts for name in (part.hash_attribute, part.fallback_attribute)]
    return Document(
        experiments={each.key: each for each in reversed(experiments)},
        features={each.key: each for each in reversed(features)},
        units=frozenset(name for name in attributes if isinstance(name, str) and name),
    )
