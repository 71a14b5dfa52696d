"""Where redirects lead, and whether they may (specification, section 16)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abmiddleware.evaluation.redirects import (
    is_absolute,
    is_cross_origin,
    is_safe_redirect,
    redirect_target,
)
from abmiddleware.evaluation.urls import parse_url
from tests.evaluation.strategies import thorough

CASES: Final = json.loads((Path(__file__).parents[1] / "data/growthbook_cases.json").read_text())
PAGE = "https://shop.example/a/b?x=1"

#: What node 20 answers when the page's parameters are appended to `new URL(target)`.
MERGED: list[tuple[str, str, str]] = [
    ("http://x.com/new", "http://h/?a=1&b=2", "http://x.com/new?a=1&b=2"),
    ("http://x.com/new?b=9", "http://h/?a=1&b=2", "http://x.com/new?b=9&a=1"),
    ("http://x.com/?b=9&b=8", "http://h/?b=2&a=1", "http://x.com/?b=9&b=8&a=1"),
    ("http://x.com/", "http://h/?a=1&a=2", "http://x.com/?a=1"),
    ("http://x.com/#there", "http://h/?a=1#here", "http://x.com/?a=1#there"),
    ("http://x.com/?#", "http://h/?a=1", "http://x.com/?a=1#"),
    ("http://x.com/?c=%20d&e='", "http://h/?a", "http://x.com/?c=+d&e=%27&a="),
    ("http://x.com/?c=%20d&e='", "http://h/?c=1", "http://x.com/?c=%20d&e=%27"),
    ("http://x.com/?c=%20d&&e='#f", "http://h/#g", "http://x.com/?c=%20d&&e=%27#f"),
    ("HTTP://X.com:80/p/../q", "http://h/", "http://x.com/q"),
    ("http://x.com", "http://h/?a=%7e*&b=%C3%A9", "http://x.com/?a=%7E*&b=%C3%A9"),
    ("http://x.com/", "http://h/?%61=1&\u00e9=%ff", "http://x.com/?a=1&%C3%A9=%EF%BF%BD"),
    ("http://x.com/?%61=1", "http://h/?a=2", "http://x.com/?%61=1"),
    ("http://x.com/", "http://h/?a=b%26c%3Dd%23", "http://x.com/?a=b%26c%3Dd%23"),
    ("http://x.com/", "http://h/?&&=&=1", "http://x.com/?="),
    ("http://x.com/?a+b=1", "http://h/?a%20b=2&a%2Bb=3", "http://x.com/?a+b=1&a%2Bb=3"),
    ("http://x.com/", "http://h/?a=1%0d%0aSet-Cookie:b", "http://x.com/?a=1%0D%0ASet-Cookie%3Ab"),
    ("http://u:p@x.com:81/", "http://h/?a=1", "http://u:p@x.com:81/?a=1"),
    ("foo:bar", "http://h/?a=1", "foo:bar?a=1"),
    ("/new?c=%20d", "http://h/?a=1", "/new?c=%20d"),
    ("//x.com/new", "http://h/?a=1", "//x.com/new"),
    ("HTTP://x.com", "/page?a=1", "HTTP://x.com"),
    ("http://", "http://h/?a=1", "http://"),
]


@pytest.mark.parametrize(
    ("target", "current", "expected"), MERGED, ids=[ascii(row[:2]) for row in MERGED]
)
def test_parameters_go_with_the_visitor(target: str, current: str, expected: str) -> None:
    """The page's parameters that the target lacks are added, the first of each name."""
    assert redirect_target(target, current, persist_query=True) == expected


@pytest.mark.parametrize("target", [row[0] for row in MERGED], ids=ascii)
def test_without_parameters_a_target_stays(target: str) -> None:
    """A target that keeps no query is the URL as it is written."""
    assert redirect_target(target, "http://h/?a=1#b", persist_query=False) == target


@pytest.mark.parametrize("target", ["", None, 5, ["http://x.com"], {}], ids=repr)
def test_what_is_no_text_is_no_target(target: Any) -> None:
    """A variation without a URL sends nobody anywhere."""
    assert redirect_target(target, PAGE, persist_query=True) is None
    assert redirect_target(target, PAGE, persist_query=False) is None


