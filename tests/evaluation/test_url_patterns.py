"""The pages that an experiment runs on (specification, sections 12.1 and 12.2)."""

from __future__ import annotations

import json
import time
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abmiddleware import UrlPattern
from abmiddleware.evaluation.conditions import Problem
from abmiddleware.evaluation.patterns import cut_offs
from abmiddleware.evaluation.url_patterns import (
    compile_legacy_url,
    compile_targets,
    is_url_targeted,
    wildcard,
)
from tests.evaluation.strategies import JSON, thorough

CASES: Final = json.loads((Path(__file__).parents[1] / "data/growthbook_cases.json").read_text())
PAGE = "https://www.Example.com:443/Shop/Cart?b=2&a=1&a=9&c=%C3%89+%2A#top"

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30)
#: Few letters, so that pieces are found often and in several places.
PIECES = st.text("aAb/.", max_size=3)


def simple(pattern: str, **fields: Any) -> dict[str, Any]:
    """Return a simple pattern in its JSON form."""
    return {"type": "simple", "pattern": pattern, **fields}


def problems_of(targets: Any) -> list[Problem]:
    """Return what is wrong with a list of patterns."""
    problems: list[Problem] = []
    compile_targets(targets, "exp.url_patterns", problems)
    return problems


SIMPLE = [
    ("https://www.example.com/shop/cart", PAGE, True),
    ("http://www.example.com/shop/cart", PAGE, True),
    ("ftp://www.example.com/shop/cart", PAGE, True),
    ("www.example.com/shop/cart", PAGE, True),
    ("//www.example.com/shop/cart", PAGE, True),
    ("WWW.EXAMPLE.COM/SHOP/CART", PAGE, True),
    ("example.com/shop/cart", PAGE, False),
    ("*.example.com/shop/cart", PAGE, True),
    ("*example.com/shop/cart", "https://example.com/shop/cart", True),
    ("*.example.com/shop/cart", "https://example.com/shop/cart", False),
    ("www.example.*/shop/cart", PAGE, True),
    ("https://*/shop/cart", PAGE, True),
    ("www.example.com:443/shop/cart", PAGE, True),
    ("www.example.com:8443/shop/cart", PAGE, False),
    ("h.io:8080/a", "http://h.io:8080/a", True),
    ("h.io/a", "http://h.io:8080/a", False),
    ("h.io*/a", "http://h.io:8080/a", True),
    ("http://localhost:3000/a", "http://localhost:3000/a", True),
    ("http://[::1]:3000/a", "http://[0:0::1]:3000/a", True),
    ("b\u00fccher.example/a", "https://xn--bcher-kva.example/a", True),
    ("/shop/cart", PAGE, True),
    ("shop/cart", PAGE, True),
    ("/shop/cart/", PAGE, True),
    ("/shop/cart", "http://h/shop/cart/", True),
    ("/shop/cart", "http://h//shop/cart", False),
    ("/shop/cart", "http://h/shop/cart//", False),
    ("/shop", PAGE, False),
    ("/cart", PAGE, False),
    ("/shop/*", PAGE, True),
    ("/shop/*", "http://h/shop/", True),
    ("/shop/*", "http://h/shop", False),
    ("/shop*", "http://h/shop", True),
    ("*", PAGE, True),
    ("/*/cart", "http://h/a/b/cart", True),
    ("/s*p/c*t", PAGE, True),
    ("/ab*ba", "http://h/aba", False),
    ("/a*a", "http://h/a", False),
    ("/", "http://h", True),
    ("", "http://h/", True),
    ("h.io", "http://h.io/", True),
    ("h.io", "http://h.io/a", False),
    ("/", "http://h/a", False),
    ("/a/../b", "http://h/b", True),
    ("/b", "http://h/a/%2e%2e/b", True),
    ("/caf\u00e9", "http://h/caf%c3%a9", True),
    ("/a b", "http://h/a%20b", True),
    ("/a.b", "http://h/axb", False),
    ("/a(b|c)+[d]$^", "http://h/a(b|c)+[d]$^", True),
    ("/shop/cart?b=2", PAGE, True),
    ("/shop/cart?a=1&b=2", PAGE, True),
    ("/shop/cart?a=9", PAGE, False),
    ("/shop/cart?a=1&a=9", PAGE, False),
    ("/shop/cart?A=1", PAGE, False),
    ("/shop/cart?a=*", PAGE, True),
    ("/shop/cart?z=*", PAGE, True),
    ("/shop/cart?z=", PAGE, True),
    ("/shop/cart?z", PAGE, True),
    ("/shop/cart?z=1", PAGE, False),
    ("/shop/cart?", PAGE, True),
    ("/shop/cart?c=\u00e9%20*", PAGE, True),
    ("/shop/cart?c=\u00e9+%2A", PAGE, True),
    ("/shop/cart?b=%2A", PAGE, False),
    ("?b=2", "http://h/?b=2", True),
    ("/?k=s", "http://h/?k=\u017f", False),
    ("/?k=\u03c3", "http://h/?k=\u03c2", True),
    ("/?k=k", "http://h/?k=\u212a", False),
    ("/?k=ss", "http://h/?k=\u00df", False),
    ("/?k=*", "http://h/?k=%0A", True),
    ("/shop/cart#top", PAGE, True),
    ("/shop/cart#TOP", PAGE, True),
    ("/shop/cart#end", PAGE, False),
    ("/shop/cart#t*", PAGE, True),
    ("/shop/cart#", PAGE, True),
    ("/a#*", "http://h/a", False),
    ("/a", "/a?b", True),
    ("http://h/a", "/a", False),
    ("/a", "a", True),
    ("/", "", True),
    ("localhost:3000/a", "http://localhost:3000/a", False),
    ("http://", PAGE, False),
    ("*", "http://", False),
    ("*", "http://a b/", False),
]


