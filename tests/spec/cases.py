"""What the tables of the section tests are made of.

The user `user-1` has, with the seed `exp`, the bucket 0.331 in version 1 and 0.3004 in version 2
(21.3); with the weights of `experiment` that is variation 1.
"""

from __future__ import annotations

from typing import Any

import pytest

Json = Any


def rows(*cases: tuple[Any, ...]) -> list[Any]:
    """Return cases for `parametrize`: the sentence that comes first is the id."""
    return [pytest.param(*case[1:], id=case[0]) for case in cases]


def exact(value: Json) -> Json:
    """Return a value in a form in which `1` is `1.0`, but `true` is not `1`."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, list | tuple):
        return [exact(each) for each in value]
    if isinstance(value, dict):
        return {name: exact(each) for name, each in value.items()}
    return value


def holds(result: Json, expected: dict[str, Json]) -> bool:
    """Tell whether a result has these fields; null stands for a field that may be absent."""
    picked = {name: result.get(name) for name in expected}
    assert exact(picked) == exact(expected)
    return True


def experiment(**fields: Json) -> dict[str, Json]:
    """Return an experiment that has `user-1` in its variation 1."""
    return {"key": "exp", "variations": ["a", "b"], "weights": [0.3, 0.7], **fields}


def context(**fields: Json) -> dict[str, Json]:
    """Return the context of `user-1`."""
    return {"attributes": {"id": "user-1"}, **fields}


def feature(*rules: Json, **fields: Json) -> dict[str, Json]:
    """Return a context whose feature `f` has these rules, and the default `default`."""
    return context(features={"f": {"defaultValue": "default", "rules": [*rules]}}, **fields)


#: 8.3: the outcomes of `experiment`.
ENROLLED = {"inExperiment": True, "hashUsed": True, "variationId": 1, "value": "b"}
OUT = {
    "inExperiment": False,
    "hashUsed": False,
    "variationId": 0,
    "value": "a",
    "bucket": None,
    "stickyBucketUsed": False,
}


def forced(index: int) -> dict[str, Json]:
    """Return the outcome of a query override, a forced variation or `force` (8.3)."""
    told = {"inExperiment": True, "hashUsed": False, "variationId": index, "value": "ab"[index]}
    return {**told, "bucket": None}
