"""What a result says (specification, sections 3.3 and 9)."""

from __future__ import annotations

from typing import Any

import pytest

from abmiddleware import Filter, VariationMeta
from abmiddleware.evaluation.hashing import bucket_of
from abmiddleware.evaluation.result import Reason, Result, unknown_result
from abmiddleware.evaluation.scope import EvaluationOptions
from tests.evaluation.support import compiled, run

SECOND: Any = {"weights": [0, 1]}
META = [VariationMeta("c", "Control"), VariationMeta("t", "Treatment", passthrough=True)]


def test_an_enrolled_result_tells_everything() -> None:
    """Who is in gets the variation with its names, the hash value and the bucket."""
    bucket = bucket_of("exp", 1)
    result = run({"id": "7"}, meta=META, **SECOND)

    assert bucket is not None
    assert result == Result(
        in_experiment=True,
        value="treatment",
        key="t",
        variation_id=1,
        hash_used=True,
        hash_attribute="id",
        hash_value="7",
        bucket=bucket("7"),
        name="Treatment",
        passthrough=True,
        sticky_bucket_used=False,
        feature_id=None,
        reason=Reason.SPLIT,
    )


def test_a_result_outside_is_the_controls() -> None:
    """Who is out gets the control with its names, the hash value all the same, and no bucket."""
    result = run({"id": "7"}, meta=META, coverage=0)

    assert (result.value, result.key, result.name) == ("control", "c", "Control")
    assert (result.hash_attribute, result.hash_value) == ("id", "7")
    assert (result.bucket, result.passthrough) == (None, False)


def test_a_forced_result_has_names_and_no_bucket() -> None:
    """A forced variation reports its own meta, and that no hash was used."""
    result = run({"id": "7"}, EvaluationOptions(forced_variations={"exp": 1}), meta=META)

    assert (result.value, result.key, result.name, result.passthrough) == (
        "treatment",
        "t",
        "Treatment",
        True,
    )
    assert (result.bucket, result.hash_used, result.hash_value) == (None, False, "7")


@pytest.mark.parametrize(
    "value",
    [123, 1.5, 1e21, True, "x", [1, 2], {"a": 1}, 2**60],
    ids=repr,
)
@pytest.mark.parametrize("coverage", [0, 1], ids=["out", "in"])
def test_the_hash_value_is_reported_raw(value: object, coverage: int) -> None:
    """The number 123 stays 123, in the experiment and out of it."""
    result = run({"id": value}, coverage=coverage)

    assert result.hash_value is value
    assert result.in_experiment is bool(coverage)


@pytest.mark.parametrize("value", [None, False, 0, 0.0, "", float("nan")], ids=repr)
def test_no_hash_value_is_reported_as_empty_text(value: object) -> None:
    """Whatever identifies nobody is reported as the empty string."""
    assert run({"id": value}).hash_value == ""


@pytest.mark.parametrize(
    ("meta", "key", "name"),
    [
        (None, "1", ""),
        ([], "1", ""),
        ([VariationMeta("c")], "1", ""),
        ([VariationMeta("c"), VariationMeta("")], "1", ""),
        ([VariationMeta(), VariationMeta(name="T")], "1", "T"),
        ([None, VariationMeta("t")], "t", ""),
        ([VariationMeta("c"), {"key": "t"}], "1", ""),
        ([VariationMeta(), VariationMeta(None, None)], "1", ""),  # type: ignore[arg-type]
        ([VariationMeta(), VariationMeta(5, 6)], "1", ""),  # type: ignore[arg-type]
        ([VariationMeta(), VariationMeta("t"), VariationMeta("u")], "t", ""),
        ("xy", "1", ""),
        ({"1": "t"}, "1", ""),
        (5, "1", ""),
    ],
    ids=[
        "none",
        "empty",
        "short",
        "empty key",
        "name only",
        "null entry",
        "no meta entry",
        "nulls",
        "numbers",
        "long",
        "text",
        "object",
        "number",
    ],
)
def test_the_key_is_the_index_where_meta_gives_none(meta: object, key: str, name: str) -> None:
    """Meta that is short, empty or unusable counts as empty."""
    result = run(meta=meta, **SECOND)

    assert (result.variation_id, result.key, result.name) == (1, key, name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), (False, False), (1, True), (0, False), ("", False), ([], True), (None, False)],
)
def test_passthrough_is_a_truth(value: Any, expected: bool) -> None:
    """Passthrough is reported as a bool."""
    meta = [VariationMeta(), VariationMeta(passthrough=value)]

    assert run(meta=meta, **SECOND).passthrough is expected


def test_variations_are_handed_out_as_they_are() -> None:
    """A variation may be any Python object, and the view gets that very one."""
    objects = [object(), {"a": [1]}, len]
    values = {id(run({"id": str(unit)}, variations=objects).value) for unit in range(50)}

    assert values == {id(value) for value in objects}


def test_an_experiment_without_variations_has_no_value() -> None:
    """A payload's experiment without variations gives None, with the index as key."""
    result = run(variations=[])

    assert (result.value, result.key, result.variation_id) == (None, "0", 0)


def test_a_result_cannot_be_changed() -> None:
    """Results are shared by a whole request, so nobody can write to one."""
    with pytest.raises(AttributeError):
        run().value = "other"  # type: ignore[misc]


def test_the_result_of_an_unknown_experiment() -> None:
    """A key that nothing knows is out of any experiment, and says so."""
    result = unknown_result()

    assert (result.in_experiment, result.value, result.reason) == (False, None, Reason.UNKNOWN)


def test_the_result_of_a_failed_evaluation() -> None:
    """A failure serves the control outside the experiment, and reads no attribute."""
    result = compiled().failed()

    assert (result.in_experiment, result.value, result.key) == (False, "control", "0")
    assert (result.hash_value, result.reason) == ("", Reason.ERROR)


def test_the_attribute_is_that_of_the_experiment() -> None:
    """The hash attribute is reported, never the one of a filter."""
    result = run({"id": "1", "company": "x"}, filters=[Filter("s", [(0, 1)], "company")])

    assert (result.hash_attribute, result.hash_value) == ("id", "1")
