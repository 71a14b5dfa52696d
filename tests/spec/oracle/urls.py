"""Sections 12 and the targets of 16: what URLs decide."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from .freedom import free
from .patterns import found
from .values import field
from .whatwg import UnparsableError, Url, form, parameters, parse

Json = Any

DUMMY = "https://_"
#: As a base for patterns: the host of one that names none matches every host.
ANY_HOST = "https://*"


def is_url_targeted(url: str, targets: Json) -> bool:
    """12.1: tell whether a URL is targeted by patterns."""
    if not isinstance(targets, list):
        free("URL patterns that are no list")
        return False
    outcomes = [
        (field(target, "include") is not False, _matches(url, target))
        for target in targets
        if isinstance(target, dict)
    ]
    if len(outcomes) != len(targets):
        free("URL pattern that is no object")
    if any(matches for include, matches in outcomes if not include):
        return False
    includes = [matches for include, matches in outcomes if include]
    return bool(outcomes) and (any(includes) or not includes)


def _matches(url: str, target: Json) -> bool:
    kind, pattern = field(target, "type"), field(target, "pattern")
    if not isinstance(pattern, str):
        free("URL pattern that is not a string")
        return False
    try:
        actual = parse(url, DUMMY)
        if kind == "regex":
            return _matches_regex(actual, pattern)
        return kind == "simple" and _matches_simple(actual, pattern)
    except UnparsableError:
        return False


def _matches_regex(actual: Url, pattern: str) -> bool:
    if not actual.special:
        free("origin of a URL that is not of the web")
    rest = actual.href.removeprefix(actual.origin)
    return bool(found(pattern, actual.href) or found(pattern, rest))


def _matches_simple(actual: Url, pattern: str) -> bool:
    if "." in re.split("[:/?]", pattern, maxsplit=1)[0]:
        pattern = f"https://{pattern}"
    expected = parse(pattern, ANY_HOST)
    if not actual.special or not expected.special:
        free("URL that is not of the web")
    host = "*" if expected.host == "*" else expected.host_and_port
    parts = [
        _part(host, actual.host_and_port),
        _part(_trimmed(expected.path), _trimmed(actual.path))
        # A slash that a wildcard may stand for.
        or _part(_trimmed(expected.path), actual.path.removeprefix("/"))
        or _part(_trimmed(expected.path), actual.path.removesuffix("/"))
        or _part(_trimmed(expected.path), actual.path),
    ]
    if expected.fragment:
        if not actual.fragment and _part(expected.fragment, ""):
            free("wildcard for a fragment that is not there")
        parts.append(_part(expected.fragment, actual.fragment or ""))
    given = dict(reversed(parameters(actual.query)))
    parts += [_part(value, given.get(name, "")) for name, value in parameters(expected.query)]
    return all(parts)


def _part(pattern: str, actual: str) -> bool:
    """12.1: anchored, ignoring case; `*` is any run of characters, the rest is literal."""
    pieces = ".*".join(re.escape(piece) for piece in pattern.split("*"))
    return re.fullmatch(pieces, actual, re.IGNORECASE | re.DOTALL) is not None


def _trimmed(path: str) -> str:
    return path.removeprefix("/").removesuffix("/")


def matches_legacy(url: str, pattern: Json) -> bool:
    """12.2: found in the whole URL or in its path part."""
    if url == "":
        return False
    if not isinstance(pattern, str) or pattern == "":
        free("legacy url that is no pattern")
    path = re.sub(r"^[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*", "", url)
    return bool(found(pattern, url) or found(pattern, path))


def query_override(key: str, url: str, n: int) -> int | None:
    """12.3: the variation that a query parameter asks for."""
    _, mark, query = url.partition("#")[0].partition("?")
    if not mark:
        return None
    values = [value for name, value in parameters(query) if name == key]
    if not values or not re.fullmatch("[0-9]+", values[0]):
        return None
    return int(values[0]) if int(values[0]) < n else None


def redirect_target(target: str, url: str, persist: bool) -> str:
    """16: the URL that an assigned variation redirects to."""
    if not persist:
        return target
    try:
        current, result = parse(url), parse(target)
    except UnparsableError:
        return target
    pairs = parameters(result.query)
    for name, value in parameters(current.query):
        if name not in {known for known, _ in pairs}:
            pairs.append((name, value))
    query = form(pairs)
    if pairs == parameters(result.query) and result.query not in {None, query or None}:
        free("form encoding of a target that gets no parameters")
    return replace(result, query=query or None).href
