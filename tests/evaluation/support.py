"""Shorthand for the tests of the evaluation: a condition, a run, in one call each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from abmiddleware import DefinitionError, Experiment
from abmiddleware.evaluation.conditions import compile_condition
from abmiddleware.evaluation.definition import Definition
from abmiddleware.evaluation.plan import Plan, compile_plan
from abmiddleware.evaluation.result import Result
from abmiddleware.evaluation.running import run as run_plan
from abmiddleware.evaluation.scope import NEUTRAL, EvaluationOptions, Scope
from abmiddleware.evaluation.values import Attributes

Json = Any

DEFAULTS = NEUTRAL

ANYTHING: list[Json] = [None, True, False, 0, 1.5, "", "a", [], [1], {}, {"a": 1}]


def rows(*table: tuple[Json, object, bool]) -> pytest.MarkDecorator:
    """Run a test for rows of operators, a value, and whether it passes them."""
    names = ("operators", "value", "expected")
    return pytest.mark.parametrize(names, table, ids=lambda cell: repr(cell)[:40])


def passes(
    condition: Json, attributes: Mapping[str, Json] | None = None, groups: Json = None
) -> bool:
    """Tell whether attributes pass a condition."""
    return compile_condition(condition, groups).matches(Attributes(attributes or {}))


def passes_for(operators: Json, value: Json, groups: Json = None) -> bool:
    """Tell whether a value passes the condition of its path."""
    return passes({"a": operators}, {"a": value}, groups)


def problems_of(condition: Json, groups: Json = None) -> list[tuple[str, str]]:
    """Return where a condition has problems, and which."""
    found = compile_condition(condition, groups).problems
    return [(problem.path, problem.problem) for problem in found]


def mistake(**fields: Json) -> DefinitionError:
    """Return what building an experiment with a mistake raises."""
    with pytest.raises(DefinitionError) as caught:
        Experiment(**{"key": "exp", "variations": ["a", "b"], **fields})
    return caught.value


def compiled(
    key: str = "exp",
    variations: Json = ("control", "treatment"),
    *,
    saved_groups: Json = None,
    path: str = "experiment",
    **fields: Json,
) -> Plan:
    """Compile a definition as a payload may hold it."""
    definition = Definition(key, variations, **fields)
    return compile_plan(definition, saved_groups=saved_groups, path=path)


def evaluate(plan: Plan, attributes: Attributes, options: EvaluationOptions) -> Result[Any]:
    """Decide an experiment under options."""
    return run_plan(plan, Scope(attributes, options=options))


def run(
    attributes: Mapping[str, Json] | None = None,
    options: EvaluationOptions = DEFAULTS,
    **fields: Json,
) -> Result[Any]:
    """Run a definition as a payload may hold it, for the user `1` unless others are given."""
    attributes = {"id": "1"} if attributes is None else attributes
    return evaluate(compiled(**fields), Attributes(attributes), options)
