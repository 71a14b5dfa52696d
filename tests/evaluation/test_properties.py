"""What holds for any experiment, condition and unit (specification, sections 4, 5, 6 and 19)."""

from __future__ import annotations

import re
from copy import deepcopy
from math import sqrt
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from abmiddleware import DefinitionError, Experiment, Filter, Result, VariationMeta
from abmiddleware.evaluation.conditions import compile_condition
from abmiddleware.evaluation.scope import EvaluationOptions
from abmiddleware.evaluation.values import Attributes
from tests.evaluation.strategies import (
    ATTRIBUTES,
    CONDITIONS,
    JSON,
    PLAIN_CONDITIONS,
    thorough,
)
from tests.evaluation.support import compiled, evaluate, passes, run

IDS = [f"visitor-{number}" for number in range(20_000)]

FILTERS = st.lists(st.builds(Filter, JSON, JSON, JSON, JSON) | JSON, max_size=3)
META = st.lists(st.builds(VariationMeta, JSON, JSON, JSON) | JSON, max_size=3)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "variations": JSON | st.lists(JSON, min_size=2, max_size=4),
        "weights": JSON | st.lists(st.floats(-1, 1), max_size=4),
        "coverage": JSON,
        "ranges": JSON | st.lists(st.lists(st.floats(-1, 2), max_size=3), max_size=4),
        "hash_attribute": JSON | st.sampled_from(["id", "a"]),
        "hash_version": JSON | st.sampled_from([1, 2]),
        "seed": JSON,
        "namespace": JSON | st.tuples(JSON, st.floats(), st.floats()),
        "filters": JSON | FILTERS,
        "condition": JSON | CONDITIONS,
        "meta": JSON | META,
        "force": JSON | st.integers(-1, 3),
    },
)
OPTIONS = st.builds(
    EvaluationOptions,
    enabled=st.booleans(),
    qa_mode=st.booleans(),
    forced_variations=st.dictionaries(st.sampled_from(["exp", "x"]), JSON, max_size=1),
)


@thorough
@given(fields=FIELDS, attributes=ATTRIBUTES, options=OPTIONS, groups=JSON)
def test_evaluation_is_total(
    fields: Any, attributes: dict[str, Any], options: EvaluationOptions, groups: Any
) -> None:
    """Whatever a payload and attributes hold, there is a result, and inputs stay as they were."""
    variations = fields.pop("variations", ["control", "treatment"])
    before = repr((variations, fields, attributes, groups))
    plan = compiled(variations=variations, saved_groups=groups, **fields)
    result = evaluate(plan, Attributes(attributes), options)

    assert isinstance(result, Result)
    assert 0 <= result.variation_id < len(plan.parts.arms)
    assert result.value is plan.parts.arms[result.variation_id].value
    assert result.hash_used <= result.in_experiment
    assert (result.bucket is not None) is result.hash_used
    assert repr((variations, fields, attributes, groups)) == before


@thorough
@given(fields=FIELDS)
def test_a_definition_is_built_or_refused(fields: Any) -> None:
    """Whatever a definition in code holds, it is compiled, or refused as a mistake in it."""
    variations = fields.pop("variations", ["control", "treatment"])
    try:
        outcome = Experiment("exp", variations, **fields).plan.config_hash
    except DefinitionError as error:
        outcome = str(error)

    assert len(outcome) == 16 or re.match(r"exp\..*: .*must ", outcome, re.DOTALL)


@thorough
@given(condition=CONDITIONS, attributes=ATTRIBUTES, groups=JSON)
def test_a_condition_passes_or_fails(condition: Any, attributes: Any, groups: Any) -> None:
    """A condition made of the operators, well or not, gives a plain answer and changes nothing."""
    before = deepcopy((condition, attributes, groups))
    matches = compile_condition(condition, groups).matches
    answers = [matches(Attributes(attributes)) for _ in range(2)]

    assert answers in ([True, True], [False, False])
    assert repr((condition, attributes, groups)) == repr(before)


