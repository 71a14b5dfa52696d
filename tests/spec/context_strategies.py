"""Contexts, sticky documents and auto experiments for the property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.spec.payload_strategies import (
    BANDIT,
    EXPERIMENT_FIELDS,
    FEATURE,
    RULE_EXTRAS,
    SHARED,
    STICKY_FIELDS,
    TARGETS,
    URLS,
    nullable,
)
from tests.spec.strategies import (
    ATTRIBUTE_FIELDS,
    ATTRIBUTE_VALUES,
    EXPERIMENTS,
    FEATURES,
    SAVED_GROUPS,
    SCALAR,
    Json,
    Strategy,
    mostly,
    some,
    together,
)

# Sections 2, 13 and 16: contexts, documents, auto experiments.

USER_FIELDS: dict[str, Strategy] = {
    "forcedVariations": some(
        dict.fromkeys([*EXPERIMENTS, "auto"], st.sampled_from([0, 1, 2, -1, "1"])), 2
    ),
    "forcedFeatureValues": some(dict.fromkeys(FEATURES, SCALAR), 1),
    "url": st.sampled_from(URLS),
    "enabled": st.sampled_from([True, True, None, False]),
    "qaMode": st.sampled_from([False, False, True]),
    "overrides": some(
        dict.fromkeys(
            EXPERIMENTS,
            some({name: each for name, each in EXPERIMENT_FIELDS.items() if name != "unknown"}, 2),
        ),
        1,
    ),
    "groups": some({"a": st.booleans(), "b": st.booleans()}),
    "globalAttributes": some(ATTRIBUTE_FIELDS),
    "attributeOverrides": some(ATTRIBUTE_FIELDS, 1),
}
CONTEXT = together(
    st.fixed_dictionaries(
        {
            "attributes": ATTRIBUTE_VALUES,
            "features": st.fixed_dictionaries(dict.fromkeys(FEATURES, FEATURE)),
            "savedGroups": SAVED_GROUPS,
            "contextualBandits": st.fixed_dictionaries({"cb": BANDIT}, optional={"cb2": BANDIT}),
        }
    ),
    some(USER_FIELDS, 2),
)


def document(name: str, value: str, assignments: Json) -> dict[str, Json]:
    """Return a sticky document."""
    return {"attributeName": name, "attributeValue": value, "assignments": assignments}


STICKY_RULE = together(
    st.just({"key": "exp", "variations": ["a", "b"], "meta": [{"key": "a"}, {"key": "b"}]}),
    some({**STICKY_FIELDS, **{name: SHARED[name] for name in ("coverage", "condition", "ranges")}}),
    mostly(st.just({}), some(nullable({**SHARED, **RULE_EXTRAS}))),
)
ASSIGNED = st.sampled_from(["a", "b", "b", "on", "0", "1"])
ASSIGNMENTS = together(
    some({"exp__0": ASSIGNED, "exp__1": ASSIGNED}),
    some({f"{key}__{version}": ASSIGNED for key in EXPERIMENTS for version in range(3)}, 2),
)
DOCUMENTS = st.lists(
    st.builds(
        document,
        mostly(st.just("id"), st.sampled_from(["user", "country"])),
        mostly(st.sampled_from(["user-1", "user-1", "42"]), st.just("NL")),
        ASSIGNMENTS,
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda each: (each["attributeName"], each["attributeValue"]),
)
STICKY_CONTEXT = together(
    CONTEXT,
    mostly(
        st.fixed_dictionaries({"user": st.just("user-1"), "country": st.just("NL")}).map(
            lambda each: {"attributes": {"id": "user-1", **each}}
        ),
        st.just({}),
    ),
)
PLACES = [
    *("http://x.com/new", "http://x.com/2", "http://x.com/new?a=9"),
    *("http://x.com/home?z=1", "https://y.com/new?a=1#f", "/new"),
]
REDIRECT = st.fixed_dictionaries({"urlRedirect": st.sampled_from(PLACES)})
AUTO_VARIATIONS = mostly(
    st.lists(REDIRECT, min_size=2, max_size=3) | REDIRECT.map(lambda each: [{}, each]),
    st.sampled_from([[{}, {}], [{}], ["a", {"urlRedirect": 1}], [{}, {"urlRedirect": ""}]]),
)
HOME = st.sampled_from(["/home", "x.com/home", "*"]).map(
    lambda each: [{"type": "simple", "pattern": each}]
)
AT_HOME = st.sampled_from(
    ["http://x.com/home", "http://x.com/home/?auto=1&a=2", "http://x.com/home#f"]
)
#: Keys that no feature's experiment has: what is tracked already is not reported again (17.2).
AUTO = together(
    st.fixed_dictionaries({"key": st.sampled_from(["auto", "next", "last"])}),
    st.fixed_dictionaries(
        {"variations": AUTO_VARIATIONS, "urlPatterns": mostly(HOME | TARGETS, st.none())}
    ),
    some(
        {
            name: each
            for name, each in EXPERIMENT_FIELDS.items()
            if name not in {"urlPatterns", "force", "active", "groups", "unknown"}
        }
        | {"persistQueryString": st.booleans(), "manual": st.booleans()},
        2,
    ),
)
AUTO_CONTEXT = together(
    CONTEXT,
    st.fixed_dictionaries(
        {
            "experiments": st.lists(
                AUTO, min_size=1, max_size=3, unique_by=lambda each: str(each["key"])
            ),
            "url": mostly(AT_HOME, st.sampled_from(URLS)),
        }
    ),
)
