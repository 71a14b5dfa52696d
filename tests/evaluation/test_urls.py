"""URLs as browsers read them: the tables hold what node 20 answers to `new URL(url, base).href`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from abmiddleware.evaluation.urls import Url, parse_url, query_override
from tests.evaluation.strategies import thorough

CASES: Final = json.loads((Path(__file__).parents[1] / "data/growthbook_cases.json").read_text())

ABSOLUTE: list[tuple[str, str | None]] = [
    ("http://example.com", "http://example.com/"),
    ("HTTP://EXAMPLE.COM/A", "http://example.com/A"),
    ("https://example.com:443/", "https://example.com/"),
    ("http://example.com:80/a", "http://example.com/a"),
    ("http://example.com:443/", "http://example.com:443/"),
    ("ws://h:80", "ws://h/"),
    ("https://example.com:0443/", "https://example.com/"),
    ("http://h:", "http://h/"),
    ("http://h:65536/", None),
    ("http://h:8a/", None),
    ("  http://h/ \n", "http://h/"),
    ("ht\ttp://h/a\nb", "http://h/ab"),
    ("http:h/a", "http://h/a"),
    ("http:/h/a", "http://h/a"),
    ("http:////h/a", "http://h/a"),
    ("http:\\\\h\\a\\b", "http://h/a/b"),
    ("http://h\\@evil.example/", "http://h/@evil.example/"),
    ("http://u:p@h/", "http://u:p@h/"),
    ("http://u@evil@h/", "http://u%40evil@h/"),
    ("http://:@h/", "http://h/"),
    ("http://@/a", None),
    ("http://", None),
    ("http:///", None),
    ("https://?q", None),
    ("http://h/a/./b/../c", "http://h/a/c"),
    ("http://h/..", "http://h/"),
    ("http://h/%2e%2E/a/%2e", "http://h/a/"),
    ("http://h/a//b", "http://h/a//b"),
    ("http://h/a/..%2fb", "http://h/a/..%2fb"),
    ('http://h/a b"<>`{}^|', "http://h/a%20b%22%3C%3E%60%7B%7D^|"),
    ("http://h/?a b\"<>`{}'", "http://h/?a%20b%22%3C%3E`{}%27"),
    ("http://h/#a b\"<>`{}'", "http://h/#a%20b%22%3C%3E%60{}'"),
    ("http://h/\xe9?\xe9#\xe9", "http://h/%C3%A9?%C3%A9#%C3%A9"),
    ("http://h/%zz%4", "http://h/%zz%4"),
    ("http://h?", "http://h/?"),
    ("http://h#", "http://h/#"),
    ("http://h/?a?b#c#d", "http://h/?a?b#c#d"),
    ("http://h/\ud800\x00", "http://h/%EF%BF%BD"),
    ("http://B\xfccher.example/", "http://xn--bcher-kva.example/"),
    ("http://fa\xdf.de/", "http://xn--fa-hia.de/"),
    ("http://\u65e5\u672c\u8a9e\u3002jp/", "http://xn--wgv71a119e.jp/"),
    ("http://\u2603.net/", "http://xn--n3h.net/"),
    ("http://\uff27\uff2f\uff0ecom/", "http://go.com/"),
    ("http://xn--9ca.com/", "http://xn--9ca.com/"),
    ("http://xn--a/", None),
    ("http://xn--ph7c/", None),
    ("http://ab\xadc.example/", "http://abc.example/"),
    ("http://\u0301a/", None),
    ("http://\u200d.example/", None),
    ("http://\ufffd/", None),
    ("http://a_b.c/", "http://a_b.c/"),
    ("http://*.example.com/*", "http://*.example.com/*"),
    ("http://a b/", None),
    ("http://a%20b/", None),
    ("http://%41.com/", "http://a.com/"),
    ("http://a<b/", None),
    ("http://h./", "http://h./"),
    ("http://1.2.3.4/", "http://1.2.3.4/"),
    ("http://0x7f.1/", "http://127.0.0.1/"),
    ("http://0177.0.0.01/", "http://127.0.0.1/"),
    ("http://2130706433/", "http://127.0.0.1/"),
    ("http://1.2.3/", "http://1.2.0.3/"),
    ("http://256.1.1.1/", None),
    ("http://1.2.3.4.5/", None),
    ("http://a.1/", None),
    ("http://[1:2:3:4:5:6:7:8]/", "http://[1:2:3:4:5:6:7:8]/"),
    ("http://[::1]:8080/", "http://[::1]:8080/"),
    ("http://[1:2:0:0:5:0:0:0]/", "http://[1:2:0:0:5::]/"),
    ("http://[::ffff:1.2.3.4]/", "http://[::ffff:102:304]/"),
    ("http://[::1/", None),
    ("http://[::1%25eth0]/", None),
    ("ftp://h:21/a", "ftp://h/a"),
    ("file:///a/../b", "file:///b"),
    ("file://localhost/a", "file:///a"),
    ("foo://H/a/../b", "foo://H/b"),
    ("foo:/a", "foo:/a"),
    ("foo:///a", "foo:///a"),
    ("mailto:a@b.c", "mailto:a@b.c"),
    ("javascript:alert(1)", "javascript:alert(1)"),
    ("data:,a b", "data:,a b"),
    ("/a", None),
    ("//h/a", None),
    ("a", None),
    ("?q", None),
    ("", None),
    ("1http://h/", None),
    ("foo://a b/", None),
    ("foo:/.//p", "foo:/.//p"),
]

RELATIVE: list[tuple[str, str, str | None]] = [
    ("/a/../b", "https://_", "https://_/b"),
    ("", "https://_", "https://_/"),
    ("?q", "http://h/a/b?x#f", "http://h/a/b?q"),
    ("#g", "http://h/a/b?x#f", "http://h/a/b?x#g"),
    ("", "http://h/a/b?x#f", "http://h/a/b?x"),
    ("c", "http://h/a/b", "http://h/a/c"),
    ("../c", "http://h/a/b/d", "http://h/a/c"),
    ("../../../c", "http://h/a/b", "http://h/c"),
    ("//e/c", "http://h/a", "http://e/c"),
    ("/\\e/c", "http://h/a", "http://e/c"),
    ("\\\\e/c", "http://h/a", "http://e/c"),
    ("////e/c", "http://h/a", "http://e/c"),
    ("/\t/e/c", "http://h/a", "http://e/c"),
    ("http:c", "http://h/a/b", "http://h/a/c"),
    ("http:/c", "http://h/a/b", "http://h/c"),
    ("https:c", "http://h/a/b", "https://c/"),
    ("http://e", "http://h", "http://e/"),
    ("/c", "http://u:p@h:81/a", "http://u:p@h:81/c"),
    ("c", "foo://h", "foo://h/c"),
    ("//e", "foo:/a", "foo://e"),
    ("\\c", "foo://h/a", "foo://h/\\c"),
    ("c", " ht\ttp://h/a\n", "http://h/c"),
    ("c", "mailto:x", None),
    ("", "mailto:x", None),
    ("#c", "mailto:x", "mailto:x#c"),
    ("/c", "nothing", None),
]

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
PARTS = st.sampled_from(
    [
        *(
            "http:",
            "https:",
            "ftp:",
            "file:",
            "foo:",
            "mailto:",
            "//",
            "/",
            "\\",
            "?",
            "#",
            "@",
            ":",
        ),
        *(
            "h",
            "EXAMPLE.com",
            "\xe9",
            "\u65e5\u672c",
            "xn--9ca",
            "[::1]",
            "1.2",
            "0x",
            "%2e",
            "..",
            ".",
        ),
        *(
            "*",
            "%",
            "%zz",
            "%ff",
            " ",
            "\t",
            "\x00",
            "\ud800",
            "\U0001f600",
            "&",
            "=",
            "+",
            "1",
            "80",
        ),
    ]
)
URLS = ANY_TEXT | st.lists(PARTS, max_size=12).map("".join)


def href(url: str, base: str | None = None) -> str | None:
    """Return the normal form of a URL."""
    parsed = parse_url(url, base)
    return None if parsed is None else parsed.href


@pytest.mark.parametrize(("url", "expected"), ABSOLUTE, ids=[ascii(row[0]) for row in ABSOLUTE])
def test_a_url_is_read_as_browsers_do(url: str, expected: str | None) -> None:
    """An absolute URL gets the normal form that a browser gives it, or is refused like there."""
    assert href(url) == expected


@pytest.mark.parametrize(
    ("url", "base", "expected"), RELATIVE, ids=[ascii(row[:2]) for row in RELATIVE]
)
def test_a_relative_url_is_resolved(url: str, base: str, expected: str | None) -> None:
    """Against a base, a URL leads where a browser's link would."""
    assert href(url, base) == expected


