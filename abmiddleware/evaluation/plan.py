"""A compiled experiment: everything that can be known before a unit comes is computed once.

A plan decides for attributes: purely, and for whatever values they hold without raising.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, cast

from abmiddleware.evaluation.buckets import (
    Range,
    bucket_ranges,
    compile_choice,
    compile_filter,
    compile_namespace,
    usable_ranges,
)
from abmiddleware.evaluation.conditions import Matcher, Problem, compile_condition
from abmiddleware.evaluation.definition import Definition, Filter, VariationMeta
from abmiddleware.evaluation.hashing import Bucket, bucket_of
from abmiddleware.evaluation.operators import SavedGroups
from abmiddleware.evaluation.result import Reason, Result
from abmiddleware.evaluation.values import Attributes, is_number, is_truthy, unit_text
from abmiddleware.exceptions import DefinitionError

Decision = Callable[[Attributes], Result[Any]]
#: Tells by a unit's text and its attributes whether namespace or filters admit it.
Admission = Callable[[str, Attributes], bool]


@dataclass(frozen=True, slots=True)
class Arm:
    """What a result says of one variation."""

    variation_id: int
    value: Any
    key: str
    name: str
    passthrough: bool


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """What applies to every experiment of a process (specification, section 2)."""

    enabled: bool = True
    qa_mode: bool = False
    #: Variation index by experiment key: who runs the experiment gets it, and is not counted.
    forced_variations: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """An experiment that is ready to decide."""

    key: str
    hash_attribute: str
    phase: int
    arms: tuple[Arm, ...]
    #: Decides by everything that the definition says.
    decide: Decision
    #: Tells this definition from others in the records.
    config_hash: str = ""
    problems: tuple[Problem, ...] = ()

    def raise_problems(self) -> None:
        """Raise the first problem of the definition.

        Raises:
            DefinitionError: names the place and the mend.
        """
        for problem in self.problems:
            raise DefinitionError(problem.path, problem.problem)

    def outside(self, attributes: Attributes, reason: Reason) -> Result[Any]:
        """Return the control, outside the experiment."""
        return _unhashed(self.arms[0], self.hash_attribute, attributes, reason)

    def failed(self) -> Result[Any]:
        """Return the control for an evaluation that failed; reads no attribute."""
        return self.outside(Attributes(), Reason.ERROR)

    def forced(self, index: object, attributes: Attributes) -> Result[Any]:
        """Return a forced variation; outside the experiment where the index does not exist."""
        return _forced(self.arms, index, self.hash_attribute, attributes)


def evaluate(plan: Plan, attributes: Attributes, options: EvaluationOptions) -> Result[Any]:
    """Decide under the options of the process (specification, section 8.2)."""
    if len(plan.arms) < 2:
        return plan.outside(attributes, Reason.INVALID)
    if not options.enabled:
        return plan.outside(attributes, Reason.DISABLED)
    if plan.key in options.forced_variations:
        return plan.forced(options.forced_variations[plan.key], attributes)
    result = plan.decide(attributes)
    if options.qa_mode and result.reason is Reason.SPLIT:
        return plan.outside(attributes, Reason.QA_MODE)
    return result


def _unhashed(
    arm: Arm, hash_attribute: str, attributes: Attributes, reason: Reason, *, inside: bool = False
) -> Result[Any]:
    """Return a result that no hash decided."""
    value = attributes.known(hash_attribute)
    return Result(
        inside,
        arm.value,
        arm.key,
        arm.variation_id,
        False,
        hash_attribute,
        value if is_truthy(value) else "",
        None,
        arm.name,
        arm.passthrough,
        False,
        None,
        reason,
    )


def _forced(
    arms: Sequence[Arm], index: object, hash_attribute: str, attributes: Attributes
) -> Result[Any]:
    if is_number(index) and index in range(len(arms)):
        return _unhashed(
            arms[int(cast(float, index))], hash_attribute, attributes, Reason.FORCED, inside=True
        )
    return _unhashed(arms[0], hash_attribute, attributes, Reason.FORCED)


#: The control of an experiment without variations.
_NOTHING: Final = Arm(0, None, "0", "", False)


def compile_plan(
    definition: Definition[Any],
    *,
    config_hash: str = "",
    saved_groups: SavedGroups | None = None,
    path: str = "experiment",
) -> Plan:
    """Compile a definition as a payload may hold it; never raises (sections 8 and 19).

    Fields of None are absent. What cannot be used includes nobody; what of the condition cannot,
    is listed in the plan's `problems`, with `path` in front.
    """
    arms = _arms(definition.variations, definition.meta)
    hash_attribute = _named(definition.hash_attribute)
    matches, problems = _targeting(definition.condition, saved_groups, f"{path}.condition")
    decide = _decision(
        arms=arms or (_NOTHING,),
        hash_attribute=hash_attribute,
        bucket=(
            _bucket(definition.seed or definition.key, definition.hash_version)
            if len(arms) > 1
            else None
        ),
        limits=_limits(definition, len(arms)),
        matches=matches,
        admits=_admission(definition),
        force=definition.force,
        active=definition.active,
    )
    return Plan(
        definition.key,
        hash_attribute,
        definition.phase,
        arms or (_NOTHING,),
        decide,
        config_hash,
        problems,
    )


def _named(attribute: object) -> str:
    return attribute if isinstance(attribute, str) and attribute else "id"


def _limits(definition: Definition[Any], count: int) -> Sequence[Range]:
    if definition.ranges is None:
        return bucket_ranges(count, definition.coverage, definition.weights)
    return usable_ranges(definition.ranges)[:count]


def _admission(definition: Definition[Any]) -> Admission | None:
    """Return the test of filters or else, since they replace it, of the namespace (5.3)."""
    if definition.filters is not None:
        passes = _filters(definition.filters)
        return lambda _, attributes: passes(attributes)
    if definition.namespace is None:
        return None
    holds = compile_namespace(definition.namespace)
    return lambda unit, _: holds(unit)


def _bucket(seed: object, hash_version: object) -> Bucket | None:
    version = hash_version if is_truthy(hash_version) else 1
    return bucket_of(seed, version) if isinstance(seed, str) else None


def _targeting(
    condition: object, saved_groups: SavedGroups | None, path: str
) -> tuple[Matcher | None, tuple[Problem, ...]]:
    if condition is None or condition == {}:
        return None, ()
    compiled = compile_condition(condition, saved_groups, path)
    return compiled.matches, tuple(compiled.problems)


def _filters(filters: object) -> Callable[[Attributes], bool]:
    if not isinstance(filters, (list, tuple)):
        return lambda _: False
    tests = [
        compile_filter(entry.seed, entry.ranges, entry.hash_version, entry.attribute)
        if isinstance(entry, Filter)
        else (lambda _: False)
        for entry in filters
    ]
    return lambda attributes: all(test(attributes) for test in tests)


def _arms(variations: object, meta: object) -> tuple[Arm, ...]:
    if isinstance(variations, str) or not isinstance(variations, Sequence):
        return ()
    entries = meta if isinstance(meta, (list, tuple)) else []
    arms = []
    for index, value in enumerate(variations):
        entry = entries[index] if index < len(entries) else None
        told = entry if isinstance(entry, VariationMeta) else VariationMeta()
        arms.append(
            Arm(
                index,
                value,
                told.key if isinstance(told.key, str) and told.key else str(index),
                told.name if isinstance(told.name, str) else "",
                is_truthy(told.passthrough),
            )
        )
    return tuple(arms)


def _decision(
    arms: tuple[Arm, ...],
    hash_attribute: str,
    bucket: Bucket | None,
    limits: Sequence[tuple[float, float]],
    matches: Matcher | None,
    admits: Admission | None,
    force: object,
    active: bool,
) -> Decision:
    out = partial(_unhashed, arms[0], hash_attribute)
    if not active or bucket is None:
        return partial(out, reason=Reason.INVALID if active else Reason.DISABLED)
    cuts, indices = compile_choice(limits)
    split = Reason.SPLIT

    def decide(attributes: Attributes) -> Result[Any]:
        # First, against 8.2 but with its outcome: who is kept out needs no id, so no cookie.
        if matches is not None and not matches(attributes):
            return out(attributes, Reason.CONDITION)
        value = attributes[hash_attribute]
        unit = value if type(value) is str else unit_text(value)
        if not unit:
            return out(attributes, Reason.NO_UNIT)
        if admits is not None and not admits(unit, attributes):
            return out(attributes, Reason.FILTERED)
        hashed = bucket(unit)
        index = indices[bisect_right(cuts, hashed)]
        if index < 0:
            return out(attributes, Reason.NOT_COVERED)
        if force is not None:
            return _forced(arms, force, hash_attribute, attributes)
        arm = arms[index]
        return Result(
            True,
            arm.value,
            arm.key,
            index,
            True,
            hash_attribute,
            value,
            hashed,
            arm.name,
            arm.passthrough,
            False,
            None,
            split,
        )

    return decide
