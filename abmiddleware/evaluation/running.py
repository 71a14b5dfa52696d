"""The whole way of a decision, step by step as section 8.2 of the specification has it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from abmiddleware.evaluation.arms import Arm
from abmiddleware.evaluation.growthbook import overlaid
from abmiddleware.evaluation.naming import forced_arm
from abmiddleware.evaluation.patterns import paid_by
from abmiddleware.evaluation.plan import (
    Plan,
    compile_plan,
    is_active,
    named,
    unhashed,
)
from abmiddleware.evaluation.prerequisites import Answer, ask
from abmiddleware.evaluation.result import Reason, Result
from abmiddleware.evaluation.scope import NEUTRAL, EvaluationOptions, Scope
from abmiddleware.evaluation.sticky import (
    StickyBuckets,
    assignment_key,
    document_key,
    is_blocked,
    kept_arm,
)
from abmiddleware.evaluation.urls import query_override
from abmiddleware.evaluation.values import is_truthy, unit_text


def run(plan: Plan, scope: Scope) -> Result[Any]:
    """Decide an experiment; an enrolment is noted in the scope."""
    if plan.is_short and scope.options is None and scope.sticky is None:
        result = plan.decide(scope.attributes)
    else:
        plan, result = _run(plan, scope)
    if result.hash_used:
        scope.enrolled.append((plan, result))
    return result


def _run(plan: Plan, scope: Scope) -> tuple[Plan, Result[Any]]:
    """Go through steps 1 to 7."""
    options = scope.options or NEUTRAL
    if len(plan.parts.arms) < 2:
        return plan, _out(plan, scope, Reason.INVALID)
    if not options.enabled:
        return plan, _out(plan, scope, Reason.DISABLED)
    override = options.overrides.get(plan.key)
    if isinstance(override, Mapping):
        plan = _overridden(plan, override)
    targets = plan.parts.extras.targets
    if targets is not None and not paid_by(scope.attributes, targets, scope.page()):
        return plan, _out(plan, scope, Reason.URL)
    if options.query_overrides:
        index = query_override(plan.key, scope.page(), len(plan.parts.arms))
        if index is not None:
            return plan, _forced(plan, scope, index)
    if plan.key in options.forced_variations:
        return plan, _forced(plan, scope, options.forced_variations[plan.key])
    if not is_active(plan.definition):
        return plan, _out(plan, scope, Reason.DISABLED)
    return plan, _bucketed(plan, scope, options)


def _overridden(plan: Plan, override: Mapping[str, object]) -> Plan:
    """Lay legacy overrides over a definition (8.4)."""
    definition, leaf = overlaid(plan.definition, override), plan.parts.leaf
    if leaf is not None and definition.weights is not None:
        leaf = msgspec.structs.replace(leaf, weights=definition.weights)
    return compile_plan(
        definition,
        config_hash=plan.config_hash,
        path=plan.key,
        feature_id=plan.parts.feature_id,
        leaf=leaf,
        saved_groups=plan.saved_groups,
    )


class _Unit(NamedTuple):
    """Who is randomised."""

    attribute: str
    value: object
    #: What is hashed; None where the value identifies nobody.
    text: str | None
    #: The keys of the documents that may hold its assignments, the one that counts last.
    documents: tuple[str | None, ...]


class _Kept(NamedTuple):
    """What the documents say of a unit."""

    arm: Arm | None = None
    is_blocked: bool = False


def _bucketed(plan: Plan, scope: Scope, options: EvaluationOptions) -> Result[Any]:
    """Go through steps 8 to 18."""
    parts, legacy_url = plan.parts, plan.parts.extras.legacy_url
    sticky = _sticky(plan, scope)
    # Before the unit is read, with the same outcome: who is kept out needs no id, so no cookie.
    if sticky is None and not _is_targeted(plan, scope):
        return _out(plan, scope, Reason.CONDITION)
    unit = _unit(plan, scope, sticky)
    if unit.text is None:
        return _out(plan, scope, Reason.NO_UNIT)
    kept = _Kept() if sticky is None else _kept(plan, sticky, unit)
    if kept.arm is None and (reason := _kept_out(plan, scope, options, unit.text, sticky)):
        return _out(plan, scope, reason)
    if legacy_url is not None and not paid_by(scope.attributes, legacy_url, scope.page()):
        return _out(plan, scope, Reason.URL)
    if parts.bucket is None:
        return _out(plan, scope, Reason.INVALID)
    if kept.is_blocked:
        result = _out(plan, scope, Reason.BLOCKED)
        return msgspec.structs.replace(result, sticky_bucket_used=True)
    bucket = parts.bucket(unit.text)
    arm = kept.arm or _chosen(plan, bucket)
    if arm is None:
        return _out(plan, scope, Reason.NOT_COVERED)
    forced = _forced_out(plan, scope, options)
    return _enrolled(plan, scope, arm, unit, bucket, kept) if forced is None else forced


def _forced_out(plan: Plan, scope: Scope, options: EvaluationOptions) -> Result[Any] | None:
    """Return what comes in the place of an enrolment, if anything does (step 17)."""
    if plan.definition.force is not None:
        return _forced(plan, scope, plan.definition.force)
    if options.qa_mode:
        return _out(plan, scope, Reason.QA_MODE)
    return _out(plan, scope, Reason.STOPPED) if plan.parts.extras.is_stopped else None


def _sticky(plan: Plan, scope: Scope) -> StickyBuckets | None:
    """Return the unit's documents where sticky bucketing is on (13.1)."""
    return None if is_truthy(plan.definition.disable_sticky_bucketing) else scope.sticky


