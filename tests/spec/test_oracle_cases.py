"""The oracle against GrowthBook's public cases, every row of every group."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.spec import oracle
from tests.spec.normal import normal

Json = Any

CASES: dict[str, list[Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "growthbook_cases.json").read_text()
)


def rounded(values: Json) -> Json:
    return [rounded(each) for each in values] if isinstance(values, list) else round(values, 8)


def told_of_run(name: str, context: Json, experiment: Json) -> list[Json]:
    result = oracle.run(experiment, context)
    return [result["value"], result["inExperiment"], result["hashUsed"]]


#: For each group: what answers the first columns of a row, and how many columns are expected.
GROUPS: dict[str, tuple[Callable[..., Json], int]] = {
    "hash": (oracle.hash, 1),
    "getBucketRange": (lambda name, given: rounded(oracle.get_bucket_range(*given)), 1),
    "chooseVariation": (lambda name, n, ranges: oracle.choose_variation(n, ranges), 1),
    "getQueryStringOverride": (lambda name, *given: oracle.query_override(*given), 1),
    "inNamespace": (lambda name, *given: oracle.in_namespace(*given), 1),
    "getEqualWeights": (lambda n: rounded(oracle.get_equal_weights(n)), 1),
    "decrypt": (lambda name, *given: oracle.decrypt(*given), 1),
    "run": (told_of_run, 3),
    "feature": (lambda name, context, key: normal(oracle.eval_feature(key, context)), 1),
    "stickyBucket": (lambda name, c, docs, key: list(oracle.run_sticky(c, docs, key)), 2),
    "urlRedirect": (lambda name, context: oracle.url_redirect(context), 1),
}


def rows() -> list[Any]:
    found = []
    for group, (answer, width) in GROUPS.items():
        for index, row in enumerate(CASES[group]):
            expected: Json = row[-width:] if width > 1 else row[-1]
            case_id = f"{group}-{index}-{row[0]}"
            found.append(pytest.param(group, answer, row[:-width], expected, id=case_id))
    return found


def condition_rows() -> list[Any]:
    return [
        pytest.param(*row[1:], *[None] * (5 - len(row)), id=f"{index}-{row[0]}")
        for index, row in enumerate(CASES["evalCondition"])
    ]


def test_every_group_is_here() -> None:
    """No group of the cases is left out."""
    assert {*GROUPS, "evalCondition", "specVersion"} == CASES.keys()


@pytest.mark.parametrize(("group", "answer", "given", "expected"), rows())
def test_row(group: str, answer: Callable[..., Json], given: list[Json], expected: Json) -> None:
    """The oracle gives what the row of the public cases expects."""
    if group in {"getBucketRange", "getEqualWeights"}:
        expected = rounded(expected)
    if group == "feature":
        expected = normal(expected)
    assert answer(*given) == expected


@pytest.mark.parametrize(("condition", "attributes", "expected", "groups"), condition_rows())
def test_condition(condition: Json, attributes: Json, expected: bool, groups: Json) -> None:
    """The oracle passes and fails the conditions that the public cases do."""
    assert oracle.eval_condition(condition, attributes, groups) is expected
