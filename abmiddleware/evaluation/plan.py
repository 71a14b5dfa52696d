"""A compiled experiment: everything that can be known before a unit comes is computed once.

A plan decides for attributes: purely, and for whatever values they hold without raising. Here is
the short way of a decision, for an experiment of which nothing but its own definition decides;
`running.py` goes the whole way of section 8.2.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from abmiddleware.evaluation.arms import Arm, compile_arms
from abmiddleware.evaluation.buckets import (
    Choice,
    are_usable,
    compile_choice,
    usable_ranges,
    weighted_choice,
)
from abmiddleware.evaluation.conditions import Matcher, Problem
from abmiddleware.evaluation.definition import Definition, Prerequisite
from abmiddleware.evaluation.hashing import Bucket, bucket_of
from abmiddleware.evaluation.membership import SavedGroups
from abmiddleware.evaluation.result import Leaf, Reason, Result
from abmiddleware.evaluation.targeting import Admission, compile_admission, compile_targeting
from abmiddleware.evaluation.url_patterns import compile_legacy_url, compile_targets
from abmiddleware.evaluation.values import Attributes, is_truthy, shown, unit_text
from abmiddleware.exceptions import DefinitionError

Decision = Callable[[Attributes], Result[Any]]
#: Tells whether an experiment runs on a page, by its URL.
OnPage = Callable[[str], bool]

# Structs: of ten thousand plans they take less memory than dataclasses, and less time.


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


class Parts(msgspec.Struct, frozen=True, eq=False):
    """The compiled parts of an experiment."""

    arms: tuple[Arm, ...]
    hash_attribute: str
    #: None for an unknown hash version.
    bucket: Bucket | None
    choice: Choice
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


class Plan(msgspec.Struct, frozen=True, eq=False):
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


#: Members of an enumeration take a look-up each.
_SPLIT: Final = Reason.SPLIT
_FILTERED: Final = Reason.FILTERED
_NOT_COVERED: Final = Reason.NOT_COVERED
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
        choice=_choice(definition, len(arms)),
        matches=compile_targeting(
            definition.condition, saved_groups, f"{path}.condition", problems
        ),
        admits=compile_admission(definition),
        extras=_extras(definition, saved_groups, path, problems),
        feature_id=feature_id,
        leaf=leaf,
    )
    problems.extend(_unusable(definition, parts, len(arms), path))
    return Plan(
        definition=definition,
        key=definition.key if isinstance(definition.key, str) else "",
        phase=_phase(definition.phase),
        hash_attribute=parts.hash_attribute,
        decide=_decision(parts, is_active(definition)),
        is_short=parts.extras is _NO_EXTRAS and definition.force is None and len(arms) > 1,
        parts=parts,
        saved_groups=saved_groups,
        config_hash=config_hash,
        problems=tuple(problems),
    )


def _unusable(
    definition: Definition[Any], parts: Parts, count: int, path: str
) -> Iterator[Problem]:
    """Yield what would keep units out, or split them otherwise, without a word."""
    if count < 2:
        yield Problem(f"{path}.variations", f"has {count}, must have two or more")
    if parts.bucket is None:
        told = f"is {shown(definition.hash_version)} and so includes nobody, must be 1 or 2"
        yield Problem(f"{path}.hashVersion", told)  # only JSON forms come here unchecked
    weights = definition.weights
    if weights is not None and definition.ranges is None and not are_usable(weights, count):
        told = f"are {shown(weights)} and so not used, must be one for each variation, in all 1"
        yield Problem(f"{path}.weights", told)


def named(attribute: object) -> str:
    """Return the name of an attribute; `id` for what is none (3.3)."""
    return attribute if isinstance(attribute, str) and attribute else "id"


def _phase(phase: object) -> int:
    """Return the number of a phase, which payloads hold as text."""
    if isinstance(phase, str) and phase.isascii() and phase.isdigit() and len(phase) < 10:
        return int(phase)
    return phase if type(phase) is int else 0


def _choice(definition: Definition[Any], count: int) -> Choice:
    if definition.ranges is None:
        return weighted_choice(count, definition.coverage, definition.weights)
    return compile_choice(usable_ranges(definition.ranges)[:count])


def _bucket(seed: object, hash_version: object) -> Bucket | None:
    version = hash_version if is_truthy(hash_version) else 1
    return bucket_of(seed, version) if isinstance(seed, str) else None


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
    extras = Extras(
        targets,
        legacy_url,
        compile_prerequisites(definition.prerequisites, saved_groups, path, problems),
        tuple(groups) if isinstance(groups, (list, tuple)) else None,
        definition.include,
        definition.status == "stopped",
    )
    return _NO_EXTRAS if extras == _NO_EXTRAS else extras


def is_active(definition: Definition[Any]) -> bool:
    """Tell whether an experiment is on (8.1)."""
    return definition.active is not False and definition.status != "draft"


def _decision(parts: Parts, active: bool) -> Decision:
    """Return the short way: as section 8.2, without what the definition does not ask for."""
    if not active:
        return partial(parts.out, Reason.DISABLED)
    if parts.bucket is None or len(parts.arms) < 2:
        return partial(parts.out, Reason.INVALID)

    # The parts are bound as defaults: that takes a third of a closure's memory, and less time.
    def decide(
        attributes: Attributes,
        parts: Parts = parts,
        arms: Sequence[Arm] = parts.arms,
        hash_attribute: str = parts.hash_attribute,
        bucket: Bucket = parts.bucket,
        cuts: Sequence[float] = parts.choice[0],
        indices: Sequence[int] = parts.choice[1],
        matches: Matcher | None = parts.matches,
        admits: Admission | None = parts.admits,
    ) -> Result[Any]:
        # First, against 8.2 but with its outcome: who is kept out needs no id, so no cookie.
        if matches is not None and not matches(attributes):
            return parts.out(Reason.CONDITION, attributes)
        value = attributes[hash_attribute]
        unit = value if type(value) is str else unit_text(value)
        # The text of an array may be empty, and is a unit all the same (1.2, 3.3).
        if not unit and (unit is None or value == ""):
            return parts.out(Reason.NO_UNIT, attributes)
        if admits is not None and not admits(unit, attributes):
            reason = _FILTERED
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
                    parts.feature_id,
                    _SPLIT,
                    parts.leaf,
                )
            reason = _NOT_COVERED
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
            parts.feature_id,
            reason,
        )

    return decide
