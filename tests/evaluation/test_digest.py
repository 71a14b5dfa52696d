"""The hash of a definition, by which records tell one from another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from abmiddleware import Experiment
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
