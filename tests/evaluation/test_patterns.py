"""ECMAScript patterns: the tables hold what node 20 answers to `new RegExp(p, f).test(t)`."""

import re
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abmiddleware.evaluation.patterns import PatternError, compile_pattern

FOUND = [
    ("^/blog/", "", "/blog/1", True),
    (r"^\/blog\/", "", "/blog/1", True),
    ("^a/b$", "", "a/b", True),
    (r"\d", "", "٣", False),
    (r"^\d+$", "", "0123456789", True),
    (r"\w", "", "é", False),
    (r"^\w+$", "", "aZ_9", True),
    (r"\W", "", "é", True),
    (r"\s", "", "\ufeff", True),
    (r"\s", "", "\u001c", False),
    (r"\s", "", "\u180e", False),
    (r"\S", "", "\u3000", False),
    ("a$", "", "a\n", False),
    ("^b", "", "a\nb", False),
    ("a$", "", "a", True),
    ("a.c", "", "a\nc", False),
    ("a.c", "", "a\u2028c", False),
    ("a.c", "", "a\u0085c", True),
    ("^.$", "", "😀", False),
    ("^..$", "", "😀", True),
    ("^[😀]$", "", "😀", False),
    ("^[^x]{2}$", "", "😀", True),
    ("😀", "", "a😀", True),
    (r"\ud83d", "", "😀", True),
    ("\ud83d", "", "😀", True),
    (r"^\ud83d\ude00$", "", "😀", True),
    (r"\u{1F600}", "", "😀", False),
    (r"^\u{3}$", "", "uuu", True),
    (r"(?<n>a)b\k<n>", "", "aba", True),
    (r"(?<n>a)b\k<n>", "", "abb", False),
    (r"\k<n>", "", "k<n>", True),
    (r"^\k$", "", "k", True),
    ("(?<\u00e9>a)\\k<\u00e9>", "", "aa", True),
    ("(?<$a_1>x)", "", "x", True),
    (r"(a)|b\1c", "", "bc", True),
    (r"^\1(a)$", "", "a", True),
    (r"^(a\1)$", "", "a", True),
    (r"(a)\2", "", "a\u0002", True),
    (r"\1", "", "\u0001", True),
    (r"\8", "", "8", True),
    (r"\101", "", "A", True),
    (r"\400", "", " 0", True),
    (r"^\0$", "", "\u0000", True),
    (r"^\08$", "", "\u00008", True),
    (r"(?!(a)b)a\1c", "", "ac", True),
    (r"(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\10$", "", "abcdefghijj", True),
    (r"(a)\10$", "", "a\b", True),
    (r"(A)\1", "i", "aA", True),
    ("(\u00c9)\\1", "i", "éÉ", True),
    (r"\A", "", "A", True),
    (r"a\Z", "", "aZ", True),
    (r"^\a$", "", "a", True),
    (r"\N", "", "N", True),
    (r"^\p{L}$", "", "p{L}", True),
    (r"\e", "", "e", True),
    (r"\x41", "", "A", True),
    (r"\x4", "", "x4", True),
    (r"\u0041", "", "A", True),
    (r"\u004", "", "u004", True),
    (r"\cA", "", "\u0001", True),
    (r"^\c$", "", r"\c", True),
    (r"[\c1]", "", "\u0011", True),
    (r"[\c*]", "", "\\", True),
    (r"\-", "", "-", True),
    ("\\\n", "", "\n", True),
    ("x{,3}", "", "x{,3}", True),
    ("^x{,3}$", "", "xx", False),
    ("x{2", "", "x{2", True),
    ("^x{2}$", "", "xx", True),
    ("a{}", "", "a{}", True),
    ("^{a}$", "", "{a}", True),
    ("]", "", "]", True),
    ("}", "", "}", True),
    ("a{0,99999999999}b", "", "b", True),
    ("^(?:|a)*$", "", "aa", True),
    ("[]", "", "a", False),
    ("a[]*", "", "a", True),
    ("[^]", "", "\n", True),
    ("[^]", "", "", False),
    (r"^[\w-a]+$", "", "b-", True),
    (r"^[a-\d]$", "", "-", True),
    ("[[]", "", "[", True),
    ("[!--]", "", "-", True),
    ("[a&&b]", "", "&", True),
    ("[a||b]", "", "|", True),
    ("[a~~b]", "", "~", True),
    ("[[a]b]", "", "[b]", True),
    ("^[[a]b]$", "", "ab]", True),
    (r"[\b]", "", "\b", True),
    (r"[\B]", "", "B", True),
    ("[-a]", "", "-", True),
    ("[a-]", "", "-", True),
    ("[^^]", "", "^", False),
    (r"[\]]", "", "]", True),
    ("[a^]", "", "^", True),
    ("(?=a)*b", "", "b", True),
    ("(?=a)+b", "", "b", False),
    ("(?!a){2}b", "", "b", True),
    (r"^(?=(a))?b\1$", "", "b", True),
    ("(?<=a)b", "", "ab", True),
    ("(?<!a)b", "", "ab", False),
    ("(?<=a|bc)d", "", "bcd", True),
    ("(?<!a|bc)d", "", "bcd", False),
    (r"(?<=\$)\d+", "", "$42", True),
    ("É", "i", "é", True),
    ("é", "i", "É", True),
    ("[à-ý]", "i", "É", True),
    ("[^é]", "i", "É", False),
    ("ß", "i", "ẞ", False),
    ("ß", "i", "SS", False),
    ("k", "i", "\u212a", False),
    ("s", "i", "\u017f", False),
    (r"\w", "i", "\u017f", False),
    (r"\W", "i", "k", False),
    ("[a-z]+$", "i", "İ", False),
    ("\u03c3", "i", "\u03c2", True),
    ("\u00b5", "i", "\u03bc", True),
    ("\u0131", "i", "I", False),
    ("𐐀", "i", "𐐨", False),
    ("A", "i", "a", True),
    ("A", "", "a", False),
    ("[^A]", "i", "a", False),
    ("\\b\u00e9", "", "é", False),
    (r"a\b", "", "aé", True),
    (r"\B", "", "", True),
    (r"\b", "", "", False),
    (r"^\B$", "", "", True),
    (r"\bk\b", "i", "K", True),
    ("", "", "", True),
    ("|a", "", "", True),
    ("()", "", "", True),
    ("a||b", "", "x", True),
    ("(?:a|ab)(?:c|bcd)$", "", "abcd", True),
    ("^(?:a+)+$", "", "aaa", True),
    ("a+?b", "", "aab", True),
    ("a??", "", "b", True),
    ("^a{1,2}?$", "", "aa", True),
]

