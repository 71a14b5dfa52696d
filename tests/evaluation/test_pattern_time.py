"""No pattern costs a request much time, whatever the pattern and whatever the attribute."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from abmiddleware.evaluation.patterns import (
    PatternError,
    RefusedPatternError,
    compile_pattern,
    cut_offs,
)
from abmiddleware.evaluation.patterns.pattern import Pattern
from abmiddleware.evaluation.patterns.tree import SURE_LENGTH, TEXT_LIMIT
from tests.evaluation.support import passes_for

#: What a search and what reading a pattern may take, in seconds of one processor.
#: Where coverage is measured, line by line, our own code takes several times as long.
ALLOWED = 0.05 if sys.gettrace() is None else 0.4

EVIL = [
    "(a+)+$",
    "(a*)*b",
    "(a+)+b",
    "((a+)+)+b",
    "(a|a)*b",
    "(a|ab)*c",
    "(a|aa)+$",
    "(a|b|ab)*c",
    "(.*a){20}",
    "(.*,)*x",
    "(.*)*x",
    "(?:.*.*)*x",
    "x*x*x*x*y",
    "a*a*a*b",
    "^a*a*a*a*b",
    ".*.*.*=.*",
    r"\s+$",
    r"\s*\s*$",
    r"^\s+|\s+$",
    r"(\s|a)*\s*b",
    r"\d+\d+\d+x",
    r"(\w+\s?)*!",
    r"^(\w+\d+)+!",
    r"([a-zA-Z]+)*1",
    r"^([a-zA-Z0-9._%-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,6})*$",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"(a{1,30}){1,30}b",
    r"((a{1,30}){1,30}){1,30}b",
    r"(a?){40}a{40}",
    r"a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a{24}",
    r"(?:a{0,500}){0,500}b",
    r"(?:){1000000}b",
    r"(?:(?:(?:){1000000}){1000000}){1000000}b",
    r"^(?:a?){1000000}$",
    "(?=(a+)+b)a",
    "(?!(a*)*b)c",
    "(?=.*a.*b.*c).*d.*e",
    "a*(?=.*x)b",
    "(?:(?=.*x)a)*b",
    r"(a*)\1b",
    r"(a*)*\1b",
    r"(?:(a+)\1)+b",
    r"^(a*)(a*)(a*)\1\2\3b",
    r"(a)a\1{5,40}.{2,}d",
    r"(a)a(?:\1|b){0,500}.*d",
    "(?:aa|[ab]a|a[ab]|[ab][ab])*c",
    "(?:" + "|".join(["a"] * 300) + ")*b",
    "a*(?:" + "|".join(["ab"] * 250) + ")c",
    "(?:a|a)(?:a|a)" * 30 + "b",
    "(?:a*b?)*c",
    "(?:a*?)*?b",
    ".*?.*?.*?x",
    "(?<=(?:a|a)(?:a|a)(?:a|a)(?:a|a)(?:a|a)(?:a|a)(?:a|a)b)c",
    "(?:[ab]?[ac]?[ad]?)*z",
    "(?:^a*)*a*a*b",
    "(?:a$|a)*b",
    r"(?:\b|a)*c",
    "(?:" * 90 + "a" + ")*" * 90 + "b",
    "(a*)" * 60 + r"\60b",
    ".*" * 400 + "x",
]
#: Texts are these, again and again, up to the longest that a pattern is searched in.
WORDS = ["a", "ab", " ", "x", ",a", "1a", "é", "/en", "?&", "foo", "utm_source=", "Android 5"]
#: A slow pattern, and a text that no search for it gets through.
SLOW, ENDLESS = "x(?:[a-z]*[a-z]*)*[0-9]", "x" * SURE_LENGTH
HOSTILE_TO_READ = {
    "letters": "a" * 1_000,
    "dots": "." * 1_000,
    "spaces": r"\s" * 500,
    "non-words": r"\W" * 500,
    "wide sets": "[\u0100-\u8000]" * 200,
    "sets with many variants": "[\u0100-\uffff]" * 200,
    "small sets": "".join(f"[{chr(200 + at)}]" for at in range(330)),
    "many ranges": "[" + "".join(chr(0x100 + 3 * at) for at in range(990)) + "]",
    "alternatives": "|".join("a" * 500),
    "equal alternatives": "|".join(["aaaaaaaaaaaaa"] * 64),
    "nested repeats": "(" * 100 + "a" + ")*" * 100,
    "nested choices": "(?:" * 100 + "a|b" + ")*" * 100,
    "nested look-aheads": "(?!a*" * 100 + "x" + ")" * 100,
    "nested look-behinds": "(?<=" * 100 + "abc" * 100 + ")" * 100,
    "optional ones": "a?" * 500,
    "powers": "(?:a|a){200}" * 70,
    "references": "(a)" + r"\1" * 490,
    "counted ones": "a{500}" * 160,
    "nested counts": "(?:" * 70 + "a" + "){1,30}" * 70,
    "a million letters": "a" * 10**6,
}
ORDINARY = [
    r"@example\.com$",
    "^/checkout(/|$)",
    r"^(?:/[a-z-]+)*/product/\d+$",
    r".*\.example\.(com|org)$",
    r"^https?://[^/]+/.*\?.*utm_source=x",
    r"^\w+@\w+\.\w+$",
    "iPhone|iPad|Android.*Mobile",
    r"^\d{1,3}(\.\d{1,3}){3}$",
    r"^[\w.+-]+@[\w-]+\.[\w.-]+$",
    r"[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}",
    r"^/blog/[^/]+/comments/\d+/?$",
    r"(?:\w+\.)+example\.com$",
    "^(?!.*bot).*$",
    "^((?!internal).)*$",
    r"\bbot\b|crawl|spider|slurp",
    r"^.*@(gmail|yahoo|hotmail)\.(com|co\.uk)$",
    "utm_(source|medium)=[^&]*news",
    "^/(?:en|es|fr|de)(?:/.*)?$",
    "^(?:/(?:en|es))*/x$",
    r"\?(.*&)?ref=abc(&|$)",
    r"^(?=.*\d)(?=.*[a-z]).{8,}$",
    r"^(\d+)\.(\d+)\.(\d+)(?:-([\w.-]+))?$",
    r"^\s+|\s+$",
    ".*foo.*bar.*",
    "(.*)foo(.*)",
    "^.*(Windows|Macintosh).*(Chrome|Firefox).*$",
    r"Android (?:[5-9]|1\d)(?:\.\d+)*;",
    r"^https?://([^/]+\.)?example\.com(:\d+)?(/.*)?$",
    r"^[^@]+@([^@.]+\.)+(com|net|org)$",
    r"\$\d+(?:,\d{3})*(?:\.\d\d)?",
    r"^(\+\d{1,2}\s?)?\(?\d{3}\)?[\s.-]?\d{3}[\s.-]?\d{4}$",
    "^(?:" + "|".join(f"id{number:03}" for number in range(120)) + ")$",
]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Count cut-offs from nothing, and leave nothing counted."""
    cut_offs.clear()
    yield
    cut_offs.clear()


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that the module `regex` is not installed."""
    monkeypatch.setitem(sys.modules, "regex", None)


def seconds(call: Callable[[], object], *, times: int = 3) -> float:
    """Return the least processor time that a call takes."""
    least = float("inf")
    for _ in range(times):
        start = time.process_time()
        call()
        least = min(least, time.process_time() - start)
        if least < ALLOWED:
            break
    return least


def compiled(pattern: str, *, ignore_case: bool) -> Pattern | None:
    try:
        return compile_pattern(pattern, ignore_case=ignore_case)
    except PatternError:
        return None


def longest(pattern: Pattern, words: list[str]) -> Iterator[str]:
    """Give the longest texts that a pattern is searched in, and texts that are too long."""
    for word in words:
        text = (word * pattern.limit)[: pattern.limit]
        yield from (text, f"{text[:-1]}!")
    yield from ("a" * 2**20, "é" * 2**20)


def assert_quick(pattern: str, *, ignore_case: bool, words: list[str]) -> None:
    searched = compiled(pattern, ignore_case=ignore_case)
    for text in longest(searched, words) if searched else []:
        spent = seconds(partial(searched.found, text))  # type: ignore[union-attr]
        assert spent <= ALLOWED, (pattern, text[:20], spent)


def short(pattern: str) -> str:
    return pattern if len(pattern) <= 40 else f"{pattern[:30]}…{len(pattern)}"


@pytest.mark.parametrize("ignore_case", [False, True], ids=["cased", "uncased"])
@pytest.mark.parametrize("pattern", EVIL, ids=short)
def test_evil_pattern_is_refused_or_quick(pattern: str, *, ignore_case: bool) -> None:
    """With `regex`, a pattern made to be slow is refused, given up in time or quick by nature."""
    assert_quick(pattern, ignore_case=ignore_case, words=WORDS)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("ignore_case", [False, True], ids=["cased", "uncased"])
@pytest.mark.parametrize("pattern", EVIL, ids=short)
def test_evil_pattern_is_refused_or_quick_without_regex(pattern: str, *, ignore_case: bool) -> None:
    """Without `regex`, a pattern made to be slow is refused or quick by nature."""
    assert_quick(pattern, ignore_case=ignore_case, words=WORDS)


ATOMS = ["a", "b", ".", "[ab]", "[^a]", "aa", "ab", r"\w", r"\s", "c"]
REPEATS = ["*", "+", "?", "*?", "+?", "{2}", "{1,3}", "{2,}", "{0,30}", "{5,40}", "{1,200}"]


def generated(chance: random.Random, depth: int) -> str:
    """Write a pattern that repeats much."""
    parts = []
    for _ in range(chance.randint(1, 4)):
        kind = chance.random() if depth else 0
        if kind < 0.5:
            part = chance.choice(ATOMS)
            part = f"(?:{part})" if part in {"aa", "ab"} else part
        elif kind < 0.7:
            part = f"({generated(chance, depth - 1)})"
        elif kind < 0.85:
            part = "|".join(generated(chance, depth - 1) for _ in range(chance.randint(2, 4)))
            part = f"(?:{part})"
        else:
            look = chance.choice(["(?=", "(?!"])
            part = chance.choice([r"\1", "^", "$", r"\b", f"{look}{generated(chance, depth - 1)})"])
            parts.append(part)
            continue
        parts.append(part + (chance.choice(REPEATS) if chance.random() < 0.6 else ""))
    return "".join(parts)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("seed", range(20))
def test_generated_pattern_is_refused_or_quick(seed: int) -> None:
    """Patterns full of repeats are refused, or quick for repetitions of their own letters."""
    chance = random.Random(seed)  # noqa: S311
    for _ in range(50):
        anchor, end = chance.choice(["", "", "^"]), chance.choice(["", "$", "d", "[de]"])
        pattern = f"{anchor}{generated(chance, chance.randint(1, 3))}{end}"
        words = ["".join(chance.choices("abc ", k=chance.randint(1, 4))) for _ in range(2)]
        assert_quick(pattern, ignore_case=chance.random() < 0.2, words=["a", "ab", *words])


@pytest.mark.parametrize("ignore_case", [False, True], ids=["cased", "uncased"])
@pytest.mark.parametrize("pattern", HOSTILE_TO_READ.values(), ids=HOSTILE_TO_READ)
def test_pattern_is_compiled_or_refused_in_time(pattern: str, *, ignore_case: bool) -> None:
    """Reading a pattern made to be slow to compile takes no longer than a search may."""
    spent = seconds(lambda: compiled(pattern, ignore_case=ignore_case), times=5)
    assert spent <= ALLOWED


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("ignore_case", [False, True], ids=["cased", "uncased"])
@pytest.mark.parametrize("pattern", ORDINARY, ids=short)
def test_ordinary_pattern_needs_no_regex(pattern: str, *, ignore_case: bool) -> None:
    """What people write to target visitors runs without another module, and quickly."""
    compile_pattern(pattern, ignore_case=ignore_case)
    assert_quick(pattern, ignore_case=ignore_case, words=WORDS)


def test_pattern_of_a_thousand_units_is_the_longest() -> None:
    """A pattern of 1,000 units is compiled, one of more is refused."""
    assert compile_pattern("a" * 512 + "|" + "b" * 487).found("a" * 512)
    for pattern in ("a" * 1_001, "😀" * 501):
        with pytest.raises(RefusedPatternError, match=r"^longer than 1,000 characters$"):
            compile_pattern(pattern)


@pytest.mark.usefixtures("plain")
def test_refusal_says_why_and_what_to_do() -> None:
    """The error of a slow pattern names the cost, the mend and the extra."""
    with pytest.raises(RefusedPatternError) as caught:
        compile_pattern("^(a+)+$")
    assert str(caught.value).startswith("might take minutes or longer for one text, because")
    assert "let each repeat exclude what follows it" in str(caught.value)
    assert "abmiddleware[safe-regex]" in str(caught.value)


@pytest.mark.parametrize("text", ["aaa", "b" * 512], ids=["found", "not found"])
def test_slow_pattern_runs_with_regex(text: str) -> None:
    """With `regex` a slow pattern answers as always where it takes no time."""
    assert compile_pattern("^(a+)+$").found(text) is (text == "aaa")
    assert not cut_offs


def test_search_that_takes_too_long_is_given_up_and_counted() -> None:
    """A search that is given up finds nothing, and is counted."""
    found = compile_pattern(SLOW).found
    assert found("xyz1")
    assert not found(ENDLESS)
    assert cut_offs == {"timeout": 1}


@pytest.mark.parametrize("untested", [False, True])
def test_answer_for_what_cannot_be_tested_is_the_callers(*, untested: bool) -> None:
    """A text that is too long or takes too long has the answer that the caller chose."""
    found = compile_pattern(SLOW, untested=untested).found
    assert found(ENDLESS) is untested
    assert found("d" * (TEXT_LIMIT + 1)) is untested
    assert cut_offs == {"timeout": 1, "value too long": 1}


@pytest.mark.parametrize(
    ("text", "tested"),
    [
        ("a" * TEXT_LIMIT, True),
        ("a" * (TEXT_LIMIT + 1), False),
        ("é" * TEXT_LIMIT, True),
        ("é" * (TEXT_LIMIT + 1), False),
        ("😀" * (TEXT_LIMIT // 2), True),
        ("😀" * (TEXT_LIMIT // 2) + "a", False),
    ],
    ids=["longest", "longer", "longest é", "longer é", "longest pairs", "longer pairs"],
)
def test_cheap_pattern_is_searched_in_16384_units(text: str, *, tested: bool) -> None:
    """A text of more than 16,384 UTF-16 units matches nothing, and is counted."""
    assert compile_pattern("").found(text) is tested
    assert cut_offs == ({} if tested else {"value too long": 1})


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("pattern", ORDINARY, ids=short)
def test_ordinary_pattern_is_searched_in_any_ordinary_text(pattern: str) -> None:
    """What people write is searched in the URL of a click on an advertisement as well."""
    assert compile_pattern(pattern).limit > 700


@pytest.mark.usefixtures("plain")
def test_length_that_is_searched_follows_from_the_cost() -> None:
    """The more a search costs, the shorter is what it is made in; 512 units always are."""
    limits = [
        compile_pattern(pattern).limit
        for pattern in ("a", "foo.*bar", "a.*b", r"\?(.*&)?ref=abc(&|$)")
    ]
    assert limits == sorted(limits, reverse=True)
    assert limits[0] == TEXT_LIMIT
    assert SURE_LENGTH <= limits[3] < limits[2] < limits[1] < TEXT_LIMIT


@pytest.mark.parametrize("operator", ["$regex", "$regexi", "$notRegex", "$notRegexi"])
def test_text_that_cannot_be_tested_passes_no_operator(operator: str) -> None:
    """A text that is too long passes neither an operator nor its negation."""
    for pattern in ("a", "x"):
        assert not passes_for({operator: pattern}, "a" * (TEXT_LIMIT + 1))


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        ({"$regex": "^/home"}, True),
        ({"$regex": "utm_source=google"}, True),
        ({"$notRegex": "utm_source=bing"}, True),
        ({"$notRegex": "utm_source=google"}, False),
    ],
    ids=str,
)
def test_long_url_of_an_advertisement_is_tested(
    operators: dict[str, str], *, expected: bool
) -> None:
    """A long URL passes as a short one does."""
    url = "/home?utm_source=google&gclid=" + "Cj0KCQjw" * 250
    assert passes_for(operators, url) is expected
    assert not cut_offs


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("operator", ["$regex", "$regexi", "$notRegex", "$notRegexi"])
def test_pattern_that_is_refused_passes_no_operator(operator: str) -> None:
    """A pattern that is refused passes neither an operator nor its negation."""
    assert not passes_for({operator: "^(a+)+$"}, "b")


def test_memory_that_runs_out_is_counted() -> None:
    """A search that has no memory finds nothing, and is counted."""

    def fails(_: str) -> object:
        raise MemoryError

    assert not Pattern(fails, float, untested=False).found("a")
    assert cut_offs == {"memory": 1}
