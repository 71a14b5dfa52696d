"""Contextual bandits: the first context that a unit passes weighs its variations (section 14)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from abmiddleware.evaluation.arms import compile_arms
from abmiddleware.evaluation.buckets import equal_weights
from abmiddleware.evaluation.conditions import Matcher, Problem
from abmiddleware.evaluation.definition import Definition
from abmiddleware.evaluation.membership import SavedGroups
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.result import Leaf
from abmiddleware.evaluation.targeting import compile_targeting
from abmiddleware.evaluation.values import Attributes

#: Compiles the experiment with the weights of a leaf.
Weigh = Callable[[Leaf], Plan]


def compile_bandit(
    bandit: dict[str, Any],
    experiment: Definition[Any],
    weigh: Weigh,
    saved_groups: SavedGroups | None,
    path: str,
    problems: list[Problem],
) -> Callable[[Attributes], Plan]:
    """Return a function that gives a unit the experiment with the weights of its context."""
    version = bandit.get("banditVersion")
    leaves: list[tuple[Matcher | None, Plan]] = []
    for index, context in enumerate(_list(bandit.get("contexts"))):
        if isinstance(context, dict):
            place = f"{path}.contexts[{index}].condition"
            matches = compile_targeting(context.get("condition"), saved_groups, place, problems)
            leaf = Leaf(context.get("leafId"), _list(context.get("weights")), version)
            leaves.append((matches, weigh(leaf)))
    weights = experiment.weights
    if not isinstance(weights, (list, tuple)):
        weights = equal_weights(len(compile_arms(experiment.variations, None)))
    otherwise = weigh(Leaf(-1, weights, version))

    def choose(attributes: Attributes) -> Plan:
        for matches, plan in leaves:
            if matches is None or matches(attributes):
                return plan
        return otherwise

    return choose


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else []
