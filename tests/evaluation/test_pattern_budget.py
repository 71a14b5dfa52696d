"""The patterns of one condition cost a request little together, however many there are."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from threading import Thread
from typing import Any

import pytest

from abmiddleware.evaluation.conditions import Problem, compile_condition
from abmiddleware.evaluation.patterns import compile_pattern, cut_offs
from abmiddleware.evaluation.url_patterns import compile_legacy_url, compile_targets
from abmiddleware.evaluation.values import Attributes
from tests.evaluation.support import passes, passes_for, problems_of

#: What a condition may take, in seconds of one processor; more where coverage is measured.
ALLOWED = 0.05 if sys.gettrace() is None else 0.4
#: A pattern of which one condition may have about ten, one that is run with a time limit, and a
#: text that they are slow for.
COSTLY, LIMITED, SLOW_FOR_THEM = "a[ab]*[ab]!", "a.*b.*!", "ab" * 256

ELEMENTWISE: dict[str, Callable[[Any], Any]] = {
    "elemMatch": lambda test: {"$elemMatch": test},
    "all": lambda test: {"$all": [test]},
    "alli": lambda test: {"$alli": [test]},
    "fields": lambda test: {"$elemMatch": {"name": test}},
    "not": lambda test: {"$elemMatch": {"$not": test}},
    "nor": lambda test: {"$elemMatch": {"a": 1, "$nor": [{"name": test}]}},
}
elementwise = pytest.mark.parametrize("wrapped", ELEMENTWISE.values(), ids=ELEMENTWISE)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Count cut-offs from nothing, and leave nothing counted."""
    cut_offs.clear()
    yield
    cut_offs.clear()


def seconds(call: Callable[[], object]) -> float:
    """Return the least processor time that a call takes."""
    least = float("inf")
    for _ in range(5):
        start = time.process_time()
        call()
        least = min(least, time.process_time() - start)
    return least


def asked(matches: Callable[[object], bool], attributes: dict[str, Any]) -> bool:
    """Tell whether a new request with these attributes passes."""
    return matches(Attributes(attributes))


def regex(pattern: str) -> dict[str, str]:
    return {"type": "regex", "pattern": pattern}


