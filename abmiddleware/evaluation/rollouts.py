"""Who gets the value that a rule forces: all, or a share of the units (section 11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from abmiddleware.evaluation.buckets import in_range, usable_ranges
from abmiddleware.evaluation.definition import Rule
from abmiddleware.evaluation.hashing import bucket_of
from abmiddleware.evaluation.plan import named
from abmiddleware.evaluation.values import Attributes, is_number, is_truthy, unit_text

#: Tells whether attributes are in a rollout, and whether sticky bucketing is on.
Rollout = Callable[[Attributes, bool], bool]


def compile_rollout(rule: Rule[Any], feature_key: str) -> Rollout | None:
    """Compile who gets a forced value; None for everybody."""
    if rule.coverage is None and rule.range is None:
        return None
    version = rule.hash_version if is_truthy(rule.hash_version) else 1
    is_seed = rule.seed is None or isinstance(rule.seed, str)
    bucket = bucket_of(rule.seed or feature_key, version) if is_seed else None
    holds = _share(rule)
    if bucket is None or holds is None:
        return _nobody
    attribute, fallback = named(rule.hash_attribute), _fallback(rule)

    def rollout(attributes: Attributes, is_sticky: bool) -> bool:
        unit = unit_text(attributes[attribute])
        if unit is None and is_sticky and fallback is not None:
            unit = unit_text(attributes[fallback])
        return unit is not None and holds(bucket(unit))

    return rollout


def _share(rule: Rule[Any]) -> Callable[[float], bool] | None:
    """Return the test for a bucket; None where no bucket passes."""
    if rule.range is not None:
        limits = usable_ranges([rule.range])[0]
        return lambda bucket: in_range(bucket, limits)
    coverage: object = rule.coverage
    if not is_number(coverage) or not coverage:
        return None
    return lambda bucket: bucket <= coverage  # type: ignore[operator]  # a number


def _fallback(rule: Rule[Any]) -> str | None:
    """Return what is randomised by in the second place, under sticky bucketing (3.4)."""
    name = rule.fallback_attribute
    if is_truthy(rule.disable_sticky_bucketing) or not isinstance(name, str):
        return None
    return name or None


def _nobody(_: Attributes, __: bool) -> bool:
    return False