def test_the_parts_of_a_url() -> None:
    """The parts stand without their signs, the host with its port."""
    url = parse_url("HTTPS://u:p@Example.com:8443/a/../b%20c?d=e#f")

    assert url == Url(
        href="https://u:p@example.com:8443/b%20c?d=e#f",
        scheme="https",
        userinfo="u:p",
        host="example.com:8443",
        path="/b%20c",
        query="d=e",
        fragment="f",
        tail="/b%20c?d=e#f",
        was_absolute=True,
    )
    assert url.origin == "https://example.com:8443"


@pytest.mark.parametrize("url", ["foo://h/a", "mailto:a@b.c", "file:///a"])
def test_other_schemes_have_no_origin(url: str) -> None:
    """Only schemes of the web have an origin."""
    parsed = parse_url(url)

    assert parsed is not None
    assert parsed.origin == "null"


def test_whether_a_url_was_absolute() -> None:
    """A URL that needed the base says so."""
    relative, absolute = parse_url("/a", "http://h"), parse_url(" http://h/a", "http://h")

    assert relative is not None
    assert absolute is not None
    assert (relative.was_absolute, absolute.was_absolute) == (False, True)
    assert relative.href == absolute.href


@pytest.mark.parametrize(
    "url", [None, 1, b"http://h/", ["http://h/"], object()], ids=lambda url: type(url).__name__
)
def test_what_is_no_text_is_no_url(url: Any) -> None:
    """A value of another type is not parsed."""
    assert parse_url(url) is None


