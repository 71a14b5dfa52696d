"""Results in the JSON form of GrowthBook's SDKs, for browsers and for comparison (sections 9, 10).

Values must be JSON values; a definition from code may hold others, which are passed on as they are.
"""

from __future__ import annotations

from typing import Any

from abmiddleware.evaluation.definition import Definition
from abmiddleware.evaluation.growthbook import write
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.result import FeatureResult, Leaf, Result


def result_json(result: Result[Any]) -> dict[str, Any]:
    """Return the result of an experiment."""
    told: dict[str, Any] = {
        "inExperiment": result.in_experiment,
        "variationId": result.variation_id,
        "value": result.value,
        "key": result.key,
        "hashUsed": result.hash_used,
        "hashAttribute": result.hash_attribute,
        "hashValue": result.hash_value,
        "featureId": result.feature_id,
        "stickyBucketUsed": result.sticky_bucket_used,
    }
    if result.bucket is not None:
        told["bucket"] = result.bucket
    if result.name:
        told["name"] = result.name
    if result.passthrough:
        told["passthrough"] = True
    return {**told, **_leaf_json(result.leaf)}


def _leaf_json(leaf: Leaf | None) -> dict[str, Any]:
    if leaf is None:
        return {}
    told: dict[str, Any] = {"leafId": leaf.leaf_id, "variationWeights": list(leaf.weights)}
    if leaf.bandit_version is not None:
        told["banditVersion"] = leaf.bandit_version
    return told


def experiment_json(definition: Definition[Any], result: Result[Any]) -> dict[str, Any]:
    """Return the definition that gave a result, with the data of its bandit (section 14)."""
    told = write(definition)
    if result.leaf is not None:
        told["contextualBandit"] = _leaf_json(result.leaf)
    return told


def feature_result_json(result: FeatureResult[Any]) -> dict[str, Any]:
    """Return the result of a feature."""
    told: dict[str, Any] = {
        "value": result.value,
        "on": result.on,
        "off": result.off,
        "source": str(result.source),
        "ruleId": result.rule_id,
    }
    if result.experiment is not None and result.experiment_result is not None:
        told["experiment"] = experiment_json(result.experiment, result.experiment_result)
        told["experimentResult"] = result_json(result.experiment_result)
    return told


def exposure_json(
    plan: Plan, result: Result[Any], attributes: dict[str, object], url: str
) -> dict[str, Any]:
    """Return an exposure as browsers take it over (section 17.3)."""
    return {
        "experiment": experiment_json(plan.definition, result),
        "result": result_json(result),
        "user": {"attributes": attributes, "url": url},
    }
