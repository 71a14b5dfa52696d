"""Compiled rules of features: each forces a value or runs an experiment (10.2, 10.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from abmiddleware.evaluation.bandits import compile_bandit
from abmiddleware.evaluation.conditions import Matcher, Problem
from abmiddleware.evaluation.definition import MISSING, Definition, Rule, experiment_of
from abmiddleware.evaluation.digest import definition_hash
from abmiddleware.evaluation.membership import SavedGroups
from abmiddleware.evaluation.plan import (
    CompiledPrerequisite,
    Plan,
    compile_plan,
    compile_prerequisites,
)
from abmiddleware.evaluation.result import FeatureResult, FeatureSource, Leaf, Result
from abmiddleware.evaluation.rollouts import Rollout, compile_rollout
from abmiddleware.evaluation.running import run
from abmiddleware.evaluation.scope import Scope
from abmiddleware.evaluation.targeting import compile_filters, compile_targeting
from abmiddleware.evaluation.tracks import compile_tracks
from abmiddleware.evaluation.values import Attributes

Enrolment = tuple[Plan, Result[Any]]
#: What a rule says; None where it yields no value.
Outcome = FeatureResult[Any] | None
#: Returns the outcome of a rule by attributes alone, and adds an enrolment to the list.
Short = Callable[[Attributes, list[Enrolment]], Outcome]

_EXPERIMENT: Final = FeatureSource.EXPERIMENT


class RulePlan(msgspec.Struct, frozen=True, eq=False):
    """A rule that is ready to be asked; this one has neither a value nor variations."""

    prerequisites: tuple[CompiledPrerequisite, ...]
    admits: Callable[[Attributes], bool] | None

    @property
    def is_short(self) -> bool:
        """Whether `short` goes all the way, so that nothing but the definition decides."""
        return not self.prerequisites and self.admits is None

    def apply(self, scope: Scope) -> Outcome:
        """Return the outcome once prerequisites and filters let the rule count."""
        return None

    def short(self, attributes: Attributes, enrolled: list[Enrolment]) -> Outcome:
        """Return the outcome by attributes alone, and add an enrolment to the list."""
        return None


class Forced(RulePlan, frozen=True, eq=False):
    """A rule that gives a value."""

    result: FeatureResult[Any]
    matches: Matcher | None
    rollout: Rollout | None
    tracks: tuple[Enrolment, ...]

    @property
    def is_short(self) -> bool:
        """Exposures that came with the value need a scope."""
        return super().is_short and not self.tracks

    def apply(self, scope: Scope) -> Outcome:
        """Give the value, and note its exposures."""
        if not self._gets(scope.attributes, is_sticky=scope.sticky is not None):
            return None
        scope.enrolled.extend(self.tracks)
        return self.result

    def short(self, attributes: Attributes, enrolled: list[Enrolment]) -> Outcome:
        """Give the value."""
        return self.result if self._gets(attributes, is_sticky=False) else None

    def _gets(self, attributes: Attributes, *, is_sticky: bool) -> bool:
        if self.matches is not None and not self.matches(attributes):
            return False
        return self.rollout is None or self.rollout(attributes, is_sticky)


class Ran(RulePlan, frozen=True, eq=False):
    """A rule that runs an experiment."""

    key: str
    rule_id: str
    plan: Plan

    @property
    def is_short(self) -> bool:
        """Its experiment must be decided the short way, too."""
        return super().is_short and self.plan.is_short

    def apply(self, scope: Scope) -> Outcome:
        """Run the experiment."""
        return ran(self.plan, scope, self.key, self.rule_id)

    def short(self, attributes: Attributes, enrolled: list[Enrolment]) -> Outcome:
        """Decide the experiment."""
        plan = self.plan
        result = plan.decide(attributes)
        if not result.in_experiment:
            return None
        enrolled.append((plan, result))
        if result.passthrough:
            return None
        return FeatureResult(
            self.key, result.value, _EXPERIMENT, self.rule_id, plan.definition, result
        )


class Weighed(RulePlan, frozen=True, eq=False):
    """A rule that runs an experiment with the weights of a contextual bandit."""

    key: str
    rule_id: str
    choose: Callable[[Attributes], Plan]

    @property
    def is_short(self) -> bool:
        """The experiment is chosen first."""
        return False

    def apply(self, scope: Scope) -> Outcome:
        """Run the experiment with the weights of the unit's context."""
        return ran(self.choose(scope.attributes), scope, self.key, self.rule_id)