def elements(text: str, count: int) -> list[Any]:
    """Return a list that tests of texts and tests of fields go through to the end."""
    return [text, {"name": text, "a": 1}] * (count // 2)


@elementwise
@pytest.mark.parametrize("pattern", [COSTLY, LIMITED])
@pytest.mark.parametrize("count", [20, 100, 10_000])
def test_long_list_takes_no_longer_than_a_text(
    wrapped: Callable[[Any], Any], pattern: str, count: int
) -> None:
    """However many texts a list has, testing them takes no longer than one text may."""
    matches = compile_condition({"a": wrapped({"$regex": pattern})}).matches
    attributes = {"a": elements(SLOW_FOR_THEM, count)}
    assert seconds(lambda: matches(Attributes(attributes))) <= ALLOWED


@pytest.mark.parametrize(
    ("operator", "fails", "passes"),
    [("$regex", SLOW_FOR_THEM, "ab!"), ("$notRegex", "ab" * 255 + "a!", "x")],
)
@pytest.mark.parametrize("outer", ["$elemMatch", "$all"])
def test_list_that_is_too_long_passes_no_operator(
    outer: str, operator: str, fails: str, passes: str
) -> None:
    """A list that costs too much passes neither an operator nor its negation, and is counted."""
    test = {operator: COSTLY}
    condition = {outer: test if outer == "$elemMatch" else [test]}
    assert passes_for(condition, [fails, passes])
    assert not cut_offs
    assert not passes_for(condition, [*[fails] * 100, passes])
    assert cut_offs == {"list too long": 1}


def test_element_found_in_time_lets_a_long_list_pass() -> None:
    """A list is tested from its start, as far as that is paid for."""
    assert passes_for({"$elemMatch": {"$regex": COSTLY}}, ["ab!"] + [SLOW_FOR_THEM] * 1_000)
    assert not cut_offs


@elementwise
@pytest.mark.parametrize("pattern", [COSTLY, LIMITED])
def test_long_list_of_short_texts_is_tested(wrapped: Callable[[Any], Any], pattern: str) -> None:
    """Short texts cost little, so that a list may have many of them, even for a costly pattern."""
    condition = wrapped({"$regex": pattern})
    passes_for(condition, elements("tag", 1_000))
    assert not cut_offs


def test_lists_in_a_list_share_what_it_may_cost() -> None:
    """Lists in a list are bounded together, not each by itself."""
    condition = {"a": {"$elemMatch": {"tags": {"$elemMatch": {"$regex": COSTLY}}}}}
    matches = compile_condition(condition).matches
    attributes = {"a": [{"tags": [SLOW_FOR_THEM] * 2}] * 200}
    assert seconds(lambda: matches(Attributes(attributes))) <= ALLOWED
    assert set(cut_offs) == {"list too long"}


def test_lists_side_by_side_do_not_share() -> None:
    """What one list costs is not taken from another, nor from the next request."""
    test = {"$elemMatch": {"$regex": "a.*b"}}
    condition = {"$nor": [{"a": test}, {"b": test}]}
    for _ in range(20):
        assert passes(condition, {"a": ["a" * 512] * 5, "b": ["a" * 512] * 5})
    assert not cut_offs


def test_answer_does_not_depend_on_other_threads() -> None:
    """Requests that are answered at once do not pay for each other."""
    matches = compile_condition({"a": {"$elemMatch": {"$regex": "a.*b"}}}).matches
    attributes = {"a": ["a" * 512] * 10 + ["ab"]}
    answers: list[bool] = []
    threads = [
        Thread(target=lambda: answers.extend(matches(Attributes(attributes)) for _ in range(20)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 80


@pytest.mark.parametrize("pattern", [COSTLY, LIMITED])
@pytest.mark.parametrize("operator", ["$regex", "$notRegex"])
def test_patterns_beyond_the_budget_are_refused(operator: str, pattern: str) -> None:
    """What exceeds the budget of a condition passes no operator, and is told with its path."""
    condition = {"$or": [{"a": {operator: pattern}} for _ in range(100)]}
    problems = problems_of(condition)
    paths = [path for path, _ in problems]
    first = 100 - len(problems)
    assert 0 < first < 20
    assert paths == [f"condition.$or[{at}].a.{operator}" for at in range(first, 100)]
    assert "of 25 ms for all patterns here those before it leave" in problems[0][1]
    assert "write fewer of them" in problems[0][1]
    matches = compile_condition(condition).matches
    assert seconds(lambda: matches(Attributes(a=SLOW_FOR_THEM))) <= ALLOWED


@pytest.mark.parametrize(
    ("operator", "fails", "passing"), [("$regex", "x", "ab!"), ("$notRegex", "ab!", "x")]
)
def test_pattern_beyond_the_budget_passes_no_operator(
    operator: str, fails: str, passing: str
) -> None:
    """A pattern that others leave too little for passes neither an operator nor its negation."""
    test = {operator: COSTLY}
    attributes = {"a": fails, "b": passing}
    assert passes({"$or": [{"a": test}, {"b": test}]}, attributes)
    assert not passes({"$or": [*[{"a": test}] * 20, {"b": test}]}, attributes)


def test_saved_groups_pay_from_the_budget_of_the_condition() -> None:
    """The patterns of a saved group count wherever it is named."""
    groups = {"g": {"type": "condition", "condition": {"a": {"$regex": COSTLY}}}}
    condition = {"$or": [{"$savedGroup": {"id": "g"}} for _ in range(50)]}
    paths = {path for path, _ in problems_of(condition, groups)}
    assert paths == {"savedGroups.g.condition.a.$regex"}


def test_hundreds_of_cheap_patterns_are_accepted() -> None:
    """Cheap patterns are searched in long texts, in somewhat shorter ones where there are many."""
    for count, length in ((12, 16_000), (100, 1_800), (300, 512)):
        condition = {"$or": [{"a": {"$regex": f"^/{number}$"}} for number in range(count)]}
        assert not problems_of(condition)
        passes(condition, {"a": "x" * length})
        assert not cut_offs


@pytest.mark.parametrize("word", ["a", "é", "😀", "a\ud800😀"], ids=ascii)
@pytest.mark.parametrize("pattern", ["a+{}|b", "^/{}$", "{}"])
def test_many_patterns_on_a_long_text_take_no_longer_than_one(pattern: str, word: str) -> None:
    """A budget bounds the time for texts of any length and of any letters."""
    condition = {"$nor": [{"a": {"$regex": pattern.format(number)}} for number in range(100)]}
    matches = compile_condition(condition).matches
    for length in (256, 512, 1_000, 2_000, 4_000, 16_384):
        attributes = {"a": (word * length)[:length]}
        assert seconds(partial(asked, matches, attributes)) <= ALLOWED


def test_url_patterns_share_a_budget() -> None:
    """The regular expressions of one list of URL patterns are bounded together as well."""
    problems: list[Problem] = []
    targets = [regex(COSTLY) for _ in range(50)]
    targeted = compile_targets(targets, "url_patterns", problems)
    first = 50 - len(problems)
    assert 0 < first < 20
    assert problems[0].path == f"url_patterns[{first}].pattern"
    assert seconds(lambda: targeted(f"http://h/{SLOW_FOR_THEM}")) <= ALLOWED


@pytest.mark.parametrize("kind", ["url_patterns", "url"])
def test_the_two_searches_of_a_url_cost_no_more_than_one(kind: str) -> None:
    """With scheme and host and without: neither is made in a text that takes half the budget."""
    compiled = compile_legacy_url(COSTLY) if kind == "url" else compile_targets([regex(COSTLY)])
    one = compile_pattern(COSTLY).limit
    assert not compiled("http://h/" + "ab" * (one // 2 - 10))
    assert cut_offs["value too long"] == 2
    assert not compiled("http://h/" + "ab" * (one // 4 + 10))
    assert cut_offs["value too long"] == 2
