"""Results in one form: a field that holds its default and an absent one are the same thing."""

from __future__ import annotations

from typing import Any

Json = Any

#: The defaults of sections 8.1 and 9, beside null.
EXPERIMENT: dict[str, Json] = {
    "seed": "",
    "hashVersion": 1,
    "hashAttribute": "id",
    "fallbackAttribute": "",
    "coverage": 1,
    "disableStickyBucketing": False,
    "bucketVersion": 0,
    "minBucketVersion": 0,
    "meta": [],
    "name": "",
    "phase": "",
    "condition": {},
}
RESULT: dict[str, Json] = {"name": "", "passthrough": False, "stickyBucketUsed": False}


def normal(result: Json) -> Json:
    """Return the result of a feature or of an experiment without the fields that say nothing."""
    if not isinstance(result, dict):
        return result
    told = _without(result, RESULT)
    if "experiment" in told:
        told["experiment"] = normal_experiment(told["experiment"])
    if "experimentResult" in told:
        told["experimentResult"] = normal(told["experimentResult"])
    return told


def normal_experiment(experiment: dict[str, Json]) -> dict[str, Json]:
    """Return the definition of an experiment without the fields that say nothing."""
    n = len(experiment["variations"])
    return _without(experiment, {**EXPERIMENT, "weights": [1 / n] * n if n else []})


def _without(record: dict[str, Json], defaults: dict[str, Json]) -> dict[str, Json]:
    return {
        name: value
        for name, value in record.items()
        if value is not None and not (name in defaults and is_same(value, defaults[name]))
    }


def is_same(left: Json, right: Json) -> bool:
    """Compare as JSON: `1` is `1.0`, but neither is `true`."""
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)
