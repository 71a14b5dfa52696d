"""Attributes that every request has: its page, where it came from, and what shows it.

Those that GrowthBook's browser SDK collects by itself have its values here, so that a condition
means the same in a browser and on the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from abmiddleware.exceptions import ConfigurationError
from abmiddleware.extras import required
from abmiddleware.facts import RequestFacts
from abmiddleware.notices import notices

#: Characters of a header or query that are looked at.
_LONGEST: Final = 2_000
_LANGUAGE: Final = re.compile(r"([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)(?:;q=([01](?:\.\d{0,3})?))?")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
#: What CDNs send for an address of no country.
_NO_COUNTRY: Final = frozenset({"XX", "ZZ"})


def attribute_of(name: str, facts: RequestFacts) -> object:
    """Return an attribute of a request by its name; None where it has none, or nobody knows it."""
    read = _READERS.get(name)
    return None if read is None else read(facts)


def country_of(value: str) -> str | None:
    """Return the country that a CDN's header tells, as two capital letters of ISO 3166."""
    country = value.strip().upper()
    return country if _COUNTRY.fullmatch(country) and country not in _NO_COUNTRY else None


def _host(facts: RequestFacts) -> str | None:
    try:
        return urlsplit(facts.url()).netloc or None
    except ValueError:  # a host that is no address
        return None


def _query(facts: RequestFacts) -> str:
    query = facts.query()
    return f"?{query}" if query else ""


def _parameter(name: str) -> Callable[[RequestFacts], str | None]:
    return lambda facts: _parameters(facts.query()[:_LONGEST]).get(name)


@lru_cache(maxsize=128)
def _parameters(query: str) -> Mapping[str, str]:
    """Return the first value of each parameter."""
    return dict(reversed(parse_qsl(query)))


def _language(facts: RequestFacts) -> str | None:
    """Return the language that a browser wants most (RFC 9110, section 12.5.4)."""
    best, weight = None, 0.0
    for part in facts.header("accept-language")[:_LONGEST].split(","):
        match = _LANGUAGE.fullmatch(part.replace(" ", ""))
        if match and (wanted := float(match[2] or 1)) > weight:
            best, weight = match[1], wanted
    return best


def _browser(facts: RequestFacts) -> str:
    agent = facts.header("user-agent")
    for name, mark in _BROWSERS:
        if mark in agent:
            return name
    return "unknown"


#: In their order: most name others, to be given their pages.
_BROWSERS: Final = (
    ("edge", "Edg"),
    ("chrome", "Chrome"),
    ("firefox", "Firefox"),
    ("safari", "Safari"),
)


def _device_type(facts: RequestFacts) -> str:
    return "mobile" if "Mobi" in facts.header("user-agent") else "desktop"


def _agent(part: str, *fields: str) -> Callable[[RequestFacts], str | None]:
    """Return what reads a part of the `User-Agent`, as ua-parser has it."""

    def read(facts: RequestFacts) -> str | None:
        found = getattr(_parsed(facts.header("user-agent")[:_LONGEST]), part, None)
        values = [getattr(found, field, None) for field in fields]
        return ".".join(value for value in values if value) or None

    return read


@lru_cache(maxsize=1024)
def _parsed(agent: str) -> Any:
    try:
        return required("ua_parser", "ua", "an attribute of the browser").parse(agent)
    except ConfigurationError as error:
        missing = error
        notices.warn_once("ua-parser", lambda: missing)
        return None


_UTM: Final = ("source", "medium", "campaign", "term", "content")
_VERSION: Final = ("major", "minor", "patch")

_READERS: Final[Mapping[str, Callable[[RequestFacts], object]]] = {
    "url": lambda facts: facts.url() or None,
    "path": lambda facts: facts.path(),
    "host": _host,
    "method": lambda facts: facts.method() or None,
    "query": _query,
    **{f"utm_{name}": _parameter(f"utm_{name}") for name in _UTM},
    **{f"utm{name.title()}": _parameter(f"utm_{name}") for name in _UTM},
    "language": _language,
    "browser": _browser,
    "device_type": _device_type,
    "deviceType": _device_type,
    "browser_name": _agent("user_agent", "family"),
    "browser_version": _agent("user_agent", *_VERSION),
    "os": _agent("os", "family"),
    "os_version": _agent("os", *_VERSION),
    "device": _agent("device", "family"),
}