def _is_targeted(plan: Plan, scope: Scope) -> bool:
    matches = plan.parts.matches
    return matches is None or matches(scope.attributes)


def _unit(plan: Plan, scope: Scope, sticky: StickyBuckets | None) -> _Unit:
    """Return who is randomised: by the fallback attribute only under sticky bucketing (3.4)."""
    attribute, fallback = plan.hash_attribute, plan.definition.fallback_attribute
    value = scope.attributes[attribute]
    unit = _Unit(attribute, value, unit_text(value), (document_key(attribute, value),))
    if sticky is None or not isinstance(fallback, str) or not fallback:
        return unit
    value = scope.attributes[fallback]
    documents = (document_key(fallback, value), *unit.documents)
    if unit.text is None and (text := unit_text(value)) is not None:
        return _Unit(fallback, value, text, documents)
    return unit._replace(documents=documents)


def _kept(plan: Plan, sticky: StickyBuckets, unit: _Unit) -> _Kept:
    assignments = sticky.assignments(*unit.documents)
    if is_blocked(plan.definition, assignments):
        return _Kept(is_blocked=True)
    return _Kept(kept_arm(plan.definition, plan.parts.arms, assignments))


def _kept_out(
    plan: Plan, scope: Scope, options: EvaluationOptions, unit: str, sticky: StickyBuckets | None
) -> Reason | None:
    """Return what keeps a unit out that has no variation yet (steps 10 to 13)."""
    parts, extras = plan.parts, plan.parts.extras
    if parts.admits is not None and not parts.admits(unit, scope.attributes):
        return Reason.FILTERED
    if extras.include is not None and not _includes(extras.include):
        return Reason.GROUP
    if sticky is not None and not _is_targeted(plan, scope):
        return Reason.CONDITION
    if extras.prerequisites and (answer := ask(extras.prerequisites, scope)) is not Answer.PASS:
        return Reason.CYCLE if answer is Answer.CYCLE else Reason.PREREQUISITE
    if extras.groups is not None and not any(
        isinstance(group, str) and is_truthy(options.groups.get(group)) for group in extras.groups
    ):
        return Reason.GROUP
    return None


def _includes(include: object) -> bool:
    try:
        return is_truthy(include())  # type: ignore[operator]  # what is no function raises
    except Exception:  # noqa: BLE001  # by the specification, that says no
        return False


def _chosen(plan: Plan, bucket: float) -> Arm | None:
    cuts, indices = plan.parts.choice
    index = indices[bisect_right(cuts, bucket)]
    return plan.parts.arms[index] if index >= 0 else None


def _enrolled(
    plan: Plan, scope: Scope, arm: Arm, unit: _Unit, bucket: float, kept: _Kept
) -> Result[Any]:
    """Return the enrolment, and note it in the unit's document (step 18)."""
    sticky = _sticky(plan, scope)
    if sticky is not None:
        document = document_key(unit.attribute, unit.value)
        sticky.keep(document, assignment_key(plan.definition), arm.key)
    return Result(
        True,
        arm.value,
        arm.key,
        arm.variation_id,
        True,
        unit.attribute,
        unit.value,
        bucket,
        arm.name,
        arm.passthrough,
        kept.arm is not None,
        plan.parts.feature_id,
        Reason.SPLIT if kept.arm is None else Reason.STICKY,
        plan.parts.leaf,
    )


def _out(plan: Plan, scope: Scope, reason: Reason) -> Result[Any]:
    return _unhashed(plan, scope, plan.parts.arms[0], reason, inside=False)


def _forced(plan: Plan, scope: Scope, index: object) -> Result[Any]:
    arm = forced_arm(plan.parts.arms, index)
    return _unhashed(plan, scope, arm or plan.parts.arms[0], Reason.FORCED, inside=arm is not None)


def _unhashed(plan: Plan, scope: Scope, arm: Arm, reason: Reason, *, inside: bool) -> Result[Any]:
    """Return a result that no hash decided, with the unit as far as it is known."""
    result = unhashed(arm, plan.parts, scope.attributes, reason, inside=inside)
    fallback = named(plan.definition.fallback_attribute)
    if result.hash_value != "" or not plan.definition.fallback_attribute:
        return result
    if _sticky(plan, scope) is None or not is_truthy(value := scope.attributes.known(fallback)):
        return result
    return msgspec.structs.replace(result, hash_attribute=fallback, hash_value=value)
