"""Makes the library answer GrowthBook's language-neutral cases, in their JSON form.

Every function goes through the code that a request goes through: `compile_plan` and `evaluate`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, cast

from abmiddleware.evaluation import buckets, hashing
from abmiddleware.evaluation.conditions import compile_condition
from abmiddleware.evaluation.definition import Definition, Filter, VariationMeta
from abmiddleware.evaluation.plan import EvaluationOptions, Plan, compile_plan, evaluate
from abmiddleware.evaluation.values import Attributes, unit_text

Json = Any


def eval_condition(
    condition: Json, attributes: Mapping[str, Json], saved_groups: Mapping[str, Json] | None = None
) -> bool:
    return compile_condition(condition, saved_groups).matches(Attributes(attributes))


def hash(seed: str, value: Json, version: int) -> float | None:  # noqa: A001  # the group's name
    bucket, unit = hashing.bucket_of(seed, version), unit_text(value)
    return None if bucket is None or unit is None else bucket(unit)


def get_bucket_range(
    count: int, coverage: float | None, weights: Sequence[float] | None
) -> list[list[float]]:
    return [list(limits) for limits in buckets.bucket_ranges(count, coverage, weights)]


def choose_variation(bucket: float, ranges: Sequence[tuple[float, float]]) -> int:
    cuts, indices = buckets.compile_choice(buckets.usable_ranges(ranges))
    chosen = indices[bisect_right(cuts, bucket)]
    assert chosen == buckets.choose_variation(bucket, buckets.usable_ranges(ranges))
    return chosen


def in_namespace(hash_value: str, namespace: Json) -> bool:
    return buckets.compile_namespace(namespace)(hash_value)


def get_equal_weights(count: int) -> list[float]:
    return buckets.equal_weights(count)


def run(experiment: Mapping[str, Json], context: Mapping[str, Json]) -> dict[str, Json]:
    options = EvaluationOptions(
        enabled=context.get("enabled") is not False,
        qa_mode=bool(context.get("qaMode")),
        forced_variations=context.get("forcedVariations") or {},
    )
    attributes = Attributes(context.get("attributes") or {})
    result = evaluate(plan(experiment, context.get("savedGroups")), attributes, options)
    told = {
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
    return told


def plan(experiment: Mapping[str, Json], saved_groups: Mapping[str, Json] | None = None) -> Plan:
    definition = Definition(
        experiment["key"],
        experiment.get("variations") or [],
        weights=experiment.get("weights"),
        coverage=cast(Any, experiment.get("coverage")),
        ranges=experiment.get("ranges"),
        hash_attribute=experiment.get("hashAttribute") or "id",
        hash_version=cast(Any, experiment.get("hashVersion")),
        seed=experiment.get("seed") or "",
        namespace=experiment.get("namespace"),
        filters=_each(experiment.get("filters"), _filter),
        condition=experiment.get("condition"),
        meta=_each(experiment.get("meta"), _meta),
        force=experiment.get("force"),
        active=experiment.get("active") is not False and experiment.get("status") != "draft",
    )
    return compile_plan(definition, saved_groups=saved_groups)


def _each(entries: Json, read: Any) -> Json:
    if not isinstance(entries, list):
        return entries
    return [read(entry) if isinstance(entry, dict) else entry for entry in entries]


def _filter(entry: Mapping[str, Json]) -> Filter:
    return Filter(
        entry.get("seed", ""),
        entry.get("ranges", []),
        entry.get("attribute", "id"),
        entry.get("hashVersion", 2),
    )


def _meta(entry: Mapping[str, Json]) -> VariationMeta:
    return VariationMeta(
        entry.get("key") or "", entry.get("name") or "", entry.get("passthrough", False)
    )
