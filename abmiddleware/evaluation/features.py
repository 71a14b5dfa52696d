"""Compiled features: rules in order, the first that yields a value decides (sections 10 and 11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any, Final

from abmiddleware.evaluation.bandits import compile_bandit
from abmiddleware.evaluation.buckets import in_range, usable_ranges
from abmiddleware.evaluation.checks import check_feature
from abmiddleware.evaluation.conditions import Problem
from abmiddleware.evaluation.definition import (
    MISSING,
    Definition,
    FeatureDefinition,
    Rule,
    experiment_of,
)
from abmiddleware.evaluation.digest import definition_hash
from abmiddleware.evaluation.growthbook import read, write_feature
from abmiddleware.evaluation.hashing import bucket_of
from abmiddleware.evaluation.operators import SavedGroups
from abmiddleware.evaluation.plan import (
    CompiledPrerequisite,
    Plan,
    compile_filters,
    compile_plan,
    compile_prerequisites,
    compile_targeting,
    named,
)
from abmiddleware.evaluation.prerequisites import Answer, ask
from abmiddleware.evaluation.result import FeatureResult, FeatureSource, Leaf, Result, T
from abmiddleware.evaluation.running import run
from abmiddleware.evaluation.scope import Scope
from abmiddleware.evaluation.tracks import compile_tracks
from abmiddleware.evaluation.values import Attributes, is_number, is_truthy, unit_text
from abmiddleware.exceptions import DefinitionError

#: Returns the outcome of a rule; None where it yields none.
Apply = Callable[[Scope], FeatureResult[Any] | None]
#: Returns the outcome of a rule by attributes alone, and adds the enrolments to a list.
Short = Callable[[Attributes, list[tuple[Plan, Result[Any]]]], FeatureResult[Any] | None]
#: The same for a whole feature, which always has an outcome.
ShortFeature = Callable[[Attributes, list[tuple[Plan, Result[Any]]]], FeatureResult[Any]]
#: Tells whether attributes are in a rollout, and whether sticky bucketing is on.
Rollout = Callable[[Attributes, bool], bool]

_NO_BANDITS: Final[Mapping[str, object]] = {}


@dataclass(frozen=True, slots=True, eq=False)
class RulePlan:
    """A rule that is ready to be asked."""

    apply: Apply
    prerequisites: tuple[CompiledPrerequisite, ...]
    admits: Callable[[Attributes], bool] | None
    #: The same where nothing but the definition decides; None where other things always do.
    short: Short | None


@dataclass(frozen=True, slots=True, eq=False)
class FeaturePlan:
    """A feature that is ready to be evaluated."""

    key: str
    rules: tuple[RulePlan, ...]
    #: The outcome where no rule yields one.
    otherwise: FeatureResult[Any]
    #: The experiments that its rules may run.
    experiments: tuple[Plan, ...]
    problems: tuple[Problem, ...] = ()
    #: Evaluates where nothing but the definition decides; None where other things always do.
    short: ShortFeature | None = None

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


@dataclass(frozen=True, slots=True, eq=False)
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


@dataclass(slots=True)
class _Compiler:
    """Compiles the rules of one feature, and gathers what is wrong with them."""

    key: str
    #: None in code, which has none to name.
    saved_groups: SavedGroups | None
    bandits: Mapping[str, object]
    problems: list[Problem] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)

    def rule(self, rule: Rule[Any], path: str) -> RulePlan:
        """Compile a rule; one that gives no value may still ask for prerequisites."""
        made = self._forced(rule, path) if rule.force is not MISSING else self._ran(rule, path)
        apply, short = made or (_yields_nothing, _yields_nothing_short)
        prerequisites = compile_prerequisites(
            rule.prerequisites, self.saved_groups, path, self.problems
        )
        admits = None if rule.filters is None else compile_filters(rule.filters)
        return RulePlan(apply, prerequisites, admits, None if prerequisites or admits else short)

    def _forced(self, rule: Rule[Any], path: str) -> tuple[Apply, Short | None]:
        """Compile a rule that gives a value."""
        matches = compile_targeting(
            rule.condition, self.saved_groups, f"{path}.condition", self.problems
        )
        rollout = compile_rollout(rule, self.key)
        tracks = compile_tracks(rule.tracks)
        result = FeatureResult(self.key, rule.force, FeatureSource.FORCE, _rule_id(rule))

        def gets(attributes: Attributes, is_sticky: bool) -> bool:
            if matches is not None and not matches(attributes):
                return False
            return rollout is None or rollout(attributes, is_sticky)

        def apply(scope: Scope) -> FeatureResult[Any] | None:
            if not gets(scope.attributes, scope.sticky is not None):
                return None
            scope.enrolled.extend(tracks)
            return result

        def short(
            attributes: Attributes, enrolled: list[tuple[Plan, Result[Any]]]
        ) -> FeatureResult[Any] | None:
            return result if gets(attributes, False) else None

        return apply, None if tracks else short

    def _ran(self, rule: Rule[Any], path: str) -> tuple[Apply, Short | None] | None:
        """Compile a rule that runs an experiment."""
        definition = experiment_of(rule, self.key)
        if definition is None:
            return None
        choose = self._choice(rule, definition, path)
        key, rule_id = self.key, _rule_id(rule)

        def apply(scope: Scope) -> FeatureResult[Any] | None:
            plan = choose if isinstance(choose, Plan) else choose(scope.attributes)
            result = run(plan, scope)
            if not result.in_experiment or result.passthrough:
                return None
            return FeatureResult(
                key, result.value, FeatureSource.EXPERIMENT, rule_id, plan.definition, result
            )

        return apply, self._short(choose, rule_id)

    def _short(self, choose: Plan | Callable[[Attributes], Plan], rule_id: str) -> Short | None:
        if not isinstance(choose, Plan) or not choose.is_short:
            return None
        plan, decide, definition = choose, choose.decide, choose.definition
        key, source = self.key, FeatureSource.EXPERIMENT

        def short(
            attributes: Attributes, enrolled: list[tuple[Plan, Result[Any]]]
        ) -> FeatureResult[Any] | None:
            result = decide(attributes)
            if not result.in_experiment:
                return None
            enrolled.append((plan, result))
            if result.passthrough:
                return None
            return FeatureResult(key, result.value, source, rule_id, definition, result)

        return short

    def _choice(
        self, rule: Rule[Any], definition: Definition[Any], path: str
    ) -> Plan | Callable[[Attributes], Plan]:
        """Return the experiment, or what chooses it where a bandit weighs it."""
        name = rule.contextual_bandit_ref
        bandit = self.bandits.get(name) if isinstance(name, str) else None
        if not isinstance(bandit, dict):
            return self._plan(definition, path)

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


def compile_feature(
    feature: FeatureDefinition[Any],
    *,
    saved_groups: SavedGroups | None = None,
    bandits: Mapping[str, object] = _NO_BANDITS,
    path: str,
) -> FeaturePlan:
    """Compile a definition as a payload may hold it; never raises (section 19)."""
    compiler = _Compiler(feature.key, saved_groups, bandits)
    rules = tuple(
        compiler.rule(rule, f"{path}.rules[{index}]")
        for index, rule in enumerate(feature.rules if _is_list(feature.rules) else ())
        if isinstance(rule, Rule)
    )
    otherwise = FeatureResult(feature.key, feature.default, FeatureSource.DEFAULT)
    return FeaturePlan(
        feature.key,
        rules,
        otherwise,
        tuple(compiler.plans),
        tuple(compiler.problems),
        _short_of(rules, otherwise),
    )


def _short_of(rules: Sequence[RulePlan], otherwise: FeatureResult[Any]) -> ShortFeature | None:
    """Return the rules as one function; None where one of them needs more than attributes."""
    shorts = [rule.short for rule in rules if rule.short is not None]
    if len(shorts) < len(rules):
        return None

    def short(
        attributes: Attributes, enrolled: list[tuple[Plan, Result[Any]]]
    ) -> FeatureResult[Any]:
        for rule in shorts:
            outcome = rule(attributes, enrolled)
            if outcome is not None:
                return outcome
        return otherwise

    return short


def _yields_nothing(_: Scope) -> None:
    """Be the rule that has neither a value nor variations."""


def _yields_nothing_short(_: Attributes, __: list[tuple[Plan, Result[Any]]]) -> None:
    """Be that rule the short way."""


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple))


def _rule_id(rule: Rule[Any]) -> str:
    return rule.id if isinstance(rule.id, str) else ""


def compile_rollout(rule: Rule[Any], feature_key: str) -> Rollout | None:
    """Compile who gets a forced value; None for everybody (section 11)."""
    coverage = rule.coverage
    if coverage is None and rule.range is None:
        return None
    if rule.range is not None:
        limits = usable_ranges([rule.range])[0]
        holds: Callable[[float], bool] = lambda bucket: in_range(bucket, limits)  # noqa: E731
    elif is_number(coverage) and coverage:
        share: float = coverage
        holds = lambda bucket: bucket <= share  # noqa: E731
    else:
        return lambda _, __: False
    version = rule.hash_version if is_truthy(rule.hash_version) else 1
    bucket = bucket_of(rule.seed or feature_key, version) if _is_seed(rule.seed) else None
    if bucket is None:
        return lambda _, __: False

    def rollout(attributes: Attributes, is_sticky: bool) -> bool:
        unit = _unit(rule, attributes, is_sticky=is_sticky)
        return unit is not None and holds(bucket(unit))

    return rollout


def _is_seed(seed: object) -> bool:
    return seed is None or isinstance(seed, str)


def _unit(rule: Rule[Any], attributes: Attributes, *, is_sticky: bool) -> str | None:
    """Return who is randomised: by the fallback attribute only under sticky bucketing (3.4)."""
    unit = unit_text(attributes[named(rule.hash_attribute)])
    if unit is not None or not is_sticky or is_truthy(rule.disable_sticky_bucketing):
        return unit
    if not isinstance(rule.fallback_attribute, str) or not rule.fallback_attribute:
        return None
    return unit_text(attributes[rule.fallback_attribute])