def ran(plan: Plan, scope: Scope, key: str, rule_id: str) -> Outcome:
    """Return what a feature's experiment gives; None for who is not in it, or passes through."""
    result = run(plan, scope)
    if not result.in_experiment or result.passthrough:
        return None
    return FeatureResult(key, result.value, _EXPERIMENT, rule_id, plan.definition, result)


@dataclass(slots=True)
class RuleCompiler:
    """Compiles the rules of one feature, and gathers what is wrong with them."""

    key: str
    #: None in code, which has none to name.
    saved_groups: SavedGroups | None
    bandits: Mapping[str, object]
    problems: list[Problem] = field(default_factory=list)
    #: The experiments that the rules may run.
    plans: list[Plan] = field(default_factory=list)

    def rule(self, rule: Rule[Any], path: str) -> RulePlan:
        """Compile a rule; one that gives no value may still ask for prerequisites."""
        asked = compile_prerequisites(rule.prerequisites, self.saved_groups, path, self.problems)
        admits = None if rule.filters is None else compile_filters(rule.filters)
        if rule.force is not MISSING:
            return self._forced(rule, path, asked, admits)
        definition = experiment_of(rule, self.key)
        if definition is None:
            return RulePlan(asked, admits)
        rule_id, bandit = _rule_id(rule), self._bandit(rule)
        if bandit is None:
            return Ran(asked, admits, self.key, rule_id, self._plan(definition, path))
        choose = self._choice(bandit, definition, rule, path)
        return Weighed(asked, admits, self.key, rule_id, choose)

    def _forced(
        self,
        rule: Rule[Any],
        path: str,
        asked: tuple[CompiledPrerequisite, ...],
        admits: Callable[[Attributes], bool] | None,
    ) -> Forced:
        place = f"{path}.condition"
        return Forced(
            asked,
            admits,
            FeatureResult(self.key, rule.force, FeatureSource.FORCE, _rule_id(rule)),
            compile_targeting(rule.condition, self.saved_groups, place, self.problems),
            compile_rollout(rule, self.key),
            compile_tracks(rule.tracks),
        )

    def _bandit(self, rule: Rule[Any]) -> dict[str, Any] | None:
        name = rule.contextual_bandit_ref
        bandit = self.bandits.get(name) if isinstance(name, str) and name else None
        return bandit if isinstance(bandit, dict) else None

    def _choice(
        self, bandit: dict[str, Any], definition: Definition[Any], rule: Rule[Any], path: str
    ) -> Callable[[Attributes], Plan]:
        """Return what chooses the experiment with the weights of a context."""

        def weigh(leaf: Leaf) -> Plan:
            return self._plan(replace(definition, weights=leaf.weights), path, leaf)

        place = f"contextualBandits.{rule.contextual_bandit_ref}"
        return compile_bandit(bandit, definition, weigh, self.saved_groups, place, self.problems)

    def _plan(self, definition: Definition[Any], path: str, leaf: Leaf | None = None) -> Plan:
        plan = compile_plan(
            definition,
            config_hash=definition_hash(definition),
            saved_groups=self.saved_groups,
            path=path,
            feature_id=self.key,
            leaf=leaf,
        )
        self.problems.extend(plan.problems)
        self.plans.append(plan)
        return plan


def _rule_id(rule: Rule[Any]) -> str:
    return rule.id if isinstance(rule.id, str) else ""
