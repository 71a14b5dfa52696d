"""Mistakes in features, rules and the newer fields raise where they are written down."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abmiddleware import (
    DefinitionError,
    Engine,
    Experiment,
    Feature,
    Filter,
    MemorySink,
    Prerequisite,
    Rule,
    UrlPattern,
)
from tests.evaluation.strategies import thorough
from tests.evaluation.support import mistake
from tests.evaluation.test_growthbook import (
    ENTRIES,
    EXPERIMENT_FIELDS,
    JSON,
    RULE_FIELDS,
    read_or_refused,
)

TEXT = "must be a string"
TRUTH = "must be True or False"
LIST = "must be a list"
SHARE = "must be a number from 0 to 1"
COUNT = "must be 0 or more"
ATTRIBUTE = "must be the name of an attribute such as 'id'"
VERSION = "must be 1 or 2"
LETTERS = "must be 1 to 64 characters of A-Z a-z 0-9 _ . and -"
GOOD: Any = Rule(force=1)


def refused(**fields: Any) -> tuple[str, str]:
    """Return where building a feature raises, and what it says."""
    with pytest.raises(DefinitionError) as caught:
        Feature(**{"key": "flag", **fields})
    return caught.value.path, caught.value.problem


def refused_rule(**fields: Any) -> tuple[str, str]:
    """Return the same for a rule that stands behind a good one."""
    return refused(rules=[GOOD, Rule(**fields)])


@pytest.mark.parametrize(
    "key", ["", " flag", "\tflag", "x" * 257, None, 5, ["a"], b"a"], ids=lambda key: repr(key)[:20]
)
def test_a_features_key_is_a_short_text(key: object) -> None:
    """A feature has any text for a key, but not an empty or an endless one."""
    path, problem = refused(key=key)

    assert path == "key"
    assert problem.endswith("must be 1 to 256 characters, the first no space")


@pytest.mark.parametrize("key", ["a", "new menu", "\u00e9t\u00e9", "a/b:c", "x" * 256, "a\nb"])
def test_any_other_key_is_fine(key: str) -> None:
    """GrowthBook's keys may hold what an experiment's may not."""
    feature = Feature(key, 1, rules=[Rule(force=2)])

    assert Engine([feature], sink=MemorySink()).client().value(key, 0) == 2


@pytest.mark.parametrize(
    ("rules", "path", "problem"),
    [
        pytest.param(None, "flag.rules", f"is None, {LIST}", id="none"),
        pytest.param("ab", "flag.rules", f"is 'ab', {LIST}", id="text"),
        pytest.param({}, "flag.rules", f"is {{}}, {LIST}", id="object"),
        pytest.param(
            [GOOD, {"force": 1}],
            "flag.rules[1]",
            "is {'force': 1}, must be a Rule",
            id="json",
        ),
        pytest.param([None], "flag.rules[0]", "is None, must be a Rule", id="none-among-them"),
    ],
)
def test_rules_are_a_list_of_rules(rules: Any, path: str, problem: str) -> None:
    """What is no rule is refused, with its index."""
    assert refused(rules=rules) == (path, problem)


def test_one_rule_is_no_list() -> None:
    """A rule that is given without its list is refused, and shown short."""
    path, problem = refused(rules=GOOD)

    assert path == "flag.rules"
    assert problem.endswith(LIST)
    assert len(problem) < 120


def test_a_rule_gives_something() -> None:
    """A rule that neither forces a value, nor runs an experiment, nor asks a feature is none."""
    must = "has neither force nor variations, must have one of them"

    assert refused_rule(condition={"a": 1}) == ("flag.rules[1]", must)
    assert Feature("flag", rules=[Rule(prerequisites=[Prerequisite("a", gate=True)])]).rules


@pytest.mark.parametrize("name", ["variations", "contextual_variations"])
def test_a_rule_does_not_do_both(name: str) -> None:
    """Beside a forced value an experiment would be ignored in silence."""
    path, problem = refused_rule(force=1, **{name: [1, 2]})

    assert path == f"flag.rules[1].{name}"
    assert problem == "are ignored beside force, must be left out"


@pytest.mark.parametrize(
    ("rule", "field", "problem"),
    [
        ({"force": 1, "namespace": ("n", 0, 0.001)}, "namespace", "is ignored beside force"),
        ({"force": 1, "ranges": [(0, 0.001)]}, "ranges", "is ignored beside force"),
        ({"force": 1, "weights": [0.1, 0.9]}, "weights", "is ignored beside force"),
        ({"force": 1, "range": (0, 1), "coverage": 0.0}, "coverage", "is replaced by range"),
        ({"variations": [1, 2], "range": (0, 0)}, "range", "is ignored beside variations"),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)
def test_a_rule_has_no_limit_that_does_not_count(
    rule: dict[str, Any], field: str, problem: str
) -> None:
    """Else a share of a thousandth would be everybody."""
    place, told = refused_rule(**rule)

    assert place == f"flag.rules[1].{field}"
    assert told.startswith(f"{problem}, must be left out")


@pytest.mark.parametrize(
    ("fields", "path", "problem"),
    [
        ({"filters": [Filter("s")]}, "exp.filters[0].ranges", "is empty and so admits nobody"),
        ({"url_patterns": []}, "exp.url_patterns", "is empty and so matches no page"),
    ],
    ids=["filter", "url-patterns"],
)
def test_nobody_is_kept_out_by_an_empty_list(
    fields: dict[str, Any], path: str, problem: str
) -> None:
    error = mistake(**fields)

    assert error.path == path
    assert error.problem.startswith(problem)


@pytest.mark.parametrize(
    ("field", "value", "place", "problem"),
    [
        ("id", 5, "", f"is 5, {TEXT}"),
        ("id", None, "", f"is None, {TEXT}"),
        ("coverage", 1.5, "", f"is 1.5, {SHARE}"),
        ("coverage", "1", "", f"is '1', {SHARE}"),
        ("coverage", True, "", f"is True, {SHARE}"),
        ("range", 0.5, "", "is 0.5, must be (start, end)"),
        ("range", (0, 0.5, 1), "", "is (0, 0.5, 1), must be (start, end)"),
        ("range", (0.5, 0), "", "starts at 0.5 behind its end 0, must be (0, 0.5)"),
        ("range", (0, 2), "", f"is 2, {SHARE}"),
        ("hash_attribute", "", "", f"is '', {ATTRIBUTE}"),
        ("hash_attribute", None, "", f"is None, {ATTRIBUTE}"),
        ("hash_version", 3, "", f"is 3, {VERSION}"),
        ("hash_version", True, "", f"is True, {VERSION}"),
        ("seed", 5, "", f"is 5, {TEXT}"),
        ("filters", 5, "", f"is 5, {LIST}"),
        ("filters", [5], "[0]", "is 5, must be a Filter"),
        ("prerequisites", 5, "", f"is 5, {LIST}"),
        ("prerequisites", ["a"], "[0]", "is 'a', must be a Prerequisite"),
        ("prerequisites", [Prerequisite("")], "[0].feature", "is '', must be a feature's key"),
        ("fallback_attribute", 5, "", f"is 5, {TEXT}"),
        ("disable_sticky_bucketing", 1, "", f"is 1, {TRUTH}"),
    ],
    ids=lambda cell: repr(cell)[:40],
)
def test_a_forcing_rules_fields_are_checked(
    field: str, value: Any, place: str, problem: str
) -> None:
    """Every field that a forced value looks at is refused with the rule's index."""
    assert refused_rule(force=1, **{field: value}) == (f"flag.rules[1].{field}{place}", problem)


