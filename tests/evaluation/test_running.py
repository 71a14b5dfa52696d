"""The steps of a run (specification, sections 8.2 and 8.3)."""

from __future__ import annotations

from typing import Any

import pytest

from abmiddleware import Experiment, Filter
from abmiddleware.evaluation.result import Reason, Result
from abmiddleware.evaluation.scope import EvaluationOptions
from abmiddleware.evaluation.values import Attributes
from tests.evaluation.support import DEFAULTS, evaluate, run

OFF = EvaluationOptions(enabled=False)
QA = EvaluationOptions(qa_mode=True)
FAILING = {"a": 2}


def forcing(index: Any, **others: Any) -> EvaluationOptions:
    return EvaluationOptions(forced_variations={"exp": index}, **others)


def told(result: Result[Any]) -> tuple[bool, int, bool, Reason]:
    return result.in_experiment, result.variation_id, result.hash_used, result.reason


def out(reason: Reason) -> tuple[bool, int, bool, Reason]:
    return False, 0, False, reason


ENROLLED = (True, 1, True, Reason.SPLIT)
FORCED = (True, 1, False, Reason.FORCED)
NO_SUCH = (False, 0, False, Reason.FORCED)
TREATED: Any = {"weights": [0, 1]}


@pytest.mark.parametrize(
    ("fields", "options", "expected"),
    [
        (TREATED, DEFAULTS, ENROLLED),
        ({**TREATED, "variations": ["only"]}, DEFAULTS, out(Reason.INVALID)),
        ({"variations": []}, forcing(0), out(Reason.INVALID)),
        ({"variations": "ab"}, DEFAULTS, out(Reason.INVALID)),
        ({"variations": None}, DEFAULTS, out(Reason.INVALID)),
        ({"variations": {"0": "a", "1": "b"}}, DEFAULTS, out(Reason.INVALID)),
        (TREATED, OFF, out(Reason.DISABLED)),
        (TREATED, forcing(1, enabled=False), out(Reason.DISABLED)),
        ({}, forcing(1), FORCED),
        ({}, forcing(1.0), FORCED),
        ({}, forcing(0), (True, 0, False, Reason.FORCED)),
        (TREATED, forcing(2), NO_SUCH),
        (TREATED, forcing(-1), NO_SUCH),
        (TREATED, forcing("1"), NO_SUCH),
        (TREATED, forcing(True), NO_SUCH),
        (TREATED, forcing(0.5), NO_SUCH),
        (TREATED, forcing(float("nan")), NO_SUCH),
        (TREATED, forcing(None), NO_SUCH),
        (TREATED, forcing([]), NO_SUCH),
        ({"active": False}, forcing(1), FORCED),
        ({"condition": FAILING}, forcing(1), FORCED),
        ({"coverage": 0}, forcing(1), FORCED),
        ({"namespace": ["x", 0, 0]}, forcing(1), FORCED),
        ({"hash_attribute": "missing"}, forcing(1), FORCED),
        ({"hash_version": 7}, forcing(1), FORCED),
        ({}, forcing(1, qa_mode=True), FORCED),
        ({**TREATED, "active": False}, DEFAULTS, out(Reason.DISABLED)),
        ({**TREATED, "hash_attribute": "missing"}, DEFAULTS, out(Reason.NO_UNIT)),
        ({**TREATED, "namespace": ["x", 0, 0]}, DEFAULTS, out(Reason.FILTERED)),
        ({**TREATED, "namespace": ["x", 0, 1]}, DEFAULTS, ENROLLED),
        ({**TREATED, "filters": [Filter("x", [])]}, DEFAULTS, out(Reason.FILTERED)),
        ({**TREATED, "filters": [Filter("x", [(0, 1)])]}, DEFAULTS, ENROLLED),
        ({**TREATED, "condition": FAILING}, DEFAULTS, out(Reason.CONDITION)),
        ({**TREATED, "condition": {"id": "1"}}, DEFAULTS, ENROLLED),
        ({**TREATED, "condition": {}}, DEFAULTS, ENROLLED),
        ({**TREATED, "condition": []}, DEFAULTS, out(Reason.CONDITION)),
        ({**TREATED, "condition": {"$not": {"$or": 5}}}, DEFAULTS, out(Reason.CONDITION)),
        ({**TREATED, "hash_version": 3}, DEFAULTS, out(Reason.INVALID)),
        ({**TREATED, "hash_version": "2"}, DEFAULTS, out(Reason.INVALID)),
        ({**TREATED, "hash_version": True}, DEFAULTS, out(Reason.INVALID)),
        ({**TREATED, "hash_version": 0}, DEFAULTS, ENROLLED),
        ({**TREATED, "seed": 5}, DEFAULTS, out(Reason.INVALID)),
        ({**TREATED, "seed": None}, DEFAULTS, ENROLLED),
        ({**TREATED, "coverage": 0}, DEFAULTS, out(Reason.NOT_COVERED)),
        ({**TREATED, "coverage": "1"}, DEFAULTS, out(Reason.NOT_COVERED)),
        ({"ranges": []}, DEFAULTS, out(Reason.NOT_COVERED)),
        ({"ranges": "all"}, DEFAULTS, out(Reason.NOT_COVERED)),
        ({"ranges": [[0, 0], [0, 1]], "coverage": 0}, DEFAULTS, ENROLLED),
        ({"ranges": [[0, 0], [0, 0], [0, 1]]}, DEFAULTS, out(Reason.NOT_COVERED)),
        ({"ranges": [None, [0, 1]]}, DEFAULTS, ENROLLED),
        ({"force": 1}, DEFAULTS, FORCED),
        ({"force": 1.0}, DEFAULTS, FORCED),
        ({"force": 1}, QA, FORCED),
        ({**TREATED, "force": 2}, DEFAULTS, NO_SUCH),
        ({**TREATED, "force": "1"}, DEFAULTS, NO_SUCH),
        ({"force": 1, "coverage": 0}, DEFAULTS, out(Reason.NOT_COVERED)),
        ({"force": 1, "condition": FAILING}, DEFAULTS, out(Reason.CONDITION)),
        ({"force": 1, "active": False}, DEFAULTS, out(Reason.DISABLED)),
        (TREATED, QA, out(Reason.QA_MODE)),
        ({**TREATED, "coverage": 0}, QA, out(Reason.NOT_COVERED)),
    ],
    ids=lambda cell: repr(cell)[:60],
)
def test_a_run_takes_its_steps_in_order(
    fields: Any, options: EvaluationOptions, expected: tuple[bool, int, bool, Reason]
) -> None:
    """The first step that has something to say decides, as section 8.2 orders them."""
    assert told(run(options=options, **fields)) == expected


