"""Mistakes in a definition raise where it is built, with the place, the value and the mend."""

from __future__ import annotations

from math import inf, nan

import pytest

import abmiddleware
from abmiddleware import DefinitionError, Experiment, MemorySink
from tests.evaluation.support import mistake

LETTERS = "must be 1 to 64 characters of A-Z a-z 0-9 _ . and -"
SHARE = "must be a number from 0 to 1"
NAME = "must be the name of an attribute such as 'id'"
RANGE = "must be (start, end)"
PLACE = "must be (id, start, end)"
INDEX = "must be the index of a variation, 0 to 1"
ALL = [(0, 1)]


def check(error: DefinitionError, path: str, problem: str) -> None:
    assert (error.path, error.problem) == (path, problem)
    assert str(error) == f"{path}: {problem}"


@pytest.mark.parametrize(
    "key",
    ["", "a b", "a/b", "é", "a\n", "x" * 65, None, 5, ["a"], b"a", "a:b"],
    ids=lambda key: repr(key)[:20],
)
def test_a_key_is_made_of_few_letters(key: object) -> None:
    """Keys stand in span attributes and files, so they hold nothing that needs quoting."""
    shown = f"'{'x' * 37}" if key == "x" * 65 else repr(key)
    error = mistake(key=key)

    assert error.path == "key"
    assert error.problem.startswith(f"is {shown}"[:30])
    assert error.problem.endswith(LETTERS)


@pytest.mark.parametrize("key", ["a", "x" * 64, "A-Z_a.z-09", "-", "."])
def test_a_good_key_is_accepted(key: str) -> None:
    """All letters of the rule may stand anywhere, up to 64."""
    assert Experiment(key, ["a", "b"]).plan.key == key


