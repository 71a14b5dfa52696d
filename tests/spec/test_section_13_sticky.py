"""Section 13: sticky bucketing."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.spec.cases import context, exact, experiment, feature, forced, holds, rows

Json = Any

META = [{"key": "control"}, {"key": "on"}]
FAILING = {"country": "XX"}


def rule(**fields: Json) -> dict[str, Json]:
    """Return a rule that has `user-1` in variation 1, which is `on`, if nothing is stored."""
    return experiment(**{"meta": META, **fields})


def doc(assignments: Json, name: str = "id", value: str = "user-1") -> dict[str, Json]:
    return {"attributeName": name, "attributeValue": value, "assignments": assignments}


STORED = [doc({"exp__0": "control"})]
STICKY = {
    "variationId": 0,
    "key": "control",
    "inExperiment": True,
    "hashUsed": True,
    "bucket": 0.331,
    "stickyBucketUsed": True,
}
FRESH = {**STICKY, "variationId": 1, "key": "on", "stickyBucketUsed": False}
FORCED = {**forced(1), "stickyBucketUsed": False}
DEVICE = {"hashAttribute": "id", "fallbackAttribute": "device"}


@pytest.mark.parametrize(
    ("fields", "given", "stored", "expected"),
    rows(
        ("found", {}, {}, STORED, STICKY),
        ("nothing stored", {}, {}, [], FRESH),
        ("13.1 disabled for the experiment", {"disableStickyBucketing": True}, {}, STORED, FRESH),
        ("the document of another user", {}, {}, [doc({"exp__0": "control"}, value="x")], FRESH),
        ("the document of another attribute", {}, {}, [doc({"exp__0": "control"}, "x")], FRESH),
        ("another experiment", {}, {}, [doc({"other__0": "control"})], FRESH),
        (
            "13.2 a number is its text",
            {},
            {"attributes": {"id": 42.0}},
            [doc({"exp__0": "on"}, value="42")],
            {**STICKY, "variationId": 1, "key": "on", "bucket": 0.082},
        ),
        (
            "13.2 true is its text",
            {},
            {"attributes": {"id": True}},
            [doc({"exp__0": "control"}, value="true")],
            {**STICKY, "bucket": 0.352},
        ),
        (
            "13.3.1 the fallback's document",
            DEVICE,
            {"attributes": {"id": "user-1", "device": "d1"}},
            [doc({"exp__0": "control"}, "device", "d1")],
            {**STICKY, "hashAttribute": "id", "hashValue": "user-1"},
        ),
        (
            "13.3.1 the primary document wins",
            DEVICE,
            {"attributes": {"id": "user-1", "device": "d1"}},
            [doc({"exp__0": "control"}), doc({"exp__0": "on"}, "device", "d1")],
            STICKY,
        ),
        (
            "13.3.1 the primary document has no such entry",
            DEVICE,
            {"attributes": {"id": "user-1", "device": "d1"}},
            [doc({"exp__1": "on"}), doc({"exp__0": "control"}, "device", "d1")],
            STICKY,
        ),
        (
            "13.3.1 only the fallback has a value",
            DEVICE,
            {"attributes": {"device": "user-1"}},
            [doc({"exp__0": "control"}, "device")],
            {**STICKY, "hashAttribute": "device", "hashValue": "user-1"},
        ),
        (
            "13.3.3 the current version",
            {"bucketVersion": 2},
            {},
            [doc({"exp__2": "control"})],
            STICKY,
        ),
        ("13.3.3 an unknown key", {}, {}, [doc({"exp__0": "gone"})], FRESH),
        (
            "13.3.3 no meta",
            {"meta": None},
            {},
            [doc({"exp__0": "0"})],
            {**FRESH, "key": "1"},
        ),
        (
            "13.3.3 the first such entry",
            {"variations": ["a", "b", "c"], "meta": [{}, {"key": "x"}, {"key": "x"}]},
            {},
            [doc({"exp__0": "x"})],
            {**STICKY, "variationId": 1, "key": "x"},
        ),
        (
            "13.3.2 the least version itself is not blocked",
            {"bucketVersion": 1, "minBucketVersion": 1},
            {},
            [doc({"exp__1": "control"})],
            STICKY,
        ),
        ("13.3.4 an older version", {"bucketVersion": 1}, {}, STORED, FRESH),
        ("13.3.4 a newer version", {}, {}, [doc({"exp__1": "control"})], FRESH),
        ("found: weights do not matter", {"weights": [0, 1]}, {}, STORED, STICKY),
        ("found: namespace does not matter", {"namespace": ["n", 0, 0]}, {}, STORED, STICKY),
        ("found: condition does not matter", {"condition": FAILING}, {}, STORED, STICKY),
        ("found: coverage does not matter", {"coverage": 0}, {}, STORED, STICKY),
        ("found: ranges do not matter", {"ranges": []}, {}, STORED, STICKY),
        (
            "found: query override",
            {},
            {"url": "/?exp=1"},
            STORED,
            FORCED,
        ),
        ("found: forced variation", {}, {"forcedVariations": {"exp": 1}}, STORED, FORCED),
    ),
)
def test_lookup(
    implementation: Any, fields: Json, given: Json, stored: Json, expected: dict[str, Json]
) -> None:
    """13.1 to 13.3: what is stored decides, where it counts."""
    result, _ = implementation.run_sticky(feature(rule(**fields), **given), stored, "f")
    assert holds(result, expected)


@pytest.mark.parametrize(
    ("fields", "given", "stored"),
    rows(
        ("13.3.2 an older version", {"bucketVersion": 1, "minBucketVersion": 1}, {}, STORED),
        (
            "13.3.2 also with the current one",
            {"bucketVersion": 1, "minBucketVersion": 1},
            {},
            [doc({"exp__0": "control", "exp__1": "on"})],
        ),
        (
            "13.3.2 any of them",
            {"bucketVersion": 9, "minBucketVersion": 5},
            {},
            [doc({"exp__3": "control"})],
        ),
        (
            "13.3.2 by the fallback's document",
            {**DEVICE, "bucketVersion": 1, "minBucketVersion": 1},
            {"attributes": {"id": "user-1", "device": "d1"}},
            [doc({"exp__0": "on"}, "device", "d1")],
        ),
        ("found: QA mode still counts", {}, {"qaMode": True}, STORED),
        ("found: an unknown version of the hash still counts", {"hashVersion": 3}, {}, STORED),
        ("found: filters of the rule still count", {"filters": "none"}, {}, STORED),
        ("found: disabled still counts", {}, {"enabled": False}, STORED),
    ),
)
def test_not_in(implementation: Any, fields: Json, given: Json, stored: Json) -> None:
    """13.3: blocked users, and such as other steps leave out, keep their documents."""
    payload = feature(rule(**fields), **given)
    result, after = implementation.run_sticky(payload, stored, "f")
    assert result is None
    assert all(each in stored for each in after.values())


@pytest.mark.parametrize(
    ("over", "expected"),
    rows(
        ("status draft", {"status": "draft"}, None),
        ("inactive", {"active": False}, None),
        ("stopped", {"status": "stopped"}, None),
        ("legacy url", {"url": "^/never$"}, None),
        ("URL patterns", {"urlPatterns": []}, None),
        ("force", {"force": 1}, FORCED),
        ("groups do not", {"groups": []}, STICKY),
    ),
)
def test_found_and_overrides(implementation: Any, over: Json, expected: Json) -> None:
    """13.3: what still counts for a user whose assignment was found."""
    payload = feature(rule(), overrides={"exp": over}, url="/here")
    result, after = implementation.run_sticky(payload, STORED, "f")
    assert result is None if expected is None else holds(result, expected)
    assert after == {"id||user-1": STORED[0]}


@pytest.mark.parametrize(
    ("fields", "given", "stored", "expected"),
    rows(
        ("a new document", {}, {}, [], {"id||user-1": doc({"exp__0": "on"})}),
        (
            "the index without meta",
            {"meta": None},
            {},
            [],
            {"id||user-1": doc({"exp__0": "1"})},
        ),
        (
            "merged into a document",
            {},
            {},
            [doc({"other__0": "x", "exp__1": "y"})],
            {"id||user-1": doc({"other__0": "x", "exp__1": "y", "exp__0": "on"})},
        ),
        (
            "a new version is a second entry",
            {"bucketVersion": 3},
            {},
            STORED,
            {"id||user-1": doc({"exp__0": "control", "exp__3": "on"})},
        ),
        (
            "the fallback where it supplied the value",
            {**DEVICE, "seed": "exp"},
            {"attributes": {"device": "user-1"}},
            [],
            {"device||user-1": doc({"exp__0": "on"}, "device")},
        ),
        (
            "upgrade (sticky-merge)",
            DEVICE,
            {"attributes": {"id": "user-1", "device": "d1"}},
            [doc({"exp__0": "control", "other__0": "x"}, "device", "d1")],
            {
                "device||d1": doc({"exp__0": "control", "other__0": "x"}, "device", "d1"),
                "id||user-1": doc({"exp__0": "control"}),
            },
        ),
        (
            "both documents (sticky-merge)",
            DEVICE,
            {"attributes": {"id": "user-1", "device": "d1"}},
            [doc({"exp__0": "control"}), doc({"exp__0": "on", "other__0": "x"}, "device", "d1")],
            {
                "id||user-1": doc({"exp__0": "control"}),
                "device||d1": doc({"exp__0": "on", "other__0": "x"}, "device", "d1"),
            },
        ),
        (
            "a number's text",
            {},
            {"attributes": {"id": 42.0}},
            [],
            {"id||42": doc({"exp__0": "control"}, value="42")},
        ),
        ("not when out", {"coverage": 0}, {}, [], {}),
        ("not when forced", {}, {"forcedVariations": {"exp": 1}}, [], {}),
        ("not when disabled", {"disableStickyBucketing": True}, {}, [], {}),
        (
            "an unknown key is written over",
            {},
            {},
            [doc({"exp__0": "gone"})],
            {"id||user-1": doc({"exp__0": "on"})},
        ),
    ),
)
def test_saving(
    implementation: Any, fields: Json, given: Json, stored: Json, expected: dict[str, Json]
) -> None:
    """13.4: the documents of the user after an evaluation; the stored ones are untouched."""
    before = deepcopy(stored)
    _, after = implementation.run_sticky(feature(rule(**fields), **given), stored, "f")
    assert exact(after) == exact(expected)
    assert stored == before


def test_seen_at_once(implementation: Any) -> None:
    """13.4: an evaluation in the same request sees what an earlier one saved."""
    parent = {"rules": [rule()]}
    later = rule(weights=[1, 0], parentConditions=[{"id": "p"}])
    payload = context(features={"p": parent, "f": {"rules": [later]}})

    result, after = implementation.run_sticky(payload, [], "f")

    assert holds(result, {**FRESH, "stickyBucketUsed": True})
    assert after == {"id||user-1": doc({"exp__0": "on"})}