@pytest.mark.parametrize("value", [None, "", 0, False, -0.0], ids=repr)
def test_who_has_no_hash_value_is_out(value: object) -> None:
    """A falsy attribute identifies nobody."""
    assert told(run({"id": value}, **TREATED)) == out(Reason.NO_UNIT)


@pytest.mark.parametrize("name", ["", None, 5, []], ids=repr)
def test_without_a_hash_attribute_the_id_is_hashed(name: object) -> None:
    """An empty or unusable attribute name means `id`."""
    result = run(hash_attribute=name, **TREATED)

    assert told(result) == ENROLLED
    assert result.hash_attribute == "id"


def test_a_hash_attribute_is_a_name_and_no_path() -> None:
    """`user.id` is the attribute of that name at the top level."""
    fields: Any = {"hash_attribute": "user.id", **TREATED}

    assert run({"user.id": "7"}, **fields).hash_value == "7"
    assert told(run({"user": {"id": "7"}}, **fields)) == out(Reason.NO_UNIT)


def test_the_seed_is_the_key_unless_given() -> None:
    """An empty seed hashes by the key, and experiments of one seed share their buckets."""
    alone, empty, other = run(), run(seed=""), run(seed="other")

    assert alone.bucket == empty.bucket
    assert other.bucket == run(key="other").bucket
    assert other.bucket != alone.bucket


def test_other_experiments_forced_variations_do_not_matter() -> None:
    """A forced variation goes by the experiment's key."""
    assert told(run(options=EvaluationOptions(forced_variations={"x": 0}), **TREATED)) == ENROLLED


def test_an_experiment_in_code_decides_as_its_payload() -> None:
    """The definition in code gives the very result of the same fields in a payload."""
    fields: Any = {
        "weights": [0.2, 0.3, 0.5],
        "coverage": 0.8,
        "hash_attribute": "company",
        "hash_version": 2,
        "seed": "s\u00ebed",
        "namespace": ("shop", 0.1, 0.9),
        "condition": {"country": {"$in": ["NL", "BE"]}},
    }
    plan = Experiment("exp", ["a", "b", "c"], **fields).plan
    results = set()
    for number in range(500):
        attributes = Attributes(company=number, country="NL" if number % 3 != 1 else "DE")
        result = evaluate(plan, attributes, DEFAULTS)
        results.add(told(result))

        assert result == run(attributes, variations=["a", "b", "c"], **fields)
        assert result == plan.decide(attributes)

    assert {reason for *_, reason in results} == {
        Reason.SPLIT,
        Reason.CONDITION,
        Reason.NO_UNIT,
        Reason.FILTERED,
        Reason.NOT_COVERED,
    }
