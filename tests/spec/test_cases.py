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


def rows(group: str) -> list[Any]:
    return [pytest.param(*row, id=f"{index}-{row[0]}") for index, row in enumerate(CASES[group])]


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


#: Fields that may be left out where they have this value (the cases' README).
DEFAULTS: dict[str, Any] = {
    "coverage": 1,
    "hashAttribute": "id",
    "hashVersion": 1,
    "phase": "0",
    "disableStickyBucketing": False,
    "stickyBucketUsed": False,
    "passthrough": False,
    "name": "",
    "ruleId": "",
}


def filled(record: Any) -> Any:
    """Return a result or a definition with its defaults left out, all the way down."""
    if isinstance(record, list):
        return [filled(item) for item in record]
    if not isinstance(record, dict):
        return record
    return {
        key: filled(value)
        for key, value in record.items()
        if value is not None and not (key in DEFAULTS and value == DEFAULTS[key])
    }


@pytest.mark.parametrize(
    ("name", "key", "url", "count", "expected"), rows("getQueryStringOverride")
)
def test_query_override(name: str, key: str, url: str, count: int, expected: int | None) -> None:
    """A page's query names a variation by its index."""
    assert adapter.query_override(key, url, count) == expected


@pytest.mark.parametrize(("name", "encrypted", "key", "expected"), rows("decrypt"))
def test_decrypt(name: str, encrypted: str, key: str, expected: str | None) -> None:
    """What was encrypted with a key is read with it, and with no other."""
    assert adapter.decrypt(encrypted, key) == expected


@pytest.mark.parametrize(("name", "context", "key", "expected"), rows("feature"))
def test_feature(name: str, context: Any, key: str, expected: Any) -> None:
    """A feature has the value of its first rule that yields one, and says which that was."""
    result = adapter.eval_feature(key, context)

    assert filled(result) == filled(expected)


@pytest.mark.parametrize(
    ("name", "context", "stored", "key", "expected", "after"), rows("stickyBucket")
)
def test_sticky_bucket(
    name: str, context: Any, stored: Any, key: str, expected: Any, after: Any
) -> None:
    """A unit keeps the variation that its documents tell, and they learn of new ones."""
    result, documents = adapter.run_sticky(context, stored, key)

    assert filled(result) == filled(expected)
    assert documents == after


@pytest.mark.parametrize(("name", "context", "expected"), rows("urlRedirect"))
def test_redirect(name: str, context: Any, expected: Any) -> None:
    """The first redirect that has the visitor in it sends them on."""
    assert adapter.url_redirect(context) == expected


def test_every_group_is_tested() -> None:
    """No group of the cases is left out."""
    tested = {
        "chooseVariation",
        "decrypt",
        "evalCondition",
        "feature",
        "getBucketRange",
        "getEqualWeights",
        "getQueryStringOverride",
        "hash",
        "inNamespace",
        "run",
        "stickyBucket",
        "urlRedirect",
    }
    assert CASES.keys() - {"specVersion"} == tested
