"""The hash of a definition, by which records tell one from another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from abmiddleware import Experiment, Feature, Filter, Prerequisite, Rule
from abmiddleware.evaluation.digest import feature_hash
from tests.evaluation.definitions import DEFINITIONS, hashes

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", ["1", "2"])
def test_a_definition_has_one_hash_in_every_process(seed: str) -> None:
    """The hash depends on no address and no order of a set."""
    code = (
        "import json; from tests.evaluation.definitions import hashes; print(json.dumps(hashes()))"
    )
    output = subprocess.check_output(  # noqa: S603  # our own code
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}
    )

    assert json.loads(output) == hashes()


def test_different_definitions_have_different_hashes() -> None:
    """Whatever differs between two definitions shows in their hashes."""
    assert len(set(hashes().values())) == len(DEFINITIONS)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_hash_is_sixteen_hexadecimal_digits(name: str) -> None:
    """The hash is short, and the same for a definition that is built anew."""
    first, second = (DEFINITIONS[name]().plan.config_hash for _ in range(2))

    assert first == second
    assert len(bytes.fromhex(first)) == 8


def test_the_way_of_writing_does_not_matter() -> None:
    """Lists and tuples, and the order of keys, make no other definition."""
    left = Experiment("exp", ["a", "b"], condition={"a": 1, "b": 2}, weights=[0.5, 0.5])
    right = Experiment("exp", ("a", "b"), condition={"b": 2, "a": 1}, weights=(0.5, 0.5))

    assert left.plan.config_hash == right.plan.config_hash


def flag(default: object, *rules: Rule[Any]) -> Feature[Any]:
    return Feature("flag", default, rules=rules)


@pytest.mark.parametrize(
    "other",
    [
        flag(0, Rule(force=True)),
        flag(False),
        flag(False, Rule(force=1)),
        flag(False, Rule(force=True, coverage=0.5)),
        flag(False, Rule(force=True, id="a")),
        flag(False, Rule(force=True), Rule(force=True)),
        flag(False, Rule(force=True, prerequisites=[Prerequisite("a")])),
        flag(False, Rule(prerequisites=[Prerequisite("a")])),
        flag(False, Rule(prerequisites=[Prerequisite("a")], force="missing")),
        flag(False, Rule(force=print)),
        flag(False, Rule(force="\ud800")),
    ],
    ids=[
        "default",
        "no-rule",
        "value",
        "coverage",
        "id",
        "rules",
        "prerequisite",
        "other-prerequisite",
        "missing",
        "function",
        "surrogate",
    ],
)
def test_features_that_differ_have_other_hashes(other: Feature[Any]) -> None:
    """Whatever evaluates otherwise is told apart, by values that JSON lacks, too."""
    flags = [
        flag(False, Rule(force=True)),
        flag(False, Rule(prerequisites=[Prerequisite("b")])),
        flag(False, Rule(prerequisites=[Prerequisite("a")], force="found")),
        flag(False, Rule(force=repr)),
        flag(False, Rule(force="\ud801")),
    ]

    assert feature_hash(other) not in map(feature_hash, flags)


def test_a_feature_of_json_has_the_hash_of_its_like_in_code() -> None:
    """What a document holds beyond the fields does not count."""
    rule = {"force": True, "note": "x", "filters": [{"seed": "s", "ranges": [[0, 1]], "why": 1}]}
    read = Feature.from_growthbook("flag", {"defaultValue": False, "rules": [rule], "owner": "me"})
    filters = [Filter(seed="s", ranges=[(0, 1)])]

    assert feature_hash(read) == feature_hash(flag(False, Rule(force=True, filters=filters)))