INVALID = [
    "(",
    "(a",
    ")",
    "a)",
    "*",
    "+a",
    "?",
    "a**",
    "a*+",
    "a++",
    "a?+",
    "a{1}{2}",
    "a{1}+",
    "{1}",
    "^*",
    "$+",
    r"\b*",
    r"\B?",
    "(?<=a)*",
    "(?<!a)+",
    "[",
    "[a",
    "[b-a]",
    r"[\w-",
    "\\",
    "a\\",
    "(?",
    "(?)",
    "(?i)a",
    "(?i:a)",
    "(?-i:a)",
    "(?s)a",
    "(?P<n>a)",
    "(?P=n)",
    "(?#c)",
    "(?(1)a)",
    "(a)(?(1)b)",
    "(?>a)",
    "(?<n",
    "(?<>a)",
    "(?<1>a)",
    "(?<n>a)(?<n>b)",
    r"(?<n>a)\k",
    r"(?<n>a)\k<m>",
    r"(?<n>a)[\k]",
    "(?<\u200c>a)",
    "a{2,1}",
    "a{1000002,1000001}",
    "|*",
    "(*a)",
    "(?:*a)",
]

UNTRANSLATABLE = [
    "(?<=a+)b",
    "(?<!a{1,2})b",
    r"(a)(?<=\1)b",
    r"(?<=\1(a))b",
    "(" * 101 + ")" * 101,
    "(" * 500 + ")" * 500,
]

