"""Sections 7, 10, 11 and 14: features, their rules, prerequisites, rollouts, bandits."""

from __future__ import annotations

from typing import Any

from . import sticky
from .buckets import get_equal_weights, in_range, passes_filters
from .conditions import eval_condition
from .experiments import Run
from .freedom import free
from .hashing import hash, identity, seed_or, version_or  # noqa: A004  # the specification's name
from .state import State
from .values import field, is_number, truthy

Json = Any
Result = dict[str, Json]
Path = tuple[str, ...]

#: 10.3: what an experiment takes from its rule.
COPIED = [
    *("coverage", "weights", "hashAttribute", "fallbackAttribute", "disableStickyBucketing"),
    *("bucketVersion", "minBucketVersion", "namespace", "meta", "ranges", "name", "phase"),
    *("seed", "hashVersion", "filters", "condition"),
]


def feature_result(value: Json, source: str, rule: Json = None) -> Result:
    """10.1: a feature result."""
    name = field(rule, "id")
    if name is not None and not isinstance(name, str):
        free("rule id that is not a string")
    on = truthy(value)
    return {"value": value, "on": on, "off": not on, "source": source, "ruleId": name or ""}


def eval_feature(state: State, key: str, path: Path = ()) -> Result:
    """10.2, with the report of 17.5."""
    result = _eval_feature(state, key, path)
    state.use(key, result)
    return result


def _eval_feature(state: State, key: str, path: Path) -> Result:
    # 1
    if key in path:
        return feature_result(None, "cyclicPrerequisite")
    # 2
    if key in state.forced_values:
        return feature_result(state.forced_values[key], "override")
    # 3 (19: a feature that is not an object is skipped)
    feature = state.features.get(key)
    if not isinstance(feature, dict):
        return feature_result(None, "unknownFeature")
    # 4
    rules = field(feature, "rules")
    for rule in rules if isinstance(rules, list) else []:
        if isinstance(rule, dict):
            outcome = eval_rule(state, key, rule, (*path, key))
            if outcome is not None:
                return outcome
    # 5
    return feature_result(field(feature, "defaultValue"), "defaultValue")


def check_parents(state: State, parents: Json, path: Path) -> str:
    """7: `pass`, `cyclic`, `gate` (a gating one failed) or `skip`."""
    if not isinstance(parents, list):
        free("prerequisites that are no list")
        return "skip"
    for parent in parents:
        if not isinstance(parent, dict) or not isinstance(parent.get("id"), str):
            free("prerequisite without an id")
            return "skip"
        # 1
        outcome = eval_feature(state, parent["id"], path)
        # 2
        if outcome["source"] == "cyclicPrerequisite":
            return "cyclic"
        # 3
        condition = field(parent, "condition")
        subject = {"value": outcome["value"]}
        if condition is not None and not eval_condition(condition, subject, state.saved_groups):
            # 4
            return "gate" if truthy(field(parent, "gate")) else "skip"
    return "pass"


def eval_rule(state: State, key: str, rule: Json, path: Path) -> Result | None:
    """10.3: the outcome of one rule, or null when it has none."""
    # 1
    if field(rule, "parentConditions") is not None:
        verdict = check_parents(state, rule["parentConditions"], path)
        if verdict in {"cyclic", "gate"}:
            source = "cyclicPrerequisite" if verdict == "cyclic" else "prerequisite"
            return feature_result(None, source)
        if verdict == "skip":
            return None
    # 2
    filters = field(rule, "filters")
    if filters is not None and not passes_filters(filters, state.attributes):
        return None
    # 3
    if "force" in rule:
        return eval_force_rule(state, key, rule)
    # 4
    variations = field(rule, "contextualVariations")
    if variations is None:
        variations = field(rule, "variations")
    if variations is None:
        return None
    # 5
    return eval_experiment_rule(state, key, rule, variations, path)


