"""Experiments, features and bandits for the property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.spec.strategies import (
    EXPERIMENTS,
    FEATURES,
    NUMBER,
    SCALAR,
    TARGETING,
    TEXT,
    Strategy,
    mostly,
    some,
    together,
)

# Sections 4, 5 and 8: buckets and experiments.

EDGES = st.sampled_from([0, 0.1, 0.3, 0.331, 0.5, 0.6, 0.9, 1])
RANGE = mostly(
    st.tuples(EDGES, EDGES).map(lambda pair: sorted(pair)),
    st.sampled_from([[0.5, 0.1], [0], "all", [0, "1"], [-1, 2]]),
)
RANGES = st.lists(RANGE, max_size=2)
WEIGHTS = mostly(
    st.sampled_from([[0.3, 0.7], [0.5, 0.5], [1, 0], [0, 1], [0.33, 0.33, 0.34], [0.2, 0.3, 0.5]]),
    st.lists(NUMBER | TEXT, max_size=4),
)
COVERAGE = st.sampled_from([0, 0.331, 0.5, 0.9, 1, 1, 1, 2, -1])
VERSION = mostly(st.sampled_from([1, 2]), st.sampled_from([3, "2", -1, 1.5]))
HASH_ATTRIBUTE = mostly(
    st.sampled_from(["id", "user"]), st.sampled_from(["", "age", "tags", "none"])
)
NAMESPACE = mostly(
    st.tuples(st.sampled_from(["n", "m"]), EDGES, EDGES).map(list),
    st.sampled_from(["n", [], ["n"], ["n", 0, "1"], {}]),
)
FILTER = mostly(
    st.fixed_dictionaries(
        {"seed": st.sampled_from(["exp", "other"]), "ranges": RANGES},
        optional={"hashVersion": mostly(VERSION, st.just(0)), "attribute": HASH_ATTRIBUTE},
    ),
    SCALAR,
)
FILTERS = mostly(st.lists(FILTER, max_size=2), st.sampled_from(["all", 1, {}]))
META_ENTRY = mostly(
    some(
        {
            "key": st.sampled_from(["a", "b", "", "on"]),
            "name": st.sampled_from(["A", ""]),
            "passthrough": st.booleans(),
        }
    ),
    st.none() | st.just("a"),
)
META = mostly(
    st.lists(META_ENTRY, max_size=2)
    | st.just([{"key": "a"}, {"key": "b"}])
    | st.just([{"key": "a"}, {"key": "b", "passthrough": True}]),
    st.sampled_from(["a", {}, 1]),
)
PARENT = st.fixed_dictionaries(
    {"id": st.sampled_from([*FEATURES, "unknown"])},
    optional={
        "condition": mostly(
            st.sampled_from(
                [
                    *(
                        {"value": "x"},
                        {"value": "a"},
                        {"value": {"$ne": "a"}},
                        {"value": {"$exists": True}},
                    ),
                    *({"value": None}, {"value": {"$inGroup": "list"}}, {"value.x": 1}),
                ]
            ),
            TARGETING,
        ),
        "gate": st.booleans(),
    },
)
PARENTS = st.lists(PARENT, min_size=1, max_size=2)
VARIATIONS = mostly(
    st.sampled_from([["a", "b"], [0, 1], [False, True], [None, {"x": 1}], ["a", "b", "c"]]),
    st.sampled_from([[], ["a"], "ab", 1]),
)
STICKY_FIELDS: dict[str, Strategy] = {
    "fallbackAttribute": st.sampled_from(["id", "user", "country"]),
    "disableStickyBucketing": st.booleans(),
    "bucketVersion": st.integers(0, 2),
    "minBucketVersion": st.integers(0, 2),
}
#: What rules and experiments have in common; null is as good as absent.
SHARED: dict[str, Strategy] = {
    "coverage": COVERAGE,
    "weights": WEIGHTS,
    "ranges": RANGES,
    "seed": st.sampled_from(["exp", "", "s\u00ebed"]),
    "hashVersion": VERSION,
    "hashAttribute": HASH_ATTRIBUTE,
    "namespace": NAMESPACE,
    "filters": FILTERS,
    "condition": TARGETING,
    "meta": META,
    "name": st.sampled_from(["Name", ""]),
    "phase": st.sampled_from(["0", "1"]),
    **STICKY_FIELDS,
}

URLS = [
    *("", "/", "/home", "http://x.com/home", "http://x.com/home?exp=1", "/home?exp=0#top"),
    *("https://x.com/shop/cart?a=1&b=2", "http://X.com:80/Home/?other=1&exp=%30", "?f=1&f=0"),
    *("http://x.com/home?exp=1abc", "http://x.com/a/../home", "http://x.com/caf\u00e9?a=+b%20c"),
    *("http://x.com/#/home?exp=1", "http://", "https://x.com/home?a=2&a=3&exp=9"),
]
SIMPLE = [
    "/home",
    "/home/",
    "*",
    "/*",
    "x.com/*",
    "https://x.com/home",
    "/shop/c*?a=1",
    "*.com/home",
]
REGEX = ["home", "^/home$", "^https?://x", "exp=[01]", "(", "/", r"^\/home", "caf%C3%A9"]
TARGET = st.one_of(
    *(
        st.fixed_dictionaries(
            {"type": st.just(kind), "pattern": st.sampled_from(patterns)},
            optional={"include": st.sampled_from([True, True, False, None])},
        )
        for kind, patterns in [("simple", SIMPLE), ("regex", REGEX), ("glob", SIMPLE)]
    )
)
TARGETS = st.lists(TARGET, max_size=3)

EXPERIMENT_FIELDS: dict[str, Strategy] = {
    **SHARED,
    "active": st.sampled_from([True, False, None]),
    "status": st.sampled_from(["running", "draft", "stopped", "x"]),
    "force": st.sampled_from([0, 1, 2, -1, 0.5, "1"]),
    "urlPatterns": TARGETS,
    "url": st.sampled_from(REGEX),
    "groups": st.lists(st.sampled_from(["a", "b"]), max_size=2),
    "parentConditions": PARENTS,
    "unknown": SCALAR,
}


def nullable(fields: dict[str, Strategy]) -> dict[str, Strategy]:
    """Let each field be null now and then, but for `force`."""
    return {
        name: each if name == "force" else mostly(each, st.none()) for name, each in fields.items()
    }


KEY = st.fixed_dictionaries({"key": st.sampled_from(EXPERIMENTS)})
EXPERIMENT = together(
    KEY, st.fixed_dictionaries({"variations": VARIATIONS}), some(nullable(EXPERIMENT_FIELDS))
)

# Sections 7, 10, 11 and 14: features.

RULE_EXTRAS: dict[str, Strategy] = {
    "id": st.sampled_from(["r1", "r2"]),
    "parentConditions": PARENTS,
    "type": SCALAR,
    "active": st.just(False),
    "urlPatterns": st.just([]),
}
TRACK = st.builds(
    lambda key, index, value: {
        "experiment": {"key": key},
        "result": {
            "variationId": index,
            "key": str(index),
            "hashAttribute": "id",
            "hashValue": value,
            "inExperiment": True,
            "hashUsed": True,
            "value": index,
        },
    },
    st.sampled_from(EXPERIMENTS),
    st.integers(0, 1),
    st.sampled_from(["user-1", "user-2"]),
)
FORCE_RULE = together(
    st.fixed_dictionaries({"force": SCALAR | st.just(["a"])}),
    some(
        nullable({**SHARED, **RULE_EXTRAS, "range": RANGE, "tracks": st.lists(TRACK, max_size=2)})
    ),
)
EXPERIMENT_RULE = together(
    mostly(KEY, st.just({})),
    st.fixed_dictionaries({"variations": VARIATIONS}),
    some(nullable({**SHARED, **RULE_EXTRAS})),
)
BANDIT_RULE = together(
    KEY,
    st.fixed_dictionaries(
        {
            "contextualVariations": st.just(["a", "b"]),
            "contextualBanditRef": mostly(st.just("cb"), st.sampled_from(["cb2", "unknown"])),
        }
    ),
    some(
        {
            name: each
            for name, each in {**SHARED, **RULE_EXTRAS}.items()
            if name not in {"ranges", "weights"}
        }
        | {"weights": st.sampled_from([[0.3, 0.7], [0.5, 0.5]])}
    ),
)
RULE = mostly(FORCE_RULE | EXPERIMENT_RULE | BANDIT_RULE | some(RULE_EXTRAS), st.none() | SCALAR)
FEATURE = mostly(
    together(
        some({"defaultValue": SCALAR | st.just("a")}),
        st.fixed_dictionaries({"rules": st.lists(RULE, max_size=3)}),
    ),
    st.sampled_from([{}, 1, None, "f", {"rules": None}, {"rules": "x", "defaultValue": 1}]),
)
LEAF = st.fixed_dictionaries(
    {
        "leafId": st.integers(0, 3),
        "condition": TARGETING,
        "weights": st.sampled_from([[0.3, 0.7], [0.9, 0.1], [0, 1]]),
    }
)
BANDIT = mostly(
    st.fixed_dictionaries(
        {"contexts": st.lists(LEAF, max_size=3)}, optional={"banditVersion": st.integers(0, 2)}
    ),
    st.just({}),
)