@pytest.mark.parametrize(
    ("pattern", "page", "expected"), SIMPLE, ids=[ascii(row[:2])[:60] for row in SIMPLE]
)
def test_simple_patterns(pattern: str, page: str, expected: bool) -> None:
    """A simple pattern is compared part by part: host, path, fragment, its parameters."""
    assert is_url_targeted(page, [simple(pattern)]) is expected


REGEX = [
    ("op/C", PAGE, True),
    ("shop", PAGE, False),
    (r"www\.example\.com/", PAGE, True),
    (":443", PAGE, False),
    ("^https://www.example.com/Shop", PAGE, True),
    (r"^\/Shop/Cart\?", PAGE, True),
    ("^/Shop/Cart$", PAGE, False),
    ("#top$", PAGE, True),
    ("^/a$", "/a", True),
    ("^/a$", "http://u:p@h/a", True),
    ("caf%C3%A9", "http://h/caf\u00e9", True),
    ("", PAGE, True),
    ("(", PAGE, False),
    ("h", "http://", False),
]


@pytest.mark.parametrize(
    ("pattern", "page", "expected"), REGEX, ids=[ascii(row[:2])[:60] for row in REGEX]
)
def test_regular_expressions(pattern: str, page: str, expected: bool) -> None:
    """A regular expression is found in the normal URL, or in that without its origin."""
    assert is_url_targeted(page, [{"type": "regex", "pattern": pattern}]) is expected


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ([], False),
        ([simple("/x"), simple("/a")], True),
        ([simple("/x"), simple("/y")], False),
        ([simple("/a", include=None)], True),
        ([simple("/a", include=0)], True),
        ([simple("/*"), simple("/a", include=False)], False),
        ([simple("/a", include=False), simple("/*")], False),
        ([simple("/*"), simple("/x", include=False)], True),
        ([simple("/x", include=False)], True),
        ([simple("/a", include=False)], False),
        ([{"type": "glob", "pattern": "*"}], False),
        ([{"pattern": "*"}], False),
        ([{"type": "simple"}], False),
        ([{"type": "glob", "pattern": "*", "include": False}], True),
        ([{"type": "regex", "pattern": "(", "include": False}, simple("/a")], True),
        ([UrlPattern("/a")], True),
        ([UrlPattern("/a", include=False)], False),
        ([UrlPattern("^/a", "regex")], True),
        ((UrlPattern("/x"), simple("/a")), True),
        ([None], False),
        ([5, simple("/x", include=False)], False),
        (None, False),
        ({}, False),
        ("/a", False),
        (simple("/a"), False),
    ],
    ids=lambda cell: repr(cell)[:70],
)
def test_lists_of_patterns(targets: Any, expected: bool) -> None:
    """Exclusions count before inclusions; what is no pattern lets nobody in."""
    assert is_url_targeted("http://h/a", targets) is expected


