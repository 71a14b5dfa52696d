"""Section 12: URL targeting, the legacy `url`, the query override."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.cases import context, experiment, rows

Json = Any

URL = "https://www.Example.com:443/Shop/Cart?b=2&a=1&a=9#top"


@pytest.mark.parametrize(
    ("pattern", "url", "expected"),
    rows(
        ("the whole URL", "https://www.example.com/shop/cart", URL, True),
        ("another scheme", "http://www.example.com/Shop/Cart", URL, True),
        ("a host without a scheme", "www.example.com/shop/cart", URL, True),
        ("another host", "https://example.com/shop/cart", URL, False),
        ("another port", "https://www.example.com:8080/shop/cart", URL, False),
        ("a port that is given", "http://x.com:8080/a", "http://x.com:8080/a", True),
        ("a port that is not", "http://x.com/a", "http://x.com:8080/a", False),
        ("no host", "/shop/cart", URL, True),
        ("only a part of the path", "/shop", URL, False),
        ("a slash at the end", "/shop/cart/", URL, True),
        ("no slash at the start", "shop/cart", URL, True),
        ("a slash at the end of the URL", "/shop/cart", "http://x.com/shop/cart/", True),
        ("a wildcard in the path", "/shop/*", URL, True),
        ("a wildcard over slashes", "/*rt", URL, True),
        ("a wildcard for nothing", "/shop*/cart", URL, True),
        ("a wildcard in the host", "*.example.com/shop/*", URL, True),
        ("a wildcard within a segment", "/sh*p/c*t", URL, True),
        ("case does not matter", "/SHOP/CART", URL, True),
        ("the rest is literal", "/sho.", "http://x.com/shop", False),
        ("brackets are literal", "/a(b)", "http://x.com/a(b)", True),
        ("a parameter", "/shop/cart?b=2", URL, True),
        ("parameters in another order", "/shop/cart?a=1&b=2", URL, True),
        ("the first value counts", "/shop/cart?a=9", URL, False),
        ("a parameter that is absent", "/shop/cart?c=1", URL, False),
        ("an absent one is empty", "/shop/cart?c=", URL, True),
        ("a wildcard in a parameter", "/shop/cart?b=*", URL, True),
        ("a fragment", "/shop/cart#top", URL, True),
        ("another fragment", "/shop/cart#end", URL, False),
        ("the root", "/", "http://x.com", True),
        ("a relative URL", "/shop", "/shop?x=1", True),
        ("dots in the path", "/shop", "http://x.com/a/../shop", True),
        ("characters beyond ASCII", "/caf\u00e9", "http://x.com/caf\u00e9", True),
        ("an unparsable URL", "*", "http://", False),
        ("an unparsable pattern", "http://", URL, False),
    ),
)
def test_simple(implementation: Any, pattern: str, url: str, expected: bool) -> None:
    """12.1: a simple pattern is compared part by part."""
    target = {"type": "simple", "pattern": pattern, "include": True}
    assert implementation.is_url_targeted(url, [target]) is expected


@pytest.mark.parametrize(
    ("pattern", "url", "expected"),
    rows(
        ("anywhere in the URL", "op/C", URL, True),
        ("case matters", "shop", URL, False),
        ("the host is lower case", r"www\.example\.com/", URL, True),
        ("a default port is dropped", ":443", URL, False),
        ("the whole URL", "^https://www.example.com/Shop/Cart", URL, True),
        ("without the origin", "^/Shop/Cart", URL, True),
        ("query and fragment", r"a=9#top$", URL, True),
        ("an escaped slash", r"\/Shop\/", URL, True),
        ("characters beyond ASCII are encoded", "caf%C3%A9", "http://x.com/caf\u00e9", True),
        ("a relative URL", "^/shop$", "/shop", True),
        ("a bad pattern", "(", URL, False),
    ),
)
def test_regex(implementation: Any, pattern: str, url: str, expected: bool) -> None:
    """12.1: a regular expression is found in the URL, with or without its origin."""
    target = {"type": "regex", "pattern": pattern, "include": True}
    assert implementation.is_url_targeted(url, [target]) is expected


def target(pattern: str, **fields: Json) -> dict[str, Json]:
    return {"type": "simple", "pattern": pattern, **fields}


@pytest.mark.parametrize(
    ("targets", "expected"),
    rows(
        ("none", [], False),
        ("one of two", [target("/x"), target("/shop", include=True)], True),
        ("none of two", [target("/x", include=True), target("/y", include=True)], False),
        ("include is the default", [target("/shop")], True),
        ("an include of null (null-field)", [target("/shop", include=None)], True),
        ("an exclude that matches", [target("/*"), target("/shop", include=False)], False),
        ("an exclude that does not", [target("/*"), target("/x", include=False)], True),
        ("only excludes", [target("/x", include=False)], True),
        ("only excludes, one matches", [target("/shop", include=False)], False),
        ("an unknown type", [{"type": "glob", "pattern": "*", "include": True}], False),
        (
            "an unknown type that excludes",
            [target("/shop"), {"type": "glob", "pattern": "*", "include": False}],
            True,
        ),
    ),
)
def test_targets(implementation: Any, targets: Json, expected: bool) -> None:
    """12.1: excludes count before includes; an empty list targets nothing."""
    assert implementation.is_url_targeted("http://x.com/shop", targets) is expected


@pytest.mark.parametrize(
    ("pattern", "url", "expected"),
    rows(
        ("found in the whole URL", "x.com/sh", "http://x.com/shop", True),
        ("found in the path part", "^/shop$", "http://x.com/shop", True),
        ("with the query", r"^/shop\?a=1$", "http://x.com/shop?a=1", True),
        ("case matters", "SHOP", "http://x.com/shop", False),
        ("a relative URL", "^/shop$", "/shop", True),
        ("no URL", "", "", False),
        ("not found", "^shop", "http://x.com/shop", False),
        ("an invalid pattern", "(", "http://x.com/(", False),
    ),
)
def test_legacy(implementation: Any, pattern: str, url: str, expected: bool) -> None:
    """12.2: the legacy `url` of an experiment is a regular expression."""
    result = implementation.run(experiment(url=pattern or ".*"), context(url=url))
    assert result["inExperiment"] is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    rows(
        ("one digit", "http://x.com/?exp=1", 1),
        ("leading zeros are digits", "http://x.com/?exp=01", 1),
        ("the number of variations", "http://x.com/?exp=3", None),
        ("a relative URL", "/page?exp=1", 1),
        ("only a query", "?exp=1", 1),
        ("no query", "http://x.com/exp=1", None),
        ("only in the fragment", "http://x.com/#?exp=1", None),
        ("behind a fragment sign (query-odd)", "http://x.com/#a?exp=1", None),
        ("before a fragment", "http://x.com/?exp=1#?exp=2", 1),
        ("another name", "http://x.com/?exp2=1", None),
        ("names are case-sensitive", "http://x.com/?EXP=1", None),
        ("a fraction (query-odd)", "http://x.com/?exp=1.5", None),
        ("letters behind (query-odd)", "http://x.com/?exp=1abc", None),
        ("a sign", "http://x.com/?exp=+1", None),
        ("a blank", "http://x.com/?exp=%201", None),
        ("other digits", "http://x.com/?exp=%D9%A1", None),
        ("encoded (query-odd)", "http://x.com/?%65xp=%31", 1),
        ("the first occurrence decides (query-odd)", "http://x.com/?exp=1&exp=2", 1),
        ("also when it is blank (query-odd)", "http://x.com/?exp=&exp=2", None),
        ("also when it has no value (query-odd)", "http://x.com/?exp&exp=2", None),
        ("nothing", "http://x.com/?exp=", None),
        ("unknown", "", None),
    ),
)
def test_query_override(implementation: Any, url: str, expected: int | None) -> None:
    """12.3: the first parameter of that name, in decimal digits, below the number of variations."""
    assert implementation.query_override("exp", url, 3) == expected
