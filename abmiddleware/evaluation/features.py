"""Compiled features: rules in order, the first that yields a value decides (section 10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, Final

import msgspec

from abmiddleware.evaluation.checks import check_feature
from abmiddleware.evaluation.conditions import Problem
from abmiddleware.evaluation.definition import FeatureDefinition, Rule
from abmiddleware.evaluation.growthbook import read, write_feature
from abmiddleware.evaluation.membership import SavedGroups
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.prerequisites import Answer, ask
from abmiddleware.evaluation.result import FeatureResult, FeatureSource, T
from abmiddleware.evaluation.rules import Enrolment, RuleCompiler, RulePlan, Short
from abmiddleware.evaluation.scope import Scope
from abmiddleware.evaluation.values import Attributes
from abmiddleware.exceptions import DefinitionError

#: Returns the outcome of a feature by attributes alone, and adds the enrolments to a list.
ShortFeature = Callable[[Attributes, list[Enrolment]], FeatureResult[Any]]

_NO_BANDITS: Final[Mapping[str, object]] = {}


class FeaturePlan(msgspec.Struct, frozen=True, eq=False):
    """A feature that is ready to be evaluated."""

    definition: FeatureDefinition[Any]
    key: str
    rules: tuple[RulePlan, ...]
    #: The outcome where no rule yields one.
    otherwise: FeatureResult[Any]
    #: The experiments that its rules may run.
    experiments: tuple[Plan, ...]
    problems: tuple[Problem, ...] = ()

    def evaluate(self, scope: Scope) -> FeatureResult[Any]:
        """Go through the rules (10.2, 10.3)."""
        for rule in self.rules:
            if rule.prerequisites and (answer := ask(rule.prerequisites, scope)) is not Answer.PASS:
                if answer is Answer.FAIL:
                    continue
                is_cycle = answer is Answer.CYCLE
                source = FeatureSource.CYCLE if is_cycle else FeatureSource.PREREQUISITE
                return FeatureResult(self.key, None, source)
            if rule.admits is not None and not rule.admits(scope.attributes):
                continue
            outcome = rule.apply(scope)
            if outcome is not None:
                return outcome
        return self.otherwise

    @property
    def short(self) -> ShortFeature | None:
        """Evaluates where nothing but the definition decides; None where other things always do."""
        if not all(rule.is_short for rule in self.rules):
            return None

        # Bound as defaults, as in `plan.py`.
        def short(
            attributes: Attributes,
            enrolled: list[Enrolment],
            rules: Sequence[Short] = tuple(rule.short for rule in self.rules),
            otherwise: FeatureResult[Any] = self.otherwise,
        ) -> FeatureResult[Any]:
            for rule in rules:
                outcome = rule(attributes, enrolled)
                if outcome is not None:
                    return outcome
            return otherwise

        return short


@dataclass(frozen=True, eq=False)
class Feature(FeatureDefinition[T]):
    """A feature flag: a default value, and rules that give others or run experiments.

    It is checked and compiled when it is built; a mistake raises at once.

        DARK = Feature("dark-mode", False, rules=[Rule(force=True, condition={"country": "NL"})])

    Raises:
        DefinitionError: the definition is wrong; the message names the place and the mend.
    """

    #: The compiled form.
    plan: FeaturePlan = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_feature(self)
        # The caller's list may change; what was compiled must not.
        object.__setattr__(self, "rules", tuple(self.rules))
        plan = compile_feature(self, path=self.key)
        for problem in plan.problems:
            raise DefinitionError(problem.path, problem.problem)
        object.__setattr__(self, "plan", plan)

    @classmethod
    def from_growthbook(cls, key: str, document: Mapping[str, object]) -> Feature[Any]:
        """Read a feature from GrowthBook's JSON form.

        Raises:
            DefinitionError: the definition is wrong.
        """
        return read(cls, document, key=key)

    def to_growthbook(self) -> dict[str, Any]:
        """Return the feature in GrowthBook's JSON form, as far as its values are JSON's."""
        return write_feature(self)

    def __reduce__(self) -> tuple[Callable[..., Feature[T]], tuple[object, ...]]:
        """Pickle the definition, and compile it anew where it is unpickled."""
        told = {part.name: getattr(self, part.name) for part in fields(FeatureDefinition)}
        return partial(type(self), **told), ()


def compile_feature(
    feature: FeatureDefinition[Any],
    *,
    saved_groups: SavedGroups | None = None,
    bandits: Mapping[str, object] = _NO_BANDITS,
    path: str,
) -> FeaturePlan:
    """Compile a definition as a payload may hold it; never raises (section 19)."""
    compiler = RuleCompiler(feature.key, saved_groups, bandits)
    listed = feature.rules if isinstance(feature.rules, (list, tuple)) else ()
    rules = [
        compiler.rule(rule, f"{path}.rules[{index}]")
        for index, rule in enumerate(listed)
        if isinstance(rule, Rule)
    ]
    return FeaturePlan(
        feature,
        feature.key,
        tuple(rules),
        FeatureResult(feature.key, feature.default, FeatureSource.DEFAULT),
        tuple(compiler.plans),
        tuple(compiler.problems),
    )