FRAGMENTS = st.sampled_from(
    [
        *"()[]{}?*+|^$\\.-,:=!<>/ab129ckxunPé😀",
        *("(?:", "(?<n>", "(?=", "(?!", "(?<=", "(?<!", r"\k<n>", r"\1", r"\b", r"\W"),
        *("[^", "a-z", "{2}", "{1,2}", "{0,}", "&&", "--", "[["),
    ],
)
PATTERNS = st.text(max_size=20) | st.lists(FRAGMENTS, max_size=12).map("".join)
TEXTS = st.text(max_size=12) | st.text(st.characters(), max_size=12)


@pytest.mark.parametrize(("pattern", "flags", "text", "expected"), FOUND)
def test_pattern_finds_what_node_finds(
    pattern: str, flags: str, text: str, *, expected: bool
) -> None:
    """A valid pattern is found in a text exactly when node finds it."""
    assert compile_pattern(pattern, ignore_case=flags == "i").found(text) is expected


@pytest.mark.parametrize("pattern", INVALID)
def test_pattern_that_node_refuses_is_an_error_with_a_position(pattern: str) -> None:
    """A pattern that is no ECMAScript is refused with a message that says where."""
    with pytest.raises(PatternError, match=r".+ at position \d+"):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", UNTRANSLATABLE)
def test_pattern_beyond_the_translation_is_an_error(pattern: str) -> None:
    """A pattern that ECMAScript allows but that cannot be run here is refused."""
    with pytest.raises(PatternError):
        compile_pattern(pattern)


def test_pattern_error_is_a_value_error() -> None:
    """Callers that catch ValueError catch pattern errors too."""
    assert issubclass(PatternError, ValueError)


def test_error_names_what_is_wrong_and_where() -> None:
    """The message of an error names the construct and the position behind it."""
    with pytest.raises(PatternError, match=r"^range out of order at position 5$"):
        compile_pattern("x[b-a]")


def test_many_groups_keep_their_numbers() -> None:
    """A back-reference to a group beyond the 99th means that group, not an octal escape."""
    found = compile_pattern("^" + "(a)" * 119 + "(b)" + r"\120$").found
    assert found("a" * 119 + "bb")
    assert not found("a" * 119 + "bP")


def test_groups_nested_as_deep_as_allowed_are_compiled() -> None:
    """One hundred groups inside one another are accepted."""
    assert compile_pattern("(" * 100 + "a" + ")" * 100).found("a")


def test_lone_surrogate_in_the_text_is_an_ordinary_unit() -> None:
    """A text with an unpaired surrogate is searched like any other."""
    assert compile_pattern("^a.b$").found("a\ud800b")


@pytest.mark.parametrize("count", [16_384, 16_385, 1_000_000, 10**20, 10**900])
def test_count_beyond_what_a_text_holds_is_never_reached(count: int) -> None:
    """A repeat of any size is accepted; none of more than 16,384 units is found in a text."""
    found = compile_pattern(f"^a{{{count}}}").found
    assert found("a" * 16_384) is (count == 16_384)
    assert compile_pattern(f"^a{{0,{count}}}$").found("a" * 16_384)
    assert compile_pattern(f"^a{{1,{count}}}?b").found("a" * 16_383 + "b")
    assert compile_pattern(f"^(?:){{{count}}}b").found("b")


@settings(deadline=None)
@given(pattern=PATTERNS, ignore_case=st.booleans(), text=TEXTS)
def test_any_pattern_is_refused_or_answers_any_text(
    pattern: str, text: str, *, ignore_case: bool
) -> None:
    """Whatever the pattern, it raises PatternError or answers with a bool, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = compile_pattern(pattern, ignore_case=ignore_case).found
        except PatternError:
            return
        assert isinstance(found(text), bool)


@settings(deadline=None)
@given(text=st.text(max_size=20), before=st.text(max_size=5), after=st.text(max_size=5))
def test_escaped_text_is_found_in_any_text_around_it(text: str, before: str, after: str) -> None:
    """A text whose syntax characters are escaped is found wherever it stands."""
    pattern = re.sub(r"[\\^$.*+?()\[\]{}|/]", r"\\\g<0>", text)
    assert compile_pattern(pattern).found(before + text + after)
    assert compile_pattern(pattern, ignore_case=True).found(before + text + after)