@pytest.mark.parametrize(
    ("field", "value", "place", "problem"),
    [
        ("variations", "ab", "", "is 'ab', must be a list of values"),
        ("variations", [1], "", "has 1, must have at least two: a control and a treatment"),
        ("key", "a b", "", f"is 'a b', {LETTERS}"),
        ("key", 5, "", f"is 5, {LETTERS}"),
        ("key", ["a"], "", f"is ['a'], {LETTERS}"),
        ("weights", [1, 1], "", "sum to 2, must sum to 1"),
        ("coverage", 1.5, "", f"is 1.5, {SHARE}"),
        ("ranges", [(0, 1)], "", "has 1 entries for 2 variations, must have one for each"),
        ("namespace", ("n", 0), "", "is ('n', 0), must be (id, start, end)"),
        ("meta", [5, 6], "[0]", "is 5, must be a VariationMeta"),
        ("hash_attribute", 5, "", f"is 5, {ATTRIBUTE}"),
        ("fallback_attribute", None, "", f"is None, {TEXT}"),
        ("hash_version", 2.0, "", f"is 2.0, {VERSION}"),
        ("seed", None, "", f"is None, {TEXT}"),
        ("name", 5, "", f"is 5, {TEXT}"),
        ("phase", -1, "", f"is -1, {COUNT}"),
        ("disable_sticky_bucketing", None, "", f"is None, {TRUTH}"),
        ("bucket_version", "1", "", f"is '1', {COUNT}"),
        ("min_bucket_version", -1, "", f"is -1, {COUNT}"),
        ("filters", "a", "", f"is 'a', {LIST}"),
        ("prerequisites", {}, "", f"is {{}}, {LIST}"),
        ("id", 5, "", f"is 5, {TEXT}"),
    ],
    ids=lambda cell: repr(cell)[:40],
)
def test_an_experiment_rules_fields_are_checked(
    field: str, value: Any, place: str, problem: str
) -> None:
    """The experiment of a rule is checked as any other, and the rule is the place."""
    fields = {"variations": [1, 2], field: value}

    assert refused_rule(**fields) == (f"flag.rules[1].{field}{place}", problem)


