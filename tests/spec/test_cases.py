"""GrowthBook's public cases, row by row (`tests/data/growthbook_cases.json`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.spec import adapter

CASES: dict[str, list[Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "growthbook_cases.json").read_text()
)

#: Rows that need a later part of the specification; strict, so that they tell when it is there.
WAITING = {
    ("run", "querystring force"): "12.3, query override",
    ("run", "querystring force with inactive"): "12.3, query override",
    ("run", "Prerequisite condition fails"): "7, prerequisites",
}


def rows(group: str) -> list[Any]:
    def marks(name: object) -> list[pytest.MarkDecorator]:
        section = WAITING.get((group, str(name)))
        return [pytest.mark.xfail(reason=f"section {section}", strict=True)] if section else []

    return [
        pytest.param(*row, id=f"{index}-{row[0]}", marks=marks(row[0]))
        for index, row in enumerate(CASES[group])
    ]


def padded(group: str, width: int) -> list[Any]:
    return [
        pytest.param(*row, *[None] * (width - len(row)), id=f"{index}-{row[0]}")
        for index, row in enumerate(CASES[group])
    ]


def rounded(values: Any) -> Any:
    if isinstance(values, list):
        return [rounded(value) for value in values]
    return round(values, 8)


@pytest.mark.parametrize(("seed", "value", "version", "expected"), rows("hash"))
def test_hash(seed: str, value: str, version: int, expected: float | None) -> None:
    """The hash of a seed and a value is that of every other SDK."""
    assert adapter.hash(seed, value, version) == expected


@pytest.mark.parametrize(("name", "arguments", "expected"), rows("getBucketRange"))
def test_bucket_ranges(name: str, arguments: Any, expected: Any) -> None:
    """Coverage and weights give each variation its range of buckets."""
    assert rounded(adapter.get_bucket_range(*arguments)) == rounded(expected)


@pytest.mark.parametrize(("name", "bucket", "ranges", "expected"), rows("chooseVariation"))
def test_choose_variation(name: str, bucket: float, ranges: Any, expected: int) -> None:
    """A bucket belongs to the first range that holds it."""
    assert adapter.choose_variation(bucket, ranges) == expected


@pytest.mark.parametrize(("name", "unit", "namespace", "expected"), rows("inNamespace"))
def test_in_namespace(name: str, unit: str, namespace: Any, expected: bool) -> None:
    """A unit is in the part of a namespace that its hash falls in."""
    assert adapter.in_namespace(unit, namespace) is expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [pytest.param(*row, id=str(row[0])) for row in CASES["getEqualWeights"]],
)
def test_equal_weights(count: int, expected: list[float]) -> None:
    """Without weights every variation has the same share."""
    assert rounded(adapter.get_equal_weights(count)) == rounded(expected)


@pytest.mark.parametrize(
    ("name", "condition", "attributes", "expected", "groups"), padded("evalCondition", 5)
)
def test_condition(name: str, condition: Any, attributes: Any, expected: bool, groups: Any) -> None:
    """A condition passes for the attributes it describes, and for no others."""
    assert adapter.eval_condition(condition, attributes, groups) is expected


@pytest.mark.parametrize(
    ("name", "context", "experiment", "value", "in_experiment", "hash_used"), rows("run")
)
def test_run(
    name: str, context: Any, experiment: Any, value: Any, in_experiment: bool, hash_used: bool
) -> None:
    """Running an experiment gives the value, and says whether and how the unit takes part."""
    result = adapter.run(experiment, context)

    assert result["value"] == value
    assert result["inExperiment"] is in_experiment
    assert result["hashUsed"] is hash_used
