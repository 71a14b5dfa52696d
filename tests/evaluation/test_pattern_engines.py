"""A pattern means the same whatever runs it, and trimmed or not."""

from __future__ import annotations

import re
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abmiddleware.evaluation.patterns.parser import Parser
from abmiddleware.evaluation.patterns.pattern import utf16
from abmiddleware.evaluation.patterns.tree import Node, PatternError
from abmiddleware.evaluation.patterns.trim import trim
from abmiddleware.evaluation.patterns.writer import write
from tests.evaluation.test_patterns import FOUND, FRAGMENTS, TEXTS

regex = pytest.importorskip("regex")

PARTS = st.sampled_from(
    [
        *("a", "b", "aa", ".", "[ab]", r"\w", r"\b", r"\B", r"\s", "é", "[^a]", "^", "$", "|"),
        *("(a)", r"\1", "(?:a|ab)", "(?=a)", "(?!b)", "(?<=a)", "(?<!b)", "K", "k", "A"),
        *("*", "+?", "{2}", "{0,2}", "(", "(?:", ")", ")*", ")+"),
    ],
)
PATTERNS = st.lists(PARTS, max_size=10).map("".join) | st.lists(FRAGMENTS, max_size=10).map("".join)
SHORT = st.text("aabkK é\n", max_size=8) | TEXTS


def tree_of(pattern: str, *, ignore_case: bool) -> Node | None:
    try:
        tree = Parser(utf16(pattern), ignore_case=ignore_case).parse()
        re.compile(write(tree))
    except (PatternError, re.error):
        return None
    return tree


def found_by_re(tree: Node, text: str) -> bool:
    return re.search(write(tree), utf16(text)) is not None


def found_by_regex(tree: Node, text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return regex.search(write(tree), utf16(text), flags=regex.V0) is not None


@pytest.mark.parametrize(("pattern", "flags", "text", "expected"), FOUND)
def test_regex_finds_what_node_finds(
    pattern: str, flags: str, text: str, *, expected: bool
) -> None:
    """A valid pattern is found by `regex` exactly when node finds it."""
    tree = tree_of(pattern, ignore_case=flags == "i")
    assert tree is not None
    assert found_by_regex(tree, text) is expected


@settings(deadline=None, max_examples=400)
@given(pattern=PATTERNS, text=SHORT, ignore_case=st.booleans())
def test_both_engines_find_the_same(pattern: str, text: str, *, ignore_case: bool) -> None:
    """`re` and `regex` agree about any pattern and any text."""
    tree = tree_of(pattern, ignore_case=ignore_case)
    if tree is not None:
        assert found_by_regex(trim(tree), text) is found_by_re(trim(tree), text)


@settings(deadline=None, max_examples=400)
@given(pattern=PATTERNS, text=SHORT, ignore_case=st.booleans())
def test_trimmed_pattern_finds_the_same(pattern: str, text: str, *, ignore_case: bool) -> None:
    """What trimming takes away makes no difference to whether a pattern is found."""
    tree = tree_of(pattern, ignore_case=ignore_case)
    if tree is not None:
        assert found_by_re(trim(tree), text) is found_by_re(tree, text)


@pytest.mark.parametrize(
    ("pattern", "trimmed"),
    [
        (".*foo.*", "foo"),
        ("(.*)foo(.+)", "()foo(.{1,1})"),
        ("^a*b*", "^"),
        ("a*b{2,}|c+", "b{2,2}|c{1,1}"),
        ("a+b*$", "a{1,1}b*$"),
        (r"(a*)b\1", r"(a*)b\1"),
        ("a*(?:b*c)+", "(?:c){1,1}"),
    ],
    ids=["any", "groups", "anchored", "choice", "end", "kept group", "nested"],
)
def test_repeats_at_the_ends_are_trimmed(pattern: str, trimmed: str) -> None:
    """Repeats at the ends of a pattern keep the rounds that they must have."""
    tree, wanted = (tree_of(one, ignore_case=False) for one in (pattern, trimmed))
    assert tree is not None
    assert wanted is not None
    assert write(trim(tree)) == write(wanted)