def test_a_features_key_may_not_do_for_its_experiment() -> None:
    """A rule's experiment has the feature's key, unless it is one that no experiment can have."""
    path, problem = refused(key="new menu", rules=[Rule(variations=[1, 2])])

    assert (path, problem) == ("new menu.rules[0].key", f"is 'new menu', {LETTERS}")
    assert Feature("new menu", rules=[Rule(key="menu", variations=[1, 2])]).rules


@pytest.mark.parametrize(
    "fields", [{"force": 1}, {"variations": [1, 2]}], ids=["force", "variations"]
)
@pytest.mark.parametrize(
    ("condition", "place"),
    [
        pytest.param(5, "condition", id="number"),
        pytest.param({"a": {"$unknown": 1}}, "condition.a", id="operator"),
        pytest.param({"a": {"$regex": "("}}, "condition.a", id="regex"),
        pytest.param({"$or": 5}, "condition.$or", id="or"),
    ],
)
def test_a_rules_condition_is_checked(fields: Any, condition: Any, place: str) -> None:
    """A condition that could include nobody by mistake is refused with its place."""
    path, problem = refused_rule(condition=condition, **fields)

    assert path.startswith(f"flag.rules[1].{place}")
    assert problem


@pytest.mark.parametrize("owner", ["rule", "experiment"])
def test_a_prerequisites_condition_is_checked(owner: str) -> None:
    """So is that of a prerequisite."""
    wrong = [Prerequisite("parent", {"value": {"$unknown": 1}})]
    if owner == "rule":
        path, _ = refused_rule(force=1, prerequisites=wrong)
        assert path.startswith("flag.rules[1].prerequisites[0]")
    else:
        assert mistake(prerequisites=wrong).path.startswith("exp.prerequisites[0]")


