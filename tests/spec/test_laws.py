"""What holds for every payload and every user."""

from __future__ import annotations

import random
from collections import Counter
from copy import deepcopy
from itertools import pairwise
from math import exp, lgamma, log
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.spec import adapter as library
from tests.spec import context_strategies as contexts
from tests.spec import payload_strategies as payloads
from tests.spec import strategies as json
from tests.spec.cases import exact, experiment
from tests.spec.strategies import FEATURES, steady

Json = Any

#: Functions come with the library one by one; names are looked up when a test runs.
adapter: Any = library

# Section 19: evaluation never raises, and never writes to its inputs.

OBJECT = st.dictionaries(st.sampled_from(json.PATHS) | st.text(max_size=4), json.JUNK, max_size=4)
JUNK_RULE = json.some(dict.fromkeys({**payloads.SHARED, **payloads.RULE_EXTRAS}, json.JUNK), 5)
JUNK_KINDS = json.some(
    dict.fromkeys(
        ["force", "variations", "contextualVariations", "contextualBanditRef", "tracks", "range"],
        json.JUNK | payloads.VARIATIONS | st.just("cb"),
    ),
    3,
)
JUNK_FEATURE = (
    st.fixed_dictionaries({"rules": st.lists(json.together(JUNK_RULE, JUNK_KINDS), max_size=3)})
    | json.some({"rules": json.JUNK, "defaultValue": json.JUNK})
    | json.JUNK
)
JUNK_CONTEXT = json.together(
    contexts.CONTEXT,
    st.fixed_dictionaries({"features": json.some(dict.fromkeys(FEATURES, JUNK_FEATURE), 4)}),
    json.some(
        {"savedGroups": OBJECT, "contextualBandits": st.fixed_dictionaries({"cb": json.JUNK})}
    ),
    json.some(
        {"attributes": OBJECT, "forcedVariations": OBJECT, "overrides": OBJECT, "groups": OBJECT}
    ),
)


@steady
@given(json.JUNK, OBJECT, OBJECT)
def test_conditions_are_total(condition: Json, attributes: Json, groups: Json) -> None:
    """19: any JSON as a condition passes or fails."""
    for tested in (condition, {"id": condition}, {"$or": [{"id": condition}]}, {"$not": condition}):
        assert adapter.eval_condition(tested, attributes, groups) in {True, False}


@steady
@given(
    json.some(dict.fromkeys(payloads.EXPERIMENT_FIELDS, json.JUNK), 6),
    payloads.VARIATIONS | json.JUNK,
    JUNK_CONTEXT,
)
def test_runs_are_total(fields: Json, variations: Json, context: Json) -> None:
    """19: an experiment with any JSON in its fields has a result."""
    result = adapter.run({"key": "exp", "variations": variations, **fields}, context)
    assert result["inExperiment"] in {True, False}


@steady
@given(JUNK_CONTEXT)
def test_features_are_total(context: Json) -> None:
    """19: a feature with any JSON in its rules has a result."""
    for key in FEATURES:
        result = adapter.eval_feature(key, context)
        assert result["on"] is not result["off"]


JUNK_DOCUMENT = st.builds(
    contexts.document, st.sampled_from(["id", "user"]), st.just("user-1"), json.JUNK
)


@steady
@given(JUNK_CONTEXT, st.lists(JUNK_DOCUMENT, max_size=2))
def test_sticky_buckets_are_total(context: Json, documents: Json) -> None:
    """19: documents with any JSON in them can be looked up."""
    for key in FEATURES:
        adapter.run_sticky(context, documents, key)


JUNK_AUTO = json.together(
    contexts.AUTO, json.some(dict.fromkeys(payloads.EXPERIMENT_FIELDS, json.JUNK))
)


@steady
@given(contexts.AUTO_CONTEXT, st.lists(JUNK_AUTO | json.JUNK, max_size=3), st.text(max_size=12))
def test_redirects_are_total(context: Json, experiments: Json, url: str) -> None:
    """19: auto experiments of any JSON, at any URL, give a list."""
    given_ = {**context, "experiments": experiments}
    assert all(entry["inExperiment"] for entry in adapter.url_redirect(given_))
    assert isinstance(adapter.url_redirect({**given_, "url": f"http://{url}"}), list)
    assert adapter.is_url_targeted(url, context["experiments"][0].get("urlPatterns")) in {
        True,
        False,
    }
    assert adapter.query_override("exp", url, 2) in {None, 0, 1}


@steady
@given(contexts.AUTO_CONTEXT, payloads.EXPERIMENT, contexts.DOCUMENTS)
def test_inputs_are_not_modified(context: Json, fields: Json, documents: Json) -> None:
    """19: definitions, contexts and stored documents stay as they were, to the order of keys."""
    inputs = [context, fields, documents]
    before = repr(deepcopy(inputs))

    adapter.run(fields, context)
    adapter.url_redirect(context)
    for key in FEATURES:
        adapter.eval_feature(key, context)
        adapter.run_sticky(context, documents, key)

    assert repr(inputs) == before


# Objects have no order, but for literals (6.3).


