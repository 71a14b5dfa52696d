"""Mistakes in the filters and the meta of a definition (specification, sections 5.2 and 9)."""

from __future__ import annotations

from typing import Any

import pytest

from abmiddleware import DefinitionError, Experiment, Filter, VariationMeta
from tests.evaluation.support import mistake

LIST = "must be a list"
HALF = Filter("half", [(0, 0.5)])
SHARE = "must be a number from 0 to 1"
TEXT = "must be a string"
TRUTH = "must be True or False"
VERSION = "must be 1 or 2"
NAME = "must be the name of an attribute such as 'id'"
OWN = "must be its own: records tell variations apart by it"
GOOD = Filter("s", [(0, 1)])
PLAIN = VariationMeta()


@pytest.mark.parametrize(
    ("filters", "place", "problem"),
    [
        ("ab", "", f"is 'ab', {LIST}"),
        ({}, "", f"is {{}}, {LIST}"),
        (5, "", f"is 5, {LIST}"),
        ([{"seed": "s"}], "[0]", "is {'seed': 's'}, must be a Filter"),
        ([GOOD, None], "[1]", "is None, must be a Filter"),
    ],
    ids=repr,
)
def test_filters_are_a_list_of_filters(filters: object, place: str, problem: str) -> None:
    """What is no filter is refused, with its index."""
    error = mistake(filters=filters)

    assert (error.path, error.problem) == (f"exp.filters{place}", problem)


def test_one_filter_is_no_list() -> None:
    """A filter that is given without its list is refused, and shown short."""
    error = mistake(filters=GOOD)

    assert error.path == "exp.filters"
    assert error.problem.endswith(LIST)
    assert len(error.problem) < 120


@pytest.mark.parametrize(
    ("field", "value", "place", "problem"),
    [
        ("seed", 5, "", f"is 5, {TEXT}"),
        ("seed", None, "", f"is None, {TEXT}"),
        ("ranges", 5, "", f"is 5, {LIST}"),
        ("ranges", None, "", f"is None, {LIST}"),
        ("ranges", [5], "[0]", "is 5, must be (start, end)"),
        ("ranges", [(0, 1), (0, 7)], "[1]", f"is 7, {SHARE}"),
        ("ranges", [(0, True)], "[0]", f"is True, {SHARE}"),
        ("ranges", [(1, 0)], "[0]", "starts at 1 behind its end 0, must be (0, 1)"),
        ("attribute", "", "", f"is '', {NAME}"),
        ("attribute", 5, "", f"is 5, {NAME}"),
        ("hash_version", 3, "", f"is 3, {VERSION}"),
        ("hash_version", True, "", f"is True, {VERSION}"),
        ("hash_version", 2.0, "", f"is 2.0, {VERSION}"),
        ("hash_version", "2", "", f"is '2', {VERSION}"),
        ("hash_version", [], "", f"is [], {VERSION}"),
    ],
)
def test_a_filters_fields_are_checked(field: str, value: Any, place: str, problem: str) -> None:
    """A filter's mistake is refused with the filter's index and the field's name."""
    fields: Any = {"seed": "s", "ranges": [(0, 1)], field: value}
    error = mistake(filters=[GOOD, Filter(**fields)])

    assert (error.path, error.problem) == (f"exp.filters[1].{field}{place}", problem)


@pytest.mark.parametrize(
    ("meta", "place", "problem"),
    [
        ("ab", "", f"is 'ab', {LIST}"),
        ({"0": 1}, "", f"is {{'0': 1}}, {LIST}"),
        ([PLAIN], "", "has 1 entries for 2 variations, must have one for each"),
        ([PLAIN] * 3, "", "has 3 entries for 2 variations, must have one for each"),
        ([PLAIN, {"key": "t"}], "[1]", "is {'key': 't'}, must be a VariationMeta"),
        ([None, PLAIN], "[0]", "is None, must be a VariationMeta"),
    ],
    ids=repr,
)
def test_meta_is_one_entry_for_each_variation(meta: object, place: str, problem: str) -> None:
    """Meta in code is complete, so that no name stands beside the wrong variation."""
    error = mistake(meta=meta)

    assert (error.path, error.problem) == (f"exp.meta{place}", problem)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("key", 5, f"is 5, {TEXT}"),
        ("key", [1], f"is [1], {TEXT}"),
        ("key", None, f"is None, {TEXT}"),
        ("name", 5, f"is 5, {TEXT}"),
        ("passthrough", 1, f"is 1, {TRUTH}"),
        ("passthrough", "no", f"is 'no', {TRUTH}"),
        ("key", "0", f"is '0' as is that of entry 0, {OWN}"),
    ],
)
def test_a_metas_fields_are_checked(field: str, value: Any, problem: str) -> None:
    """A mistake in meta is refused with the variation's index and the field's name."""
    fields: Any = {field: value}
    error = mistake(meta=[PLAIN, VariationMeta(**fields)])

    assert (error.path, error.problem) == (f"exp.meta[1].{field}", problem)


@pytest.mark.parametrize("keys", [("x", "x"), ("1", "")], ids=["given", "by index"])
def test_no_two_variations_have_one_key(keys: tuple[str, str]) -> None:
    """A key that is given may not be that of another entry, nor its index as text."""
    error = mistake(meta=[VariationMeta(key) for key in keys])

    assert error.path == "exp.meta[1].key"
    assert error.problem == f"is {keys[0]!r} as is that of entry 0, {OWN}"


@pytest.mark.parametrize(
    ("fields", "path", "problem"),
    [
        ({"ranges": [(0, 0.5), (0.5, 1)], "weights": [0.5, 0.5]}, "weights", "by ranges"),
        ({"ranges": [(0, 0.5), (0.5, 1)], "coverage": 0.5}, "coverage", "by ranges"),
        ({"filters": [], "namespace": ("n", 0, 0.5)}, "namespace", "by filters"),
        ({"namespace": ("n", 0.5, 0.5)}, "namespace", "admits nobody"),
        ({"filters": [HALF], "namespace": ("n", 0, 0.5)}, "namespace", "by filters"),
        ({"ranges": [(0, 0.6), (0.5, 1)]}, "ranges[1]", "is (0.5, 1) and overlaps that of"),
        ({"ranges": [(0.2, 0.3), (0, 1)]}, "ranges[1]", "that of variation 0, (0.2, 0.3), must"),
    ],
)
def test_a_field_that_would_be_ignored_is_refused(
    fields: dict[str, Any], path: str, problem: str
) -> None:
    """What another field replaces, or what admits nobody, is told to its author."""
    with pytest.raises(DefinitionError) as caught:
        Experiment("exp", ["a", "b"], **fields)

    assert caught.value.path == f"exp.{path}"
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    "fields",
    [
        {"ranges": [(0.5, 1), (0, 0.5)]},
        {"ranges": [(0, 0), (0, 1)]},
        {"ranges": [(0, 1), (0.5, 0.5)]},
        {"ranges": [(0, 0.1 + 0.2), (0.3, 1)]},
        {"ranges": [(0, 0.5), (0.5, 1)], "coverage": 1},
        {"filters": []},
    ],
    ids=str,
)
def test_what_nothing_replaces_is_accepted(fields: dict[str, Any]) -> None:
    """Ranges may touch, be empty or stand in any order; rounding is no overlap."""
    assert Experiment("exp", ["a", "b"], **fields).plan.problems == ()