def test_an_unreadable_page_matches_no_exclusion() -> None:
    """A page whose URL cannot be read matches neither what includes nor what excludes."""
    assert is_url_targeted("http://", [simple("*", include=False)])
    assert not is_url_targeted("http://", [simple("*"), simple("/a", include=False)])


@pytest.mark.parametrize("excludes", [False, True], ids=["included", "excluded"])
def test_a_page_that_is_too_long_to_be_searched_is_not_targeted(excludes: bool) -> None:
    """What a regular expression cannot be searched in is neither let in nor past an exclusion."""
    target = {"type": "regex", "pattern": "^/a$", "include": not excludes}
    before = cut_offs.total()

    assert not is_url_targeted("http://h/b?" + "x" * 20_000, [target])
    assert cut_offs.total() > before


@pytest.mark.parametrize("excludes", [False, True], ids=["included", "excluded"])
def test_a_pattern_that_is_refused_lets_nobody_in(excludes: bool) -> None:
    """A valid expression that is not run neither includes a page nor lets it past an exclusion."""
    target = {"type": "regex", "pattern": "a" * 1_001, "include": not excludes}

    assert not is_url_targeted("http://h/", [target])
    assert [problem.path for problem in problems_of([target])] == ["exp.url_patterns[0].pattern"]


@pytest.mark.parametrize(
    ("case", "expected"),
    [(0, [True]), (1, [True]), (2, [True]), (3, [False, True, True])],
    ids=[row[0] for row in CASES["urlRedirect"]],
)
def test_growthbooks_redirects_are_targeted(case: int, expected: list[bool]) -> None:
    """The pages of GrowthBook's own redirects are those that their patterns mean."""
    context = CASES["urlRedirect"][case][1]
    patterns = [experiment["urlPatterns"] for experiment in context["experiments"]]

    assert [is_url_targeted(context["url"], each) for each in patterns] == expected


@pytest.mark.parametrize(
    ("targets", "path", "told"),
    [
        (None, "", "is None, must be a list of URL patterns"),
        ([simple("/"), 5], "[1]", "is 5, must be a URL pattern"),
        ([simple("/", include="no")], "[0].include", "is 'no', must be true or false"),
        ([{"pattern": "/"}], "[0].type", "is '', must be 'simple' or 'regex'"),
        ([{"type": ["a"], "pattern": "/"}], "[0].type", "is ['a'], must be 'simple' or 'regex'"),
        ([{"type": "simple", "pattern": 5}], "[0].pattern", "is 5, must be a string"),
        ([{"type": "regex", "pattern": "("}], "[0].pattern", "must be an ECMAScript regular"),
        ([simple("http://")], "[0].pattern", "is 'http://', is no URL"),
        ([simple("h.io:*/a")], "[0].pattern", "is no URL"),
        ([simple("localhost:3000/a")], "[0].pattern", "is read as the scheme localhost:"),
    ],
    ids=lambda cell: repr(cell)[:60],
)
def test_what_cannot_be_used_is_told(targets: Any, path: str, told: str) -> None:
    """The author hears where a pattern cannot be used, and why."""
    [problem] = problems_of(targets)

    assert problem.path == f"exp.url_patterns{path}"
    assert told in problem.problem


def test_good_patterns_have_no_problems() -> None:
    """Patterns that can be used are told nothing about."""
    patterns = [simple(row[0]) for row in SIMPLE if row[2]]
    patterns += [{"type": "regex", "pattern": row[0], "include": False} for row in REGEX if row[2]]

    assert problems_of(patterns) == []
    assert problems_of([]) == []


@thorough
@given(targets=JSON | st.lists(JSON), page=ANY_TEXT)
def test_targeting_is_total(targets: Any, page: str) -> None:
    """Whatever a payload and a URL hold, there is an answer."""
    assert is_url_targeted(page, targets) in (True, False)


@thorough
@given(
    type_=st.sampled_from(["simple", "regex"]),
    pattern=ANY_TEXT | st.lists(PIECES).map("*".join),
    include=st.booleans(),
    page=ANY_TEXT | st.lists(PIECES).map("/".join),
)
def test_patterns_of_any_text_are_total(type_: str, pattern: str, include: bool, page: str) -> None:
    """Whatever the text of a pattern, there is an answer."""
    target = {"type": type_, "pattern": pattern, "include": include}
    assert is_url_targeted(page, [target]) in (True, False)


