"""Where a redirect leads, and whether it may (specification, section 16)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final

from abmiddleware.evaluation.urls import encoded, parse_url, query_pairs

_IN_FORM: Final = re.compile("[^A-Za-z0-9*._ -]+")
#: What clients read in different ways, or what no header can hold.
_UNCLEAR: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\\\\]")
_WHOLE: Final = re.compile(" *https?://[^/]", re.IGNORECASE)


def redirect_target(target: str, current: str, *, persist_query: bool) -> str | None:
    """Return the URL that a visitor is sent to; None if there is none.

    Args:
        target: the variation's `urlRedirect`.
        current: the page's URL.
        persist_query: add the page's parameters that the target lacks, the first of each name.
            If either URL is not absolute, the target stays as it is written.
    """
    if not target or not isinstance(target, str):
        return None
    if not persist_query:
        return target
    wanted, page = parse_url(target), parse_url(current)
    if wanted is None or page is None:
        return target
    pairs = [*query_pairs(wanted.query)]
    names = {name for name, _ in pairs}
    written = len(pairs)
    for name, value in query_pairs(page.query):
        if name not in names:
            names.add(name)
            pairs.append((name, value))
    if len(pairs) == written:
        return wanted.href
    start = wanted.href.partition("#")[0].partition("?")[0]
    _, mark, fragment = wanted.href.partition("#")
    return f"{start}?{_query(pairs)}{mark}{fragment}"


def _query(pairs: Iterable[tuple[str, str]]) -> str:
    """Write names and values as a form's are."""
    return "&".join(f"{_in_form(name)}={_in_form(value)}" for name, value in pairs)


def _in_form(text: str) -> str:
    return encoded(text, _IN_FORM).replace(" ", "+")


def is_absolute(url: str) -> bool:
    """Tell whether a URL can be read without another one."""
    return parse_url(url) is not None


def is_cross_origin(url: str, current: str) -> bool:
    """Tell whether a URL leads to another scheme or host, or cannot be read."""
    there, here = parse_url(url), parse_url(current)
    if there is None or here is None:
        return True
    return (there.scheme, there.host) != (here.scheme, here.host)


def is_safe_redirect(target: str, current: str, allowed_hosts: Collection[str]) -> bool:
    """Tell whether a browser that is sent to a target stays on known hosts.

    The target is read as browsers read it, so that `/\\evil.example` is known for a host. Refused
    are as well: schemes other than http and https, a name or password in front of the host, and
    what only some clients read so: control characters, backslashes, a scheme without two slashes.

    Args:
        target: where the visitor would be sent, absolute or relative.
        current: the page's URL, whose host may be the target's.
        allowed_hosts: the other hosts, each with its port unless that is the scheme's own.
    """
    here = parse_url(current)
    there = parse_url(target, None if here is None else current)
    if there is None or there.scheme not in ("http", "https") or there.userinfo:
        return False
    if _UNCLEAR.search(target) or (there.was_absolute and not _WHOLE.match(target)):
        return False
    if here is not None and there.host == here.host:
        return True
    allowed = (parse_url(f"{there.scheme}://{host}") for host in allowed_hosts)
    return any(host is not None and host.host == there.host for host in allowed)