def eval_force_rule(state: State, key: str, rule: Json) -> Result | None:
    """10.3 step 3."""
    condition = field(rule, "condition")
    if condition is not None and not eval_condition(
        condition, state.attributes, state.saved_groups
    ):
        return None
    if not in_rollout(state, key, rule):
        return None
    state.track_as_given(field(rule, "tracks"))
    return feature_result(rule["force"], "force", rule)


def in_rollout(state: State, key: str, rule: Json) -> bool:
    """11: whether a force rule includes the user."""
    coverage, limits = field(rule, "coverage"), field(rule, "range")
    # 1
    if coverage is None and limits is None:
        return True
    # 2
    if limits is None and is_number(coverage) and coverage == 0:
        return False
    # 3
    _, value = identity(rule, state.attributes, sticky.is_on(state, rule))
    if value is None:
        return False
    # 4
    version = version_or(1, field(rule, "hashVersion"))
    bucket = hash(seed_or(key, field(rule, "seed")), value, version)
    if bucket is None:
        return False
    # 5
    if limits is not None:
        return in_range(bucket, limits)
    # 6 (19: never everybody)
    return is_number(coverage) and bool(bucket <= coverage)


def eval_experiment_rule(
    state: State, key: str, rule: Json, variations: Json, path: Path
) -> Result | None:
    """10.3 step 5."""
    experiment = {"key": field(rule, "key") or key, "variations": variations}
    experiment |= {name: rule[name] for name in COPIED if field(rule, name) is not None}
    bandit = bandit_data(state, rule, experiment)
    run = Run(state, experiment, key, path, bandit)
    result = run.result()
    if not result["inExperiment"] or result.get("passthrough"):
        return None
    if bandit is not None and run.enrolled:
        told = {**bandit, "variationWeights": result["variationWeights"]}
        experiment = {**experiment, "contextualBandit": told}
    return {
        **feature_result(result["value"], "experiment", rule),
        "experiment": experiment,
        "experimentResult": result,
    }


def bandit_data(state: State, rule: Json, experiment: dict[str, Json]) -> Json:
    """14: lay the leaf's weights over the experiment; return leaf and version."""
    reference = field(rule, "contextualBanditRef")
    if reference is None:
        return None
    if field(rule, "contextualVariations") is None:
        free("bandit without contextual variations")
    if field(rule, "ranges") is not None:
        free("bandit-ranges")
    # 1
    if not isinstance(reference, str) or not isinstance(state.bandits.get(reference), dict):
        if not isinstance(reference, str) or reference in state.bandits:
            free("odd bandit")
        return None
    bandit = state.bandits[reference]
    # 2, 3
    leaf = _leaf(state, bandit)
    data = {"leafId": -1 if leaf is None else leaf["leafId"]}
    if leaf is not None:
        experiment["weights"] = leaf["weights"]
    variations = experiment["variations"]
    n = len(variations) if isinstance(variations, list) else 0
    weights = experiment.get("weights", get_equal_weights(n))
    if not _usable(weights, n):
        free("bandit-weights")
    # 4
    if field(bandit, "banditVersion") is not None:
        data["banditVersion"] = bandit["banditVersion"]
    return data


def _leaf(state: State, bandit: Json) -> Json:
    contexts = field(bandit, "contexts")
    if contexts is not None and not isinstance(contexts, list):
        free("odd bandit")
    for context in contexts if isinstance(contexts, list) else []:
        if not isinstance(context, dict) or not context.keys() >= {
            "leafId",
            "condition",
            "weights",
        }:
            free("odd bandit")
            return None
        if eval_condition(context["condition"], state.attributes, state.saved_groups):
            return context
    return None


def _usable(weights: Json, n: int) -> bool:
    if not isinstance(weights, list) or len(weights) != n or not all(map(is_number, weights)):
        return False
    return 0.99 <= sum(weights) <= 1.01 and min(weights) >= 0