def read_literally(pattern: str, text: str) -> bool:
    """Match a pattern one character after the other, trying everything."""

    @cache
    def matches(at: int, place: int) -> bool:
        if at == len(pattern):
            return place == len(text)
        if pattern[at] == "*":
            return any(matches(at + 1, later) for later in range(place, len(text) + 1))
        if place == len(text) or pattern[at].lower() != text[place].lower():
            return False
        return matches(at + 1, place + 1)

    return matches(0, 0)


@thorough
@given(pieces=st.lists(PIECES, min_size=1, max_size=5), text=st.text("aAb/.", max_size=12))
def test_wildcards_mean_what_they_say(pieces: list[str], text: str) -> None:
    """Looking for the pieces one after the other finds what trying everything finds."""
    assert wildcard(pieces)(text) is read_literally("*".join(pieces), text)


@thorough
@given(pieces=st.lists(PIECES, min_size=1, max_size=5), runs=st.lists(PIECES, min_size=4))
def test_wildcards_stand_for_anything(pieces: list[str], runs: list[str]) -> None:
    """A pattern matches itself with any runs of characters in place of its wildcards."""
    text = pieces[0] + "".join(run + piece for run, piece in zip(runs, pieces[1:], strict=False))

    assert wildcard(pieces)(text)


@pytest.mark.parametrize(
    ("pattern", "page"),
    [
        ("/" + "*a" * 4 + "*b", "/" + "a" * 2_000),
        ("/" + "*a" * 1_000 + "*b", "/" + "a" * 2_000),
        ("/" + "*ab" * 1_000 + "*c", "/" + "ab" * 1_000),
        ("/*" + "a" * 500 + "b*", "/" + "a" * 2_000),
        ("*" * 2_000 + "b", "/" + "a" * 2_000),
        ("/?k=" + "*a" * 500 + "*b", "/?k=" + "a" * 2_000),
        ("/?" + "a=*1&" * 500, "/?" + "a=1&" * 500),
    ],
    ids=lambda cell: cell[:16],
)
def test_hostile_wildcards_are_quick(pattern: str, page: str) -> None:
    """No simple pattern takes long, whatever the page."""
    targeted = compile_targets([simple(pattern)])
    targeted("/")
    start = time.process_time()
    targeted(page)

    assert time.process_time() - start < 0.5  # of the processor: other processes do not count


@pytest.mark.parametrize(
    ("pattern", "page", "expected"),
    [
        ("h.io/sh", "http://h.io/shop", True),
        ("^http://H", "http://H/shop", True),
        ("^/shop$", "http://h.io/shop", True),
        (r"^\/shop\?a=1#x$", "https://h.io:80/shop?a=1#x", True),
        ("^/shop$", "/shop", True),
        (r"^\?a$", "http://h.io?a", True),
        ("SHOP", "http://h.io/shop", False),
        ("^shop", "http://h.io/shop", False),
        ("^//", "http://h.io/a//b", False),
        ("^/$", "http://h.io/a?http://h.io/", False),
        (".*", "", False),
        ("(", "http://h.io/(", False),
        (None, "http://h.io/", False),
        (5, "http://h.io/5", False),
    ],
    ids=lambda cell: repr(cell)[:30],
)
def test_legacy_urls(pattern: Any, page: str, expected: bool) -> None:
    """The legacy `url` is found in the URL as it is written, or without scheme and host (12.2)."""
    assert compile_legacy_url(pattern)(page) is expected


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        (5, "is 5, not a string; must be an ECMAScript regular expression"),
        ("(", "must be an ECMAScript regular expression"),
        ("a" * 1_001, "longer than"),
    ],
    ids=["no text", "no expression", "too long"],
)
def test_a_bad_legacy_url_is_told(pattern: Any, told: str) -> None:
    """The author hears of an expression that cannot be used."""
    problems: list[Problem] = []
    compile_legacy_url(pattern, "exp.url", problems)

    [problem] = problems
    assert problem.path == "exp.url"
    assert told in problem.problem


@thorough
@given(pattern=JSON | ANY_TEXT, page=ANY_TEXT)
def test_legacy_urls_are_total(pattern: Any, page: str) -> None:
    """Whatever the expression and the page, there is an answer."""
    assert compile_legacy_url(pattern)(page) in (True, False)
