"""Agreement with GrowthBook's own Python SDK, over many units and experiments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from abmiddleware import Filter, VariationMeta
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.values import Attributes
from tests.evaluation.support import DEFAULTS, compiled, evaluate

growthbook: Any = pytest.importorskip(
    "growthbook", reason="growthbook is not installed: it comes with the bench group only"
)

UNITS = 2_000

EXPERIMENTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "version-2": {"hashVersion": 2},
    "weights": {"weights": [0.1, 0.2, 0.7]},
    "thirds": {"weights": [0.33, 0.33, 0.33]},
    "bad-weights": {"weights": [0.5, 0.5, 0.5]},
    "coverage": {"coverage": 0.4, "hashVersion": 2},
    "weights-and-coverage": {"weights": [0.2, 0.3, 0.5], "coverage": 0.7},
    "too-much-coverage": {"coverage": 2},
    "seed": {"seed": "s\u00ebed \U0001f98a", "hashVersion": 2},
    "ascii-seed": {"seed": "other"},
    "namespace": {"namespace": ("shop", 0.2, 0.7)},
    "namespace-and-coverage": {"namespace": ("\u5e97", 0, 0.5), "coverage": 0.5, "hashVersion": 2},
    "ranges": {"ranges": [(0, 0.1), (0.3, 0.5), (0.4, 0.9)], "coverage": 0.1},
    "version-2-ranges": {"ranges": [(0.5, 1), (0, 0.5), (0, 0)], "hashVersion": 2},
    "filters": {"filters": [{"seed": "f", "ranges": [(0, 0.2), (0.5, 0.9)], "hashVersion": 2}]},
    "two-filters": {
        "filters": [
            {"seed": "f", "ranges": [(0, 0.6)], "hashVersion": 1},
            {"seed": "g", "ranges": [(0.3, 1)], "hashVersion": 2, "attribute": "company"},
        ],
        "namespace": ("shop", 0, 0),
    },
    "company": {"hashAttribute": "company", "hashVersion": 2},
    "missing": {"hashAttribute": "missing"},
    "condition": {"condition": {"country": {"$in": ["NL", "BE"]}, "age": {"$gte": 30}}},
    "version-condition": {"condition": {"$not": {"version": {"$vlt": "1.10.0-rc.2"}}}},
    "literal-condition": {"condition": {"tags": ["a", "b"], "company": {"$regex": "^c[0-4]"}}},
    "meta": {"meta": [{"key": "c", "name": "C"}, {"key": "t"}, {"name": "Third"}]},
    "force": {"force": 2, "coverage": 0.5},
    "inactive": {"active": False},
    "unknown-version": {"hashVersion": 3},
}

NAMES = {"hashAttribute": "hash_attribute", "hashVersion": "hash_version"}


def ours(key: str, fields: dict[str, Any]) -> Plan:
    read: dict[str, Any] = {NAMES.get(name, name): value for name, value in fields.items()}
    if "filters" in read:
        read["filters"] = [
            Filter(each["seed"], each["ranges"], each.get("attribute", "id"), each["hashVersion"])
            for each in read["filters"]
        ]
    if "meta" in read:
        read["meta"] = [
            VariationMeta(each.get("key", ""), each.get("name", "")) for each in read["meta"]
        ]
    return compiled(key, ["a", "b", "c"], **read)


def units() -> Iterator[dict[str, Any]]:
    """Yield attributes with ids of every kind."""
    for number in range(UNITS):
        kinds = [
            f"user-{number}",
            number,
            number + 0.5,
            f"\u7528\u6237{number}",
            f"\U0001f98a{number}",
        ]
        yield {
            "id": kinds[number % len(kinds)],
            "company": f"c{number % 97}",
            "country": ("NL", "BE", "DE")[number % 3],
            "age": number % 90,
            "version": f"1.{number % 20}.0",
            "tags": ["a", "b"] if number % 2 else ["b", "a"],
        }


@pytest.fixture(scope="module")
def answers() -> dict[str, list[tuple[dict[str, Any], Any]]]:
    """What GrowthBook says of every unit in every experiment."""
    experiments = {
        key: growthbook.Experiment(key=key, variations=["a", "b", "c"], **fields)
        for key, fields in EXPERIMENTS.items()
    }
    told: dict[str, list[tuple[dict[str, Any], Any]]] = {key: [] for key in EXPERIMENTS}
    for attributes in units():
        peer = growthbook.GrowthBook(attributes=dict(attributes))  # destroy() empties it
        try:
            for key, experiment in experiments.items():
                told[key].append((attributes, peer.run(experiment)))
        finally:
            peer.destroy()
    return told


@pytest.mark.parametrize("key", EXPERIMENTS)
def test_assignments_equal_growthbooks(
    key: str, answers: dict[str, list[tuple[dict[str, Any], Any]]]
) -> None:
    """Every unit gets the variation, bucket and key that GrowthBook's SDK gives it."""
    plan = ours(key, EXPERIMENTS[key])
    for attributes, theirs in answers[key]:
        result = evaluate(plan, Attributes(attributes), DEFAULTS)

        assert (
            result.in_experiment,
            result.variation_id,
            result.value,
            result.key,
            result.hash_used,
            result.hash_attribute,
            result.bucket,
            result.name or None,
        ) == (
            theirs.inExperiment,
            theirs.variationId,
            theirs.value,
            theirs.key,
            theirs.hashUsed,
            theirs.hashAttribute,
            theirs.bucket,
            theirs.name or None,
        ), attributes


def test_the_experiments_tell_units_apart(
    answers: dict[str, list[tuple[dict[str, Any], Any]]],
) -> None:
    """The agreement is no coincidence: most experiments split the units in several ways."""
    several = [
        key
        for key, told in answers.items()
        if len({(theirs.inExperiment, theirs.variationId) for _, theirs in told}) > 2
    ]

    assert len(several) >= 15
