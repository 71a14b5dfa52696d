"""A compiled experiment: everything that can be known before a unit comes is computed once.

A plan decides for attributes: purely, and for whatever values they hold without raising. Here is
the short way of a decision, for an experiment of which nothing but its own definition decides;
`running.py` goes the whole way of section 8.2.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple, cast

from abmiddleware.evaluation.buckets import (
    Range,
    bucket_ranges,
    compile_choice,
    compile_filter,
    compile_namespace,
    usable_ranges,
)
from abmiddleware.evaluation.conditions import Matcher, Problem, compile_condition
from abmiddleware.evaluation.definition import (
    Definition,
    Filter,
    Prerequisite,
    VariationMeta,
)
from abmiddleware.evaluation.hashing import Bucket, bucket_of
from abmiddleware.evaluation.operators import SavedGroups
from abmiddleware.evaluation.result import Leaf, Reason, Result
from abmiddleware.evaluation.url_patterns import compile_legacy_url, compile_targets
from abmiddleware.evaluation.values import Attributes, is_number, is_truthy, unit_text
from abmiddleware.exceptions import DefinitionError

Decision = Callable[[Attributes], Result[Any]]
#: Tells by a unit's text and its attributes whether namespace or filters admit it.
Admission = Callable[[str, Attributes], bool]
#: Tells whether an experiment runs on a page, by its URL.
OnPage = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Arm:
    """What a result says of one variation."""

    variation_id: int
    value: Any
    key: str
    name: str
    passthrough: bool
    #: Whether `meta` names it, so that a sticky bucket can.
    is_named: bool = False


class CompiledPrerequisite(NamedTuple):
    """A feature that is asked first."""

    feature: str
    #: Tests `{"value": ...}`; None passes.
    matches: Matcher | None
    gate: bool


class Extras(NamedTuple):
    """What only the whole way of a decision knows; absent for most experiments."""

    targets: OnPage | None = None
    legacy_url: OnPage | None = None
    prerequisites: tuple[CompiledPrerequisite, ...] = ()
    groups: tuple[object, ...] | None = None
    include: Callable[[], object] | None = None
    is_stopped: bool = False


_NO_EXTRAS: Final = Extras()


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The compiled parts of an experiment."""

    arms: tuple[Arm, ...]
    hash_attribute: str
    #: None for an unknown hash version.
    bucket: Bucket | None
    #: Cut points, and the variation of each piece between them, or -1.
    choice: tuple[Sequence[float], Sequence[int]]
    #: None lets everybody pass.
    matches: Matcher | None
    admits: Admission | None
    extras: Extras
    #: The feature whose rule runs it.
    feature_id: str | None
    #: The context of a contextual bandit that weighs it.
    leaf: Leaf | None

    def out(self, reason: Reason, attributes: Attributes) -> Result[Any]:
        """Return the control, outside the experiment; reads no attribute that is not known yet."""
        return unhashed(self.arms[0], self, attributes, reason)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """An experiment that is ready to decide."""

    definition: Definition[Any]
    key: str
    phase: int
    hash_attribute: str
    #: Decides by what the definition says, where `is_short` holds.
    decide: Decision
    #: Whether `decide` goes all the way that this definition asks for.
    is_short: bool
    parts: Parts
    saved_groups: SavedGroups | None = None
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

    def failed(self) -> Result[Any]:
        """Return the control for an evaluation that failed; reads no attribute."""
        return self.parts.out(Reason.ERROR, Attributes())


def unhashed(
    arm: Arm, parts: Parts, attributes: Attributes, reason: Reason, *, inside: bool = False
) -> Result[Any]:
    """Return a result that no hash decided; it reads no attribute that is not known yet."""
    value = attributes.known(parts.hash_attribute)
    return Result(
        inside,
        arm.value,
        arm.key,
        arm.variation_id,
        False,
        parts.hash_attribute,
        value if is_truthy(value) else "",
        None,
        arm.name,
        arm.passthrough,
        False,
        parts.feature_id,
        reason,
    )


