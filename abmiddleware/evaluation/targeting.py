"""Who is admitted: conditions, namespaces and filters as definitions hold them, compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from abmiddleware.evaluation.buckets import compile_filter, compile_namespace
from abmiddleware.evaluation.conditions import Matcher, Problem, compile_condition
from abmiddleware.evaluation.definition import Definition, Filter
from abmiddleware.evaluation.membership import SavedGroups
from abmiddleware.evaluation.values import Attributes

#: Tells by a unit's text and its attributes whether namespace or filters admit it.
Admission = Callable[[str, Attributes], bool]


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


def compile_admission(definition: Definition[Any]) -> Admission | None:
    """Return the test of filters or else, since they replace it, of the namespace (5.3)."""
    if definition.filters is not None:
        passes = compile_filters(definition.filters)
        return lambda _, attributes: passes(attributes)
    if definition.namespace is None:
        return None
    holds = compile_namespace(definition.namespace)
    return lambda unit, _: holds(unit)