@pytest.mark.parametrize(
    ("field", "value", "place", "problem"),
    [
        ("variations", "ab", "", "is 'ab', must be a list of values"),
        ("variations", b"ab", "", "is b'ab', must be a list of values"),
        ("variations", None, "", "is None, must be a list of values"),
        ("variations", {"a": 1, "b": 2}, "", "is {'a': 1, 'b': 2}, must be a list of values"),
        ("variations", {1}, "", "is {1}, must be a list of values"),
        ("variations", [], "", "has 0, must have at least two: a control and a treatment"),
        ("variations", ["a"], "", "has 1, must have at least two: a control and a treatment"),
        ("weights", "ab", "", "is 'ab', must be a list"),
        ("weights", {0: 1}, "", "is {0: 1}, must be a list"),
        ("weights", 0.5, "", "is 0.5, must be a list"),
        ("weights", [1], "", "has 1 entries for 2 variations, must have one for each"),
        ("weights", [0.3, 0.3, 0.4], "", "has 3 entries for 2 variations, must have one for each"),
        ("weights", [0.5, 0.4], "", "sum to 0.9, must sum to 1"),
        ("weights", [0.5, 0.52], "", "sum to 1.02, must sum to 1"),
        ("weights", [1, 1], "", "sum to 2, must sum to 1"),
        ("weights", [-0.5, 1.5], "[0]", f"is -0.5, {SHARE}"),
        ("weights", [0.5, nan], "[1]", f"is nan, {SHARE}"),
        ("weights", [0.5, True], "[1]", f"is True, {SHARE}"),
        ("weights", ["0.5", 0.5], "[0]", f"is '0.5', {SHARE}"),
        ("weights", [None, 1], "[0]", f"is None, {SHARE}"),
        ("coverage", 1.1, "", f"is 1.1, {SHARE}"),
        ("coverage", -0.1, "", f"is -0.1, {SHARE}"),
        ("coverage", 20, "", f"is 20, {SHARE}"),
        ("coverage", nan, "", f"is nan, {SHARE}"),
        ("coverage", inf, "", f"is inf, {SHARE}"),
        ("coverage", True, "", f"is True, {SHARE}"),
        ("coverage", "0.2", "", f"is '0.2', {SHARE}"),
        ("coverage", None, "", f"is None, {SHARE}"),
        ("hash_version", 3, "", "is 3, must be 1 or 2"),
        ("hash_version", 0, "", "is 0, must be 1 or 2"),
        ("hash_version", True, "", "is True, must be 1 or 2"),
        ("hash_version", 2.0, "", "is 2.0, must be 1 or 2"),
        ("hash_version", "2", "", "is '2', must be 1 or 2"),
        ("hash_version", [2], "", "is [2], must be 1 or 2"),
        ("hash_attribute", "", "", f"is '', {NAME}"),
        ("hash_attribute", None, "", f"is None, {NAME}"),
        ("hash_attribute", ["id"], "", f"is ['id'], {NAME}"),
        ("seed", 5, "", "is 5, must be a string"),
        ("seed", None, "", "is None, must be a string"),
        ("namespace", "shop", "", f"is 'shop', {PLACE}"),
        ("namespace", ("shop", 0), "", f"is ('shop', 0), {PLACE}"),
        ("namespace", (5, 0, 1), "", f"is (5, 0, 1), {PLACE}"),
        ("namespace", ("s", 0.5, 0.2), "", "starts at 0.5 behind its end 0.2, must be (0.2, 0.5)"),
        ("namespace", ("shop", 0.12345678, 0.12345677), "", "must be (0.12345677, 0.12345678)"),
        ("namespace", ("shop", 0, 2), "", f"is 2, {SHARE}"),
        ("namespace", ("shop", nan, 1), "", f"is nan, {SHARE}"),
        ("namespace", ("shop", False, True), "", f"is False, {SHARE}"),
        ("ranges", "ab", "", "is 'ab', must be a list"),
        ("ranges", [], "", "has 0 entries for 2 variations, must have one for each"),
        ("ranges", ALL, "", "has 1 entries for 2 variations, must have one for each"),
        ("ranges", [(0, 1), 5], "[1]", f"is 5, {RANGE}"),
        ("ranges", [(0, 1), (0, 0.5, 1)], "[1]", f"is (0, 0.5, 1), {RANGE}"),
        ("ranges", [(0, 1), "01"], "[1]", f"is '01', {RANGE}"),
        ("ranges", [(1, 0), (0, 1)], "[0]", "starts at 1 behind its end 0, must be (0, 1)"),
        ("ranges", [(0, "1"), (0, 1)], "[0]", f"is '1', {SHARE}"),
        ("ranges", [(0, 1), (nan, 1)], "[1]", f"is nan, {SHARE}"),
        ("force", 2, "", f"is 2, {INDEX}"),
        ("force", -1, "", f"is -1, {INDEX}"),
        ("force", True, "", f"is True, {INDEX}"),
        ("force", 1.0, "", f"is 1.0, {INDEX}"),
        ("force", "b", "", f"is 'b', {INDEX}"),
        ("active", "no", "", "is 'no', must be True or False"),
        ("active", 0, "", "is 0, must be True or False"),
        ("active", None, "", "is None, must be True or False"),
        ("name", 5, "", "is 5, must be a string"),
        ("name", None, "", "is None, must be a string"),
        ("phase", -1, "", "is -1, must be 0 or more"),
        ("phase", True, "", "is True, must be 0 or more"),
        ("phase", 1.5, "", "is 1.5, must be 0 or more"),
    ],
    ids=lambda cell: repr(cell)[:50],
)
def test_a_mistake_names_its_place_its_value_and_the_mend(
    field: str, value: object, place: str, problem: str
) -> None:
    """Every field that cannot be used is refused when the experiment is built."""
    error = mistake(**{field: value})

    assert error.path == f"exp.{field}{place}"
    assert problem in error.problem
    assert str(error) == f"{error.path}: {error.problem}"


def test_an_integer_of_any_size_is_refused_as_a_mistake() -> None:
    """Python refuses to write integers of thousands of digits; the message does without."""
    check(mistake(coverage=10**5000), "exp.coverage", f"is too long to show (int), {SHARE}")


def test_weights_that_sum_to_less_in_doubles_are_refused() -> None:
    """Weights that the evaluation would take as equal never pass the check."""
    error = mistake(variations=list(range(10)), weights=[0.1] * 9 + [0.09])

    check(error, "exp.weights", "sum to 0.99, must sum to 1")


@pytest.mark.parametrize("weights", [[0.33, 0.33, 0.33], [1, 0, 0], (0.5, 0.25, 0.26)], ids=str)
def test_weights_that_sum_to_nearly_one_are_accepted(weights: list[float]) -> None:
    """Rounded thirds are no mistake."""
    assert Experiment("exp", ["a", "b", "c"], weights=weights).plan.problems == ()


def test_two_experiments_of_one_key_are_refused() -> None:
    """An engine names both places of a key that stands there twice."""
    experiments = [Experiment(key, ["a", "b"]) for key in ("one", "two", "one")]
    with pytest.raises(DefinitionError) as caught:
        abmiddleware.Engine(experiments, sink=MemorySink())

    problem = "is 'one' as is that of experiments[0], must be its own"
    check(caught.value, "experiments[2].key", problem)


def test_a_definition_error_is_a_value_error() -> None:
    """Whoever catches ValueError, or any error of the library, catches it."""
    error = mistake(coverage=2)

    assert isinstance(error, ValueError)
    assert isinstance(error, abmiddleware.ABMiddlewareError)
