"""The library agrees with the oracle, over generated payloads and users.

Where the specification leaves a choice the oracle says so, and the example is left aside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.spec import adapter as library
from tests.spec import context_strategies as contexts
from tests.spec import oracle
from tests.spec import payload_strategies as payloads
from tests.spec import strategies as json
from tests.spec.cases import exact
from tests.spec.normal import normal
from tests.spec.strategies import FEATURES, steady

Json = Any

#: Functions come with the library one by one; names are looked up when a test runs.
adapter: Any = library


def agree_on(ask: Callable[[Any], Json]) -> None:
    """Assert that both implementations answer alike."""
    with oracle.watched() as choices:
        expected = ask(oracle)
    assume(not choices)
    assert exact(ask(adapter)) == exact(expected)


def agree(name: str, *arguments: Json, shown: Callable[[Json], Json] = lambda each: each) -> None:
    """Assert that a function of both gives the same."""
    agree_on(lambda by: shown(getattr(by, name)(*arguments)))


@steady
@given(json.CONDITION, json.ATTRIBUTE_VALUES, json.SAVED_GROUPS)
def test_conditions(condition: Json, attributes: Json, groups: Json) -> None:
    """6: a condition passes for the same attributes."""
    agree("eval_condition", condition, attributes, groups)


@steady
@given(json.VALUE_CONDITION, json.VALUE, json.SAVED_GROUPS)
def test_values(condition: Json, value: Json, groups: Json) -> None:
    """6.3 to 6.9: a value passes the same operators and literals."""
    agree("eval_condition", {"a": condition}, {"a": value}, groups)


VERSION_TEXT = st.text(st.sampled_from("019v.-+~a "), max_size=8)


@steady
@given(VERSION_TEXT | json.VALUE, VERSION_TEXT | json.VALUE)
def test_orders(left: Json, right: Json) -> None:
    """6.5, 6.6 and 6.9: two values have the same order, as values and as versions."""
    for name in ("$lt", "$lte", "$gt", "$gte", "$veq", "$vne", "$vlt", "$vlte", "$vgt", "$vgte"):
        agree("eval_condition", {"a": {name: right}}, {"a": left})


NUMERALS = st.text(st.sampled_from("01.e+-xob F\u00a0_Infity"), max_size=6)


@steady
@given(NUMERALS, st.sampled_from([0, 1, -1, 0.5, 10]))
def test_numerals(text: str, number: float) -> None:
    """6.9: the same texts are numbers."""
    for name in ("$lt", "$gte"):
        agree("eval_condition", {"a": {name: number}}, {"a": text})


PIECES = st.sampled_from(
    [
        *("a", "b", r"\d", r"\w", r"\s", r"\D", r"\b", ".", "$", "^", "*", "+", "?", "|", "{2}"),
        *(
            "(",
            "(?:",
            "(?=",
            "(?!",
            "(?<n>",
            ")",
            "[ab]",
            "[^a]",
            "[a-c]",
            "{1,}",
            r"\/",
            "/",
            r"\.",
        ),
    ]
)
SUBJECTS = [
    "",
    "a",
    "ab",
    "aab",
    "a/b",
    "A1",
    "\u00e9",
    "\U0001f98a",
    "a\n",
    "x\ny",
    "1 2",
    "\u0663",
]


@steady
@given(st.lists(PIECES, min_size=1, max_size=5).map("".join), st.sampled_from(SUBJECTS))
def test_patterns(pattern: str, subject: str) -> None:
    """6.8: patterns of the named constructs are found in the same texts."""
    for name in ("$regex", "$regexi", "$notRegex", "$notRegexi"):
        agree("eval_condition", {"a": {name: pattern}}, {"a": subject})


@steady
@given(
    st.text(max_size=8),
    st.text(max_size=8) | json.NUMBER | st.floats(allow_nan=False),
    st.integers(0, 3),
)
def test_hashes(seed: str, value: Json, version: int) -> None:
    """3: a value has the same hash."""
    assume(value not in {"", 0, float("inf"), float("-inf")})
    agree("hash", seed, value, version)


@steady
@given(
    st.integers(0, 4),
    payloads.COVERAGE | st.floats(-1, 2) | st.none(),
    payloads.WEIGHTS | st.lists(st.floats(-0.1, 1), max_size=4) | st.none(),
)
def test_bucket_ranges(n: int, coverage: Json, weights: Json) -> None:
    """4: the ranges are the same doubles."""
    agree("get_bucket_range", n, coverage, weights)
    agree("get_equal_weights", n)


@steady
@given(payloads.EDGES, payloads.RANGES)
def test_choices(bucket: float, ranges: Json) -> None:
    """4.3: a bucket is in the same range."""
    agree("choose_variation", bucket, ranges)


@steady
@given(st.sampled_from(["user-1", "user-2", "x", "\u00e9"]), payloads.NAMESPACE)
def test_namespaces(value: str, namespace: Json) -> None:
    """5.1: a user is in the same namespaces."""
    agree("in_namespace", value, namespace)


@steady
@given(payloads.EXPERIMENT, contexts.CONTEXT)
def test_runs(experiment: Json, context: Json) -> None:
    """8 and 9: an experiment has the same result."""
    agree("run", experiment, context, shown=normal)


def told(result: Json, context: Json) -> Json:
    """Return a feature's result; where overrides apply its definition is not told in the text."""
    result = normal(result)
    if result.get("experiment", {}).get("key") in context.get("overrides", {}):
        del result["experiment"]
    return result