@pytest.mark.parametrize(
    "host",
    [
        "0" * 5_000 + "1",
        "0x" + "f" * 5_000,
        "9" * 5_000,
        "1.2.3." + "9" * 5_000,
        "h:" + "9" * 5_000,
        "\xe9" * 5_000,
        "xn--" + "9" * 5_000,
        "[" + ":" * 5_000 + "]",
    ],
    ids=lambda host: f"{host[:6]!a} and on",
)
def test_a_host_without_end_is_refused(host: str) -> None:
    """Numbers and names that are too long to be a host are no host."""
    assert parse_url(f"http://{host}/") is None


@thorough
@given(url=URLS, base=st.none() | URLS | st.sampled_from(["https://_", "http://h/a/b?c#d"]))
def test_parsing_is_total(url: str, base: str | None) -> None:
    """Whatever the text, there is a URL in ASCII or none."""
    parsed = parse_url(url, base)

    assert parsed is None or parsed.href.isascii()


@thorough
@given(url=URLS, base=st.sampled_from([None, "https://_", "http://h/a/b?c#d"]))
@example("foo:/.//a", None)
@example("http://h/a/..//b", None)
def test_a_normal_form_stays(url: str, base: str | None) -> None:
    """Parsing the normal form again gives the same URL."""
    parsed = parse_url(url, base)
    assume(parsed is not None)
    assert parsed is not None
    again = parse_url(parsed.href)

    assert again is not None
    assert again.href == parsed.href
    assert (again.scheme, again.userinfo, again.host, again.path, again.query, again.fragment) == (
        *(parsed.scheme, parsed.userinfo, parsed.host),
        *(parsed.path, parsed.query, parsed.fragment),
    )


@pytest.mark.parametrize(
    ("name", "key", "url", "count", "expected"),
    CASES["getQueryStringOverride"],
    ids=[row[0] for row in CASES["getQueryStringOverride"]],
)
def test_growthbooks_cases_of_query_overrides(
    name: str, key: str, url: str, count: int, expected: int | None
) -> None:
    """GrowthBook's own cases of `getQueryStringOverride` have their answers."""
    assert query_override(key, url, count) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/page?exp=1", 1),
        ("?exp=1", 1),
        ("?exp=01", 1),
        ("?exp=" + "0" * 5_000 + "1", 1),
        ("?exp=" + "9" * 5_000, None),
        ("?exp=1.5", None),
        ("?exp=1abc", None),
        ("?exp=-1", None),
        ("?exp=+1", None),
        ("?exp=%2B1", None),
        ("?exp=1%20", None),
        ("?exp=1 ", None),
        ("?exp=%D9%A1", None),
        ("?exp=\u0661", None),
        ("?exp=\xb9", None),
        ("?%65xp=%31", 1),
        ("?exp=1&exp=2", 1),
        ("?exp=&exp=2", None),
        ("?exp&exp=2", None),
        ("?exp=x&exp=2", None),
        ("?a=?exp=1", None),
        ("?a=1?&exp=1", 1),
        ("?EXP=1", None),
        ("?exp2=1", None),
        ("?exp=1;a", None),
        ("?exp=1=2", None),
        ("#?exp=1", None),
        ("#a?exp=1", None),
        ("?exp=1#?exp=2", 1),
        ("/exp=1", None),
        ("?exp=%ff", None),
        ("?exp=\ud800%31", None),
    ],
    ids=lambda cell: ascii(cell)[:30],
)
def test_query_overrides(url: str, expected: int | None) -> None:
    """The first parameter of the name counts if it is a plain number below the count (12.3)."""
    assert query_override("exp", url, 3) == expected


@pytest.mark.parametrize(
    ("key", "url"),
    [
        ("a b", "?a+b=1"),
        ("a b", "?a%20b=1"),
        ("\xe9", "?%C3%A9=1"),
        ("\xe9", "?\xe9=1"),
        ("", "?=1"),
    ],
    ids=ascii,
)
def test_a_key_may_be_encoded(key: str, url: str) -> None:
    """A parameter's name is decoded before it is compared."""
    assert query_override(key, url, 2) == 1


@thorough
@given(key=ANY_TEXT, url=URLS, count=st.integers(0, 12))
def test_query_overrides_are_total(key: str, url: str, count: int) -> None:
    """Whatever the URL and the key, there is an existing variation or none."""
    index = query_override(key, f"{url}?{key}={count // 2}", count)

    assert index is None or 0 <= index < count