@pytest.mark.parametrize(
    ("context", "expected"),
    [row[1:] for row in CASES["urlRedirect"]],
    ids=[row[0] for row in CASES["urlRedirect"]],
)
def test_growthbooks_redirects(context: Any, expected: Any) -> None:
    """GrowthBook's own redirects lead where its cases say."""
    for exposure in expected:
        targets = {
            redirect_target(
                variation["urlRedirect"],
                context["url"],
                persist_query=experiment.get("persistQueryString", False),
            )
            for experiment in context["experiments"]
            for variation in experiment["variations"]
            if variation.get("urlRedirect") == exposure["urlRedirect"]
        }

        assert targets == {exposure["urlWithParams"]}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://x.com", True),
        ("mailto:a@b.c", True),
        ("http:x.com", True),
        ("/a", False),
        ("//x.com/a", False),
        ("", False),
        ("http://", False),
        ("http://a b/", False),
    ],
    ids=repr,
)
def test_absolute_urls(url: str, expected: bool) -> None:
    """A URL is absolute if it can be read without a page."""
    assert is_absolute(url) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example/z", False),
        ("HTTPS://SHOP.example:443/z", False),
        ("https://u:p@shop.example/z", False),
        ("http://shop.example/", True),
        ("https://shop.example:8443/", True),
        ("https://www.shop.example/", True),
        ("/z", True),
        ("https://", True),
    ],
    ids=repr,
)
def test_cross_origin(url: str, expected: bool) -> None:
    """Another scheme, host or port is another origin, and so is what cannot be read."""
    assert is_cross_origin(url, PAGE) is expected
    assert is_cross_origin(PAGE, url) is expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("https://shop.example/new", True),
        ("http://SHOP.example:80/new", True),
        ("https://shop.example:443/", True),
        ("https://other.example/new?a=1#b", True),
        ("https://OTHER.example./", False),
        ("https://b\u00fccher.example/", True),
        ("https://xn--bcher-kva.example/", True),
        ("https://[::1]:8000/", True),
        ("https://port.example:8443/", True),
        ("https://port.example/", False),
        ("https://port.example:443/", False),
        ("https://shop.example:8443/", False),
        ("/new", True),
        ("new", True),
        ("?a=1", True),
        ("#a", True),
        ("", True),
        ("//shop.example/new", True),
        ("/new?to=https://evil.example/", True),
        ("/new?to=//evil.example/", True),
        ("https://evil.example/", False),
        ("https://shop.example.evil.example/", False),
        ("https://evil.example/shop.example", False),
        ("https://evil.example#@shop.example/", False),
        ("https://evil.example?@shop.example/", False),
        ("//evil.example", False),
        ("///evil.example", False),
        ("////evil.example", False),
        ("/\\evil.example", False),
        ("\\\\evil.example", False),
        ("\\/evil.example", False),
        ("/\t/evil.example", False),
        ("\t//evil.example", False),
        (" //evil.example", False),
        ("\x00//evil.example", False),
        ("/\n/evil.example", False),
        ("https:\\\\evil.example", False),
        ("https:/evil.example", False),
        ("https:evil.example", False),
        ("https:///evil.example", False),
        ("http:/evil.example", False),
        ("ht\ttps://evil.example", False),
        ("https://shop.example@evil.example/", False),
        ("https://evil.example@shop.example/", False),
        ("https://u:p@shop.example/", False),
        ("//u@shop.example/", False),
        ("https://shop.example\\@evil.example/", False),
        ("https://evil.example\\@shop.example/", False),
        ("https://evil\u3002example/", False),
        ("https://shop\u3002example/", True),
        ("https://\uff45vil.example/", False),
        ("https://shop.example%2eevil.example/", False),
        ("https://shop.example%00.evil.example/", False),
        ("https://evil.example/%0d%0aLocation:a", False),
        ("/a\r\nSet-Cookie: b=c", False),
        ("/a\u2028b", False),
        ("/a\x85b", False),
        ("/a\ud800", False),
        ("javascript:alert(1)", False),
        ("JavaScript:alert(1)//https://shop.example/", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,a", False),
        ("vbscript:a", False),
        ("file:///etc/passwd", False),
        ("ftp://shop.example/", False),
        ("ws://shop.example/", False),
        ("blob:https://shop.example/a", False),
        ("https://", False),
        ("https://shop.example:99999/", False),
    ],
    ids=ascii,
)
def test_safe_redirects(target: str, expected: bool) -> None:
    """A redirect is safe that leads, read as a browser reads it, to the same or an allowed host."""
    allowed = ["Other.Example", "xn--bcher-kva.example", "[::1]:8000", "port.example:8443", "a b"]

    assert is_safe_redirect(target, PAGE, allowed) is expected


@pytest.mark.parametrize("page", ["", "/a", "http://", "mailto:a@b.c"], ids=repr)
def test_without_a_host_only_allowed_hosts_are_safe(page: str) -> None:
    """If the page's host is not known, a target must be absolute and on an allowed host."""
    assert is_safe_redirect("https://shop.example/", page, {"shop.example"})
    assert not is_safe_redirect("https://shop.example/", page, ())
    assert not is_safe_redirect("/new", page, {"shop.example"})


@pytest.mark.parametrize("target", [None, 5, b"/new", ["/new"]], ids=repr)
def test_what_is_no_text_is_not_safe(target: Any) -> None:
    """A target of another type is refused."""
    assert not is_safe_redirect(target, PAGE, ())
    assert not is_absolute(target)
    assert is_cross_origin(target, PAGE)


TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
URLS = TEXT | st.lists(
    st.sampled_from(
        [
            *("https:", "http:", "javascript:", "//", "/", "\\", "@", ":", "?", "#", "&", "=", "a"),
            *("shop.example", "evil.example", "\u3002", "%2f", "%00", "\t", "\n", " ", "80", "443"),
        ]
    ),
    max_size=9,
).map("".join)


@thorough
@given(target=URLS, page=st.just(PAGE) | URLS, hosts=st.lists(TEXT, max_size=2))
def test_redirects_are_total(target: str, page: str, hosts: list[str]) -> None:
    """Whatever the target and the page, there is an answer."""
    merged = redirect_target(target, page, persist_query=True)

    assert (merged is None) is (target == "")
    assert is_safe_redirect(target, page, hosts) in (True, False)
    assert is_cross_origin(target, page) in (True, False)
    assert is_absolute(target) in (True, False)


@thorough
@given(target=URLS)
def test_a_safe_redirect_stays_on_the_host(target: str) -> None:
    """Whether the page is on http or https, a browser would stay on its host."""
    if is_safe_redirect(target, PAGE, ()):
        for scheme in ("http", "https"):
            there = parse_url(target, f"{scheme}://shop.example/a/b?x=1")

            assert there is not None
            assert there.host.partition(":")[0] == "shop.example"
            assert there.scheme in ("http", "https")


@thorough
@given(target=URLS, page=URLS)
def test_merging_again_changes_nothing(target: str, page: str) -> None:
    """A target that has the page's parameters is left alone."""
    merged = redirect_target(target, page, persist_query=True)
    if merged is not None:
        assert redirect_target(merged, page, persist_query=True) == merged