@steady
@given(contexts.CONTEXT)
def test_features(context: Json) -> None:
    """7, 10, 11 and 15: every feature has the same result."""
    for key in [*FEATURES, "unknown"]:
        agree("eval_feature", key, context, shown=lambda each: told(each, context))


@steady
@given(contexts.CONTEXT, st.lists(payloads.BANDIT_RULE, min_size=1, max_size=2))
def test_bandits(context: Json, rules: Json) -> None:
    """14: a bandit reports the same leaf and weights."""
    context = {**context, "features": {**context["features"], "bandit": {"rules": rules}}}
    agree("contextual_bandit", "bandit", context, shown=lambda each: told(each, context))


def written(stored: list[Json]) -> Callable[[Json], Json]:
    """Return what shows the experiment result and the documents that were written."""
    before = {f"{each['attributeName']}||{each['attributeValue']}": each for each in stored}

    def shown(answer: Json) -> Json:
        result, after = answer
        return [normal(result), {k: v for k, v in after.items() if before.get(k) != v}]

    return shown


@steady
@given(
    contexts.STICKY_CONTEXT,
    contexts.DOCUMENTS,
    st.lists(contexts.STICKY_RULE, min_size=1, max_size=2),
)
def test_sticky_buckets(context: Json, documents: Json, rules: Json) -> None:
    """13: the same assignments are found, and the same documents written."""
    context = {**context, "features": {**context["features"], "sticky": {"rules": rules}}}
    for key in ["sticky", *FEATURES]:
        agree("run_sticky", context, documents, key, shown=written(documents))


@steady
@given(contexts.CONTEXT, payloads.EXPERIMENT)
def test_side_effects(context: Json, experiment: Json) -> None:
    """17: the same exposures in the same order, and the same features used."""

    def effects(by: Any) -> Json:
        evaluation = by.evaluate(context)
        usages = []
        for key in FEATURES:
            evaluation.feature(key)
            usages.append(sorted(evaluation.usages, key=lambda each: str(each["feature"])))
        evaluation.run(experiment)
        return [evaluation.exposures, usages]

    agree_on(effects)


@steady
@given(contexts.AUTO_CONTEXT)
def test_redirects(context: Json) -> None:
    """16: the same redirects; beside them there may be exposures of prerequisites."""
    names = ("inExperiment", "urlRedirect", "urlWithParams")
    agree(
        "url_redirect",
        context,
        shown=lambda entries: [
            [entry.get(name) or None for name in names]
            for entry in entries
            if entry.get("urlRedirect")
        ],
    )


PARTS = [
    ["", "http://", "https://", "HTTP://", "//"],
    ["", "x.com", "X.com:80", "x.com:8080", "www.x.com", "*.com", "x.*", "localhost"],
    [
        "",
        "/",
        "/a",
        "/a/",
        "/A/b",
        "/a/*",
        "/*",
        "/a/./b",
        "/b/../a",
        "/caf\u00e9",
        "/a.b",
        "a",
        "/%61",
    ],
    ["", "", "?", "?a=1", "?a=*", "?b=2&a=1", "?a=+%20", "?a"],
    ["", "", "", "#f", "#*", "#"],
]
PLACE = st.tuples(*map(st.sampled_from, PARTS)).map("".join)
PLACE_TARGET = st.fixed_dictionaries(
    {"type": st.just("simple"), "pattern": PLACE, "include": st.booleans()}
)


@steady
@given(PLACE | st.sampled_from(payloads.URLS), st.lists(PLACE_TARGET | payloads.TARGET, max_size=3))
def test_targets(url: str, targets: Json) -> None:
    """12.1: the same URLs are targeted."""
    agree("is_url_targeted", url, targets)


QUERY = st.lists(
    st.sampled_from(
        ["exp=0", "exp=1", "exp=01", "exp", "exp=", "exp=%31", "exp=1a", "%65xp=1", "a=1", ""]
    ),
    max_size=3,
).map("&".join)


@steady
@given(
    st.sampled_from(["", "/", "http://x.com", "http://x.com/#"]),
    QUERY,
    st.sampled_from(["", "#exp=1"]),
)
def test_query_overrides(place: str, query: str, fragment: str) -> None:
    """12.3: the same variation is asked for."""
    agree("query_override", "exp", f"{place}?{query}{fragment}", 2)


@steady
@given(
    st.text(st.sampled_from("ABab01+/=.!"), max_size=60),
    st.text(st.sampled_from("Aa0="), max_size=26),
)
def test_decryption(encrypted: str, key: str) -> None:
    """18.4: what is malformed fails."""
    agree("decrypt", encrypted, key)