@thorough
@given(condition=CONDITIONS, attributes=ATTRIBUTES)
def test_not_turns_an_answer_round(condition: Any, attributes: Any) -> None:
    """A condition below `$not` has the opposite answer, unless it is malformed as a whole."""
    plain, negated = passes(condition, attributes), passes({"$not": condition}, attributes)

    assert plain is not negated or (plain, negated) == (False, False)
    assert passes({"$nor": [condition]}, attributes) is negated


def turned_round(value: Any) -> Any:
    """Return a JSON value with the keys of its objects in the opposite order."""
    if isinstance(value, dict):
        return {key: turned_round(value[key]) for key in reversed(value)}
    return [turned_round(item) for item in value] if isinstance(value, list) else value


@thorough
@given(condition=PLAIN_CONDITIONS, attributes=ATTRIBUTES)
def test_the_order_of_keys_does_not_matter(condition: Any, attributes: Any) -> None:
    """Conditions without literal objects, and attributes, may be written in any order."""
    answer = passes(condition, attributes)

    assert passes(turned_round(condition), attributes) is answer
    assert passes(condition, turned_round(attributes)) is answer


SHARES = st.lists(st.integers(0, 20), min_size=2, max_size=5).filter(any)
COVERAGES = st.floats(0, 1)


def weights_of(shares: list[int]) -> list[float]:
    return [share / sum(shares) for share in shares]


@thorough
@given(
    shares=SHARES,
    coverages=st.tuples(COVERAGES, COVERAGES),
    units=st.lists(st.integers() | st.text(max_size=8), min_size=20, max_size=20),
    version=st.sampled_from([1, 2]),
)
def test_raising_coverage_moves_nobody_who_was_in(
    shares: list[int], coverages: tuple[float, float], units: list[Any], version: int
) -> None:
    """A wider coverage lets more in, and everybody keeps their variation."""
    fields: Any = {"weights": weights_of(shares), "hash_version": version, "variations": shares}
    for unit in units:
        narrow, wide = (
            run({"id": unit}, coverage=coverage, **fields) for coverage in sorted(coverages)
        )

        assert not narrow.in_experiment or wide == narrow


@settings(thorough, max_examples=12)
@given(shares=SHARES, coverage=st.sampled_from([1.0, 0.5, 0.2]), version=st.sampled_from([1, 2]))
def test_shares_are_as_weighted(shares: list[int], coverage: float, version: int) -> None:
    """Of 20,000 visitors every variation gets its share, within five standard deviations."""
    weights = weights_of(shares)
    plan = Experiment(
        "shares", shares, weights=weights, coverage=coverage, hash_version=version
    ).plan
    counts = [0] * len(shares)
    for unit in IDS:
        result = plan.decide(Attributes(id=unit))
        if result.in_experiment:
            counts[result.variation_id] += 1

    for count, weight in zip(counts, weights, strict=True):
        share = coverage * weight
        bound = 5 * sqrt(share * (1 - share) / len(IDS)) + 1 / 1000
        assert abs(count / len(IDS) - share) <= bound


@thorough
@given(
    cuts=st.lists(st.floats(0, 1), min_size=3, max_size=3).map(sorted),
    units=st.lists(st.integers(1) | st.text(min_size=1, max_size=8), min_size=20, max_size=20),
)
def test_disjoint_parts_of_a_namespace_share_no_unit(cuts: list[float], units: list[Any]) -> None:
    """A unit is in at most one of two neighbouring parts, and in one if they cover its bucket."""
    low, middle, high = cuts
    parts = [("shop", low, middle), ("shop", middle, high), ("shop", low, high)]
    for unit in units:
        first, second, both = (
            run({"id": unit}, key=key, namespace=part).in_experiment
            for key, part in zip(("first", "second", "both"), parts, strict=True)
        )

        assert not (first and second)
        assert (first or second) is both