#: The control of an experiment without variations.
_NOTHING: Final = Arm(0, None, "0", "", False)


def compile_plan(
    definition: Definition[Any],
    *,
    config_hash: str = "",
    saved_groups: SavedGroups | None = None,
    path: str = "experiment",
    feature_id: str | None = None,
    leaf: Leaf | None = None,
) -> Plan:
    """Compile a definition as a payload may hold it; never raises (sections 8 and 19).

    Fields of None are absent. What cannot be used includes nobody; what of the condition cannot,
    is listed in the plan's `problems`, with `path` in front.
    """
    arms = compile_arms(definition.variations, definition.meta)
    problems: list[Problem] = []
    parts = Parts(
        arms=arms or (_NOTHING,),
        hash_attribute=named(definition.hash_attribute),
        bucket=_bucket(definition.seed or definition.key, definition.hash_version),
        choice=compile_choice(_limits(definition, len(arms))),
        matches=compile_targeting(
            definition.condition, saved_groups, f"{path}.condition", problems
        ),
        admits=_admission(definition),
        extras=_extras(definition, saved_groups, path, problems),
        feature_id=feature_id,
        leaf=leaf,
    )
    return Plan(
        definition=definition,
        key=definition.key if isinstance(definition.key, str) else "",
        phase=_phase(definition.phase),
        hash_attribute=parts.hash_attribute,
        decide=_decision(parts, is_active(definition)),
        is_short=parts.extras == _NO_EXTRAS and definition.force is None and len(arms) > 1,
        parts=parts,
        saved_groups=saved_groups,
        config_hash=config_hash,
        problems=tuple(problems),
    )


def named(attribute: object) -> str:
    """Return the name of an attribute; `id` for what is none (3.3)."""
    return attribute if isinstance(attribute, str) and attribute else "id"


def _phase(phase: object) -> int:
    """Return the number of a phase, which payloads hold as text."""
    if isinstance(phase, str) and phase.isascii() and phase.isdigit() and len(phase) < 10:
        return int(phase)
    return phase if type(phase) is int else 0


def _limits(definition: Definition[Any], count: int) -> Sequence[Range]:
    if definition.ranges is None:
        return bucket_ranges(count, definition.coverage, definition.weights)
    return usable_ranges(definition.ranges)[:count]


def _admission(definition: Definition[Any]) -> Admission | None:
    """Return the test of filters or else, since they replace it, of the namespace (5.3)."""
    if definition.filters is not None:
        passes = compile_filters(definition.filters)
        return lambda _, attributes: passes(attributes)
    if definition.namespace is None:
        return None
    holds = compile_namespace(definition.namespace)
    return lambda unit, _: holds(unit)


def _bucket(seed: object, hash_version: object) -> Bucket | None:
    version = hash_version if is_truthy(hash_version) else 1
    return bucket_of(seed, version) if isinstance(seed, str) else None


def compile_targeting(
    condition: object, saved_groups: SavedGroups | None, path: str, problems: list[Problem]
) -> Matcher | None:
    """Compile a condition; None where it lets everybody pass."""
    if condition is None or condition == {}:
        return None
    compiled = compile_condition(condition, saved_groups, path)
    problems.extend(compiled.problems)
    return compiled.matches


def compile_filters(filters: object) -> Callable[[Attributes], bool]:
    """Return the test whether all filters admit a unit (5.2)."""
    if not isinstance(filters, (list, tuple)):
        return lambda _: False
    tests = [
        compile_filter(entry.seed, entry.ranges, entry.hash_version, entry.attribute)
        if isinstance(entry, Filter)
        else (lambda _: False)
        for entry in filters
    ]
    return lambda attributes: all(test(attributes) for test in tests)