@pytest.mark.parametrize(
    ("field", "value", "place", "problem"),
    [
        ("prerequisites", 5, "", f"is 5, {LIST}"),
        ("prerequisites", ["a"], "[0]", "is 'a', must be a Prerequisite"),
        ("prerequisites", [Prerequisite(5)], "[0].feature", "is 5, must be a feature's key"),  # type: ignore[arg-type]
        ("prerequisites", [Prerequisite("a", gate=1)], "[0].gate", f"is 1, {TRUTH}"),  # type: ignore[arg-type]
        ("url_patterns", "/a", "", f"is '/a', {LIST}"),
        ("url_patterns", ["/a"], "[0]", "is '/a', must be a UrlPattern"),
        ("url_patterns", [UrlPattern(5)], "[0].pattern", f"is 5, {TEXT}"),  # type: ignore[arg-type]
        (
            "url_patterns",
            [UrlPattern("/a", "glob")],  # type: ignore[arg-type]
            "[0].type",
            "is 'glob', must be one of simple, regex",
        ),
        ("url_patterns", [UrlPattern("/a", include=0)], "[0].include", f"is 0, {TRUTH}"),  # type: ignore[arg-type]
        ("status", "on", "", "is 'on', must be one of draft, running, stopped"),
        ("status", None, "", "is None, must be one of draft, running, stopped"),
        ("fallback_attribute", 5, "", f"is 5, {TEXT}"),
        ("disable_sticky_bucketing", 0, "", f"is 0, {TRUTH}"),
        ("bucket_version", -1, "", f"is -1, {COUNT}"),
        ("bucket_version", True, "", f"is True, {COUNT}"),
        ("min_bucket_version", 1.0, "", f"is 1.0, {COUNT}"),
        (
            "min_bucket_version",
            1,
            "",
            "is 1 and keeps out whom bucket_version 0 lets in, must not be above it",
        ),
        ("persist_query_string", 1, "", f"is 1, {TRUTH}"),
        ("manual", None, "", f"is None, {TRUTH}"),
        ("change_id", 5, "", f"is 5, {TEXT}"),
        ("url", None, "", f"is None, {TEXT}"),
        ("groups", "a", "", f"is 'a', {LIST}"),
        ("groups", ["a", 5], "[1]", f"is 5, {TEXT}"),
        ("include", True, "", "is True, must be a function"),
        ("phase", "x", "", f"is 'x', {COUNT}"),
        ("phase", "-1", "", f"is '-1', {COUNT}"),
    ],
    ids=lambda cell: repr(cell)[:40],
)
def test_the_newer_fields_of_an_experiment_are_checked(
    field: str, value: Any, place: str, problem: str
) -> None:
    """Each is refused with its path, its value and the mend."""
    error = mistake(**{field: value})

    assert (error.path, error.problem) == (f"exp.{field}{place}", problem)


def test_a_pattern_of_a_page_is_compiled() -> None:
    """A regular expression that cannot be read is refused with its place."""
    error = mistake(url_patterns=[UrlPattern("("[0], "regex")])

    assert error.path.startswith("exp.url_patterns[0]")


def test_right_fields_are_taken() -> None:
    """What is well-formed builds, with values of any type."""
    experiment = Experiment(
        "exp",
        [object(), {1}],
        prerequisites=(Prerequisite("a"), Prerequisite("b", {})),
        url_patterns=(UrlPattern("/a"), UrlPattern("^/b", "regex", include=False)),
        status="stopped",
        bucket_version=2,
        min_bucket_version=2,
        phase="3",  # type: ignore[arg-type]  # as GrowthBook writes it
        groups=("a",),
        include=lambda: True,
    )

    assert experiment.plan.phase == 3
    assert Feature("flag", object(), rules=(Rule(force=object()), GOOD)).plan.problems == ()


@thorough
@given(
    st.sampled_from([{"force": 1}, {"variations": [1, 2]}, {"parentConditions": [{"id": "a"}]}]),
    st.sampled_from(RULE_FIELDS).flatmap(
        lambda name: st.tuples(st.just(name), JSON | ENTRIES.get(name, JSON))
    ),
)
def test_one_odd_field_of_a_rule_is_read_or_refused(
    base: dict[str, Any], odd: tuple[str, Any]
) -> None:
    """Whatever one field holds, it is fine or a DefinitionError; it can be evaluated if fine."""
    name, value = odd
    document = {"rules": [{**base, name: value}]}
    feature = read_or_refused(lambda: Feature.from_growthbook("flag", document), "flag.rules[0]")

    if feature is not None:
        client = Engine([feature], sink=MemorySink(), strict=False).client(id="u1")
        assert client.feature("flag").source != "error"


@thorough
@given(
    st.sampled_from(EXPERIMENT_FIELDS).flatmap(
        lambda name: st.tuples(st.just(name), JSON | ENTRIES.get(name, JSON))
    )
)
def test_one_odd_field_of_an_experiment_is_read_or_refused(odd: tuple[str, Any]) -> None:
    """The same holds for an experiment."""
    name, value = odd
    document = {"key": "exp", "variations": [1, 2], name: value}
    experiment = read_or_refused(lambda: Experiment.from_growthbook(document), "exp")

    if experiment is not None:
        client = Engine([experiment], sink=MemorySink(), strict=False).client(id="u1")
        assert client.run(experiment).reason != "error"
