"""What every web adapter does with a response; adapters only hand over their framework's facts."""

from __future__ import annotations

from typing import NamedTuple

from abmiddleware.client import ExperimentClient
from abmiddleware.identity import SetCookie
from abmiddleware.notices import notices


class Finish(NamedTuple):
    """What a response that depends on who asks must carry."""

    vary: str
    cache_control: str
    #: The cookie to set, if the visitor needs one.
    cookie: SetCookie | None


def finish(client: ExperimentClient, vary: str, cache_control: str) -> Finish:
    """Keep a response that depends on who asks from being served to somebody else.

    Call it if `client.response_starts()` says so, before the response starts. The response gets
    `Vary: Cookie` and `Cache-Control: private`, unless the view said that it is public.

    Args:
        client: the client of the request.
        vary: the response's `Vary` header so far, or "".
        cache_control: its `Cache-Control` header so far, or "".
    """
    cookie = client.cookie()
    if cookie is None and not client.has_assigned:
        return Finish(vary, cache_control, None)
    return Finish(_vary_by_cookie(vary), private_cache_control(cache_control), cookie)


def _vary_by_cookie(vary: str) -> str:
    if not vary:
        return "Cookie"
    names = {name.strip().lower() for name in vary.split(",")}
    return vary if names & {"*", "cookie"} else f"{vary}, Cookie"


def private_cache_control(value: str) -> str:
    """Return a `Cache-Control` that keeps shared caches out.

    A view that says `public` or `s-maxage` means it: that stays, with a warning.
    """
    if not value:
        return "private"
    directives = {part.split("=")[0].strip().lower() for part in value.split(",")}
    if directives & {"private", "no-store"}:
        return value
    if directives & {"public", "s-maxage"}:
        notices.warn(
            "public",
            "a response that depends on a variation says Cache-Control: %s; shared caches may "
            "serve it to visitors with another variation",
            value,
        )
        return value
    return f"{value}, private"