def turned(value: Json) -> Json:
    """Return a part of a payload with the keys of its objects in another order."""
    if isinstance(value, list):
        return [turned(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: turned_condition(each) if name == "condition" else turned(each)
        for name, each in reversed(value.items())
    }


def turned_condition(condition: Json) -> Json:
    """Return a condition with its keys in another order; literals stay as they are."""
    if not isinstance(condition, dict):
        return condition
    return {name: _turned_entry(name, each) for name, each in reversed(condition.items())}


def _turned_entry(name: str, inner: Json) -> Json:
    if name in {"$or", "$and", "$nor"} and isinstance(inner, list):
        return [turned_condition(each) for each in inner]
    if name == "$not":
        return turned_condition(inner)
    operators = isinstance(inner, dict) and all(each.startswith("$") for each in inner)
    return dict(reversed(inner.items())) if operators else inner


@steady
@given(json.CONDITION, json.ATTRIBUTE_VALUES, json.SAVED_GROUPS)
def test_order_in_conditions(condition: Json, attributes: Json, groups: Json) -> None:
    """6.1: the order of the keys of a condition does not matter."""
    told = adapter.eval_condition(condition, attributes, groups)
    again = adapter.eval_condition(turned_condition(condition), attributes, turned(groups))
    assert told is again


@steady
@given(contexts.CONTEXT)
def test_order_in_payloads(context: Json) -> None:
    """10: the order of the keys of a payload does not matter."""
    other = {**turned(context), "attributes": context["attributes"]}
    for key in FEATURES:
        assert exact(adapter.eval_feature(key, context)) == exact(adapter.eval_feature(key, other))


# Buckets: coverage, shares, namespaces.


@steady
@given(
    payloads.WEIGHTS | st.lists(st.floats(0, 1), min_size=2, max_size=4),
    st.lists(st.floats(0, 1), min_size=2, max_size=2).map(sorted),
    st.integers(0, 9_999).map(lambda bucket: bucket / 10_000),
)
def test_coverage_moves_nobody(weights: Json, coverage: list[float], bucket: float) -> None:
    """4.2: raising the coverage leaves everybody who was in where they were."""
    less, more = (adapter.get_bucket_range(len(weights), each, weights) for each in coverage)
    before = adapter.choose_variation(bucket, less)
    assert before in {-1, adapter.choose_variation(bucket, more)}


@steady
@given(payloads.EXPERIMENT, contexts.CONTEXT, st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_coverage_of_experiments(fields: Json, context: Json, coverage: list[float]) -> None:
    """8: also when an experiment runs, whatever else it has."""
    context = {**context, "overrides": {}}
    less, more = (adapter.run({**fields, "coverage": each}, context) for each in sorted(coverage))
    if less["inExperiment"]:
        assert exact(less) == exact(more)


UNITS = [f"{random.Random(7).getrandbits(64) + place:x}" for place in range(4_000)]  # noqa: S311


def probability(count: int, n: int, p: float) -> float:
    """Return the chance of exactly this count, of a binomial distribution."""
    if p in {0, 1}:
        return float(count == n * p)
    ways = lgamma(n + 1) - lgamma(count + 1) - lgamma(n - count + 1)
    return exp(ways + count * log(p) + (n - count) * log(1 - p))


def plausible(count: int, n: int, p: float) -> bool:
    """Tell whether a count is within what chance gives, but once in a million on each side."""
    below = sum(probability(each, n, p) for each in range(count + 1))
    above = sum(probability(each, n, p) for each in range(count, n + 1))
    return min(below, above) > 1e-6


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("weights", "coverage"),
    [
        pytest.param([0.5, 0.5], 1, id="halves"),
        pytest.param([0.1, 0.2, 0.7], 1, id="three"),
        pytest.param([0.9, 0.1], 0.3, id="covered in part"),
        pytest.param([0.33, 0.33, 0.33], 1, id="less than all"),
        pytest.param([0, 1], 0.5, id="one of two"),
    ],
)
def test_shares(version: int, weights: list[float], coverage: float) -> None:
    """4: each variation gets its share of many users."""
    fields = experiment(
        variations=[*range(len(weights))], weights=weights, coverage=coverage, hashVersion=version
    )
    results = [adapter.run(fields, {"attributes": {"id": unit}}) for unit in UNITS]
    counts = Counter(each["variationId"] for each in results if each["inExperiment"])
    assert all(
        plausible(counts[index], len(UNITS), weight * coverage)
        for index, weight in enumerate(weights)
    )


@pytest.mark.parametrize("edges", [[0, 0.4, 1], [0, 0.25, 0.5, 0.75, 1], [0, 0.001, 1]])
def test_namespaces_exclude(edges: list[float]) -> None:
    """5.1: the parts of a namespace have no user in common, and together they have all."""
    parts = [["n", start, end] for start, end in pairwise(edges)]
    for unit in UNITS:
        assert sum(adapter.in_namespace(unit, part) for part in parts) == 1


def test_experiments_are_independent() -> None:
    """3: who is in one half of an experiment is in either half of another."""
    pairs = Counter(
        tuple(
            adapter.run(experiment(key=key, weights=[0.5, 0.5]), {"attributes": {"id": unit}})[
                "variationId"
            ]
            for key in ("exp", "other")
        )
        for unit in UNITS
    )
    assert all(
        plausible(pairs[each], len(UNITS), 0.25) for each in [(0, 0), (0, 1), (1, 0), (1, 1)]
    )