def compile_prerequisites(
    prerequisites: object, saved_groups: SavedGroups | None, path: str, problems: list[Problem]
) -> tuple[CompiledPrerequisite, ...]:
    """Compile what is asked of other features first; what is malformed fails (section 7)."""
    if prerequisites is None:
        return ()
    entries = prerequisites if isinstance(prerequisites, (list, tuple)) else [None]
    compiled = []
    for index, entry in enumerate(entries):
        place = f"{path}.prerequisites[{index}]"
        if isinstance(entry, Prerequisite) and isinstance(entry.feature, str):
            matches = compile_targeting(entry.condition, saved_groups, place, problems)
            compiled.append(CompiledPrerequisite(entry.feature, matches, is_truthy(entry.gate)))
        else:
            problems.append(Problem(place, "is no prerequisite, must name a feature"))
            compiled.append(CompiledPrerequisite("", lambda _: False, gate=False))
    return tuple(compiled)


def _extras(
    definition: Definition[Any],
    saved_groups: SavedGroups | None,
    path: str,
    problems: list[Problem],
) -> Extras:
    targets = legacy_url = None
    if definition.url_patterns is not None:
        targets = compile_targets(definition.url_patterns, f"{path}.url_patterns", problems)
    if definition.url:
        legacy_url = compile_legacy_url(definition.url, f"{path}.url", problems)
    groups = definition.groups
    return Extras(
        targets,
        legacy_url,
        compile_prerequisites(definition.prerequisites, saved_groups, path, problems),
        tuple(groups) if isinstance(groups, (list, tuple)) else None,
        definition.include,
        definition.status == "stopped",
    )


def compile_arms(variations: object, meta: object) -> tuple[Arm, ...]:
    """Compile the variations with their names; none where they are no list."""
    if isinstance(variations, str) or not isinstance(variations, Sequence):
        return ()
    entries = meta if isinstance(meta, (list, tuple)) else []
    arms = []
    for index, value in enumerate(variations):
        entry = entries[index] if index < len(entries) else None
        told = entry if isinstance(entry, VariationMeta) else VariationMeta()
        is_named = isinstance(told.key, str) and bool(told.key)
        arms.append(
            Arm(
                index,
                value,
                told.key if is_named else str(index),
                told.name if isinstance(told.name, str) else "",
                is_truthy(told.passthrough),
                is_named,
            )
        )
    return tuple(arms)


def is_active(definition: Definition[Any]) -> bool:
    """Tell whether an experiment is on (8.1)."""
    return definition.active is not False and definition.status != "draft"


def _decision(parts: Parts, active: bool) -> Decision:
    """Return the short way: as section 8.2, without what the definition does not ask for."""
    out, arms, hash_attribute = parts.out, parts.arms, parts.hash_attribute
    if not active:
        return partial(out, Reason.DISABLED)
    if parts.bucket is None or len(arms) < 2:
        return partial(out, Reason.INVALID)
    bucket, (cuts, indices) = parts.bucket, parts.choice
    matches, admits = parts.matches, parts.admits
    split, filtered, not_covered = Reason.SPLIT, Reason.FILTERED, Reason.NOT_COVERED
    feature_id, leaf = parts.feature_id, parts.leaf

    def decide(attributes: Attributes) -> Result[Any]:
        # First, against 8.2 but with its outcome: who is kept out needs no id, so no cookie.
        if matches is not None and not matches(attributes):
            return out(Reason.CONDITION, attributes)
        value = attributes[hash_attribute]
        unit = value if type(value) is str else unit_text(value)
        if not unit:
            return out(Reason.NO_UNIT, attributes)
        if admits is not None and not admits(unit, attributes):
            reason = filtered
        else:
            hashed = bucket(unit)
            index = indices[bisect_right(cuts, hashed)]
            if index >= 0:
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
                    feature_id,
                    split,
                    leaf,
                )
            reason = not_covered
        arm = arms[0]
        return Result(
            False,
            arm.value,
            arm.key,
            0,
            False,
            hash_attribute,
            value,
            None,
            arm.name,
            arm.passthrough,
            False,
            feature_id,
            reason,
        )

    return decide


def forced_arm(arms: Sequence[Arm], index: object) -> Arm | None:
    """Return the variation that is forced; None where the index does not exist."""
    if is_number(index) and index in range(len(arms)):
        return arms[int(cast(float, index))]
    return None
