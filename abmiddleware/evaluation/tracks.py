"""Exposures that a remote evaluation found and hands over with a value (section 17.4)."""

from __future__ import annotations

from typing import Any

from abmiddleware.evaluation.growthbook import read_experiment
from abmiddleware.evaluation.plan import Plan, compile_plan, named
from abmiddleware.evaluation.result import Reason, Result
from abmiddleware.evaluation.values import is_number, is_truthy, text


def compile_tracks(tracks: object) -> tuple[tuple[Plan, Result[Any]], ...]:
    """Return the experiments and results of `tracks`; entries that are malformed are left out."""
    if not isinstance(tracks, (list, tuple)):
        return ()
    return tuple(track for entry in tracks if (track := _track(entry)) is not None)


def _track(entry: object) -> tuple[Plan, Result[Any]] | None:
    if not isinstance(entry, dict):
        return None
    experiment, result = entry.get("experiment"), entry.get("result")
    if not isinstance(experiment, dict) or not isinstance(result, dict):
        return None
    if not isinstance(experiment.get("key"), str):
        return None
    return compile_plan(read_experiment(experiment)), read_result(result)


def read_result(result: dict[str, Any]) -> Result[Any]:
    """Read a result from its JSON form (section 9); what is malformed counts as absent."""
    index = result.get("variationId")
    variation_id = index if type(index) is int else 0
    bucket = result.get("bucket")
    return Result(
        is_truthy(result.get("inExperiment")),
        result.get("value"),
        text(result.get("key") or variation_id),
        variation_id,
        is_truthy(result.get("hashUsed")),
        named(result.get("hashAttribute")),
        result.get("hashValue", ""),
        bucket if is_number(bucket) else None,
        text(result.get("name") or ""),
        is_truthy(result.get("passthrough")),
        is_truthy(result.get("stickyBucketUsed")),
        result.get("featureId"),
        Reason.SPLIT,
    )
