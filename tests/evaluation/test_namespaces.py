"""Namespaces and filters (specification, sections 5 and 19)."""

from __future__ import annotations

from math import nan
from typing import Any

import pytest

from abmiddleware.evaluation.buckets import compile_namespace
from abmiddleware.evaluation.definition import Filter
from abmiddleware.evaluation.hashing import bucket_of
from abmiddleware.evaluation.result import Reason
from tests.evaluation.support import run

EVERYBODY = [(0, 1)]
UNITS = [str(number) for number in range(300)]


def bucket(seed: str, unit: str, version: int) -> float:
    hashed = bucket_of(seed, version)
    assert hashed is not None
    return hashed(unit)


def test_a_namespace_holds_units_by_its_own_hash() -> None:
    """The bucket is that of two underscores and the name, in version 1; its end is excluded."""
    start, end = bucket("__pricing", "7", 1), bucket("__pricing", "8", 1)
    low, high = sorted([start, end])
    inside = compile_namespace(["pricing", low, high])

    assert [inside(unit) for unit in UNITS] == [
        low <= bucket("__pricing", unit, 1) < high for unit in UNITS
    ]
    assert {inside("7"), inside("8")} == {True, False}


@pytest.mark.parametrize(
    "namespace",
    [
        [],
        ["pricing"],
        ["pricing", 0],
        ["pricing", 0, 1, 2],
        [5, 0, 1],
        [None, 0, 1],
        ["pricing", "0", "1"],
        ["pricing", False, True],
        ["pricing", None, 1],
        ["pricing", nan, 1],
        ["pricing", 0, nan],
        ["pricing", 1, 0],
        ["pricing", 0.5, 0.5],
        "abc",
        "",
        5,
        False,
        {"id": "pricing", "start": 0, "end": 1},
    ],
    ids=repr,
)
def test_a_namespace_that_cannot_be_used_holds_nobody(namespace: object) -> None:
    """A mistake in a namespace includes nobody, never everybody."""
    result = run(namespace=namespace)

    assert (result.in_experiment, result.reason) == (False, Reason.FILTERED)


def test_a_namespace_may_reach_beyond_all_buckets() -> None:
    """Limits below 0 and above 1, of any size, hold everybody."""
    assert run(namespace=["pricing", -(10**400), 10**400]).in_experiment


def test_a_namespace_hashes_the_units_own_attribute() -> None:
    """The namespace takes the experiment's hash value, not `id`."""
    namespace = ["pricing", 0, 0.5]
    results = [
        run({"id": "1", "company": unit}, hash_attribute="company", namespace=namespace)
        for unit in UNITS
    ]

    assert [result.in_experiment for result in results] == [
        bucket("__pricing", unit, 1) < 0.5 for unit in UNITS
    ]


def test_all_filters_must_admit_a_unit() -> None:
    """Two filters over halves leave the quarter that is in both."""
    filters = [Filter("a", [(0, 0.5)]), Filter("b", [(0.5, 1)])]
    admitted = [run({"id": unit}, filters=filters).in_experiment for unit in UNITS]

    assert admitted == [bucket("a", unit, 2) < 0.5 <= bucket("b", unit, 2) for unit in UNITS]
    assert 40 < sum(admitted) < 110


def test_one_of_a_filters_ranges_must_hold_the_bucket() -> None:
    """Ranges of one filter add up."""
    filters = [Filter("a", [(0, 0.1), (0.9, 1)])]

    assert [run({"id": unit}, filters=filters).in_experiment for unit in UNITS] == [
        not 0.1 <= bucket("a", unit, 2) < 0.9 for unit in UNITS
    ]


@pytest.mark.parametrize(
    ("version", "counts_as"), [(1, 1), (2, 2), (2.0, 2), (0, 2), (None, 2), ("", 2), (nan, 2)]
)
def test_a_filter_without_hash_version_takes_the_second(version: Any, counts_as: int) -> None:
    """A version that is absent, null or zero is version 2."""
    filters = [Filter("a", [(0, 0.5)], hash_version=version)]

    assert [run({"id": unit}, filters=filters).in_experiment for unit in UNITS] == [
        bucket("a", unit, counts_as) < 0.5 for unit in UNITS
    ]


@pytest.mark.parametrize("version", [3, -1, "2", True, [], {}, [2]], ids=repr)
def test_a_filter_of_unknown_hash_version_admits_nobody(version: Any) -> None:
    """A version that nobody knows hashes nobody, so nobody passes."""
    assert not run(filters=[Filter("a", EVERYBODY, hash_version=version)]).in_experiment


@pytest.mark.parametrize("name", ["", None], ids=repr)
def test_a_filter_without_attribute_takes_the_id(name: Any) -> None:
    """An empty attribute name means `id`, whatever the experiment hashes by."""
    fields: Any = {"hash_attribute": "company", "filters": [Filter("a", EVERYBODY, name)]}

    assert run({"id": "1", "company": "x"}, **fields).in_experiment
    assert not run({"company": "x"}, **fields).in_experiment


@pytest.mark.parametrize("value", [None, "", 0, False], ids=repr)
def test_a_filter_fails_without_a_hash_value(value: object) -> None:
    """Who lacks the filter's attribute is not admitted, and there is no fallback."""
    filters = [Filter("a", EVERYBODY, attribute="company")]

    assert run({"id": "1", "company": "x"}, filters=filters).in_experiment
    assert not run({"id": "1", "company": value}, filters=filters).in_experiment


@pytest.mark.parametrize("ranges", [[], None, "01", 5, {}, [[0]], [["0", "1"]], [(1, 0)]], ids=repr)
def test_a_filter_without_usable_ranges_admits_nobody(ranges: Any) -> None:
    """A mistake in a filter's ranges includes nobody, never everybody."""
    assert not run(filters=[Filter("a", ranges)]).in_experiment


@pytest.mark.parametrize("filters", ["x", 5, True, {}, [None], [{}], [Filter("a", EVERYBODY), 1]])
def test_filters_that_cannot_be_used_admit_nobody(filters: object) -> None:
    """What is no list of filters keeps everybody out."""
    result = run(filters=filters)

    assert (result.in_experiment, result.reason) == (False, Reason.FILTERED)


@pytest.mark.parametrize("filters", [[], [Filter("a", EVERYBODY)]], ids=["empty", "one"])
def test_filters_replace_the_namespace(filters: list[Filter]) -> None:
    """An experiment with filters, even none in the list, looks at no namespace."""
    assert run(filters=filters, namespace=["pricing", 0, 0]).in_experiment
    assert not run(namespace=["pricing", 0, 0]).in_experiment
