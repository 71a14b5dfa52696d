"""What every web adapter does with a response; adapters only hand over their framework's facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from abmiddleware.client import ExperimentClient
from abmiddleware.identity import SetCookie
from abmiddleware.notices import notices


class Finish(NamedTuple):
    """What a response that depends on who asks must carry."""

    vary: str
    cache_control: str
    #: The cookies to set.
    cookies: Sequence[SetCookie]


def finish(client: ExperimentClient, vary: str, cache_control: str) -> Finish:
    """Keep a response that depends on who asks from being served to somebody else.

    Call it if `client.response_starts()` says so, before the response starts. The response gets
    `Vary: Cookie` and `Cache-Control: private`, unless the view said that it is public: then it
    sets no cookie, since a cache would hand that out.

    Args:
        client: the client of the request.
        vary: the response's `Vary` header so far, or "".
        cache_control: its `Cache-Control` header so far, or "".
    """
    if not (vary or cache_control):  # as most views leave it
        return Finish("Cookie", "private", client.cookies())
    vary, cache_control = _vary_by_cookie(vary), private_cache_control(cache_control)
    if _is_public(cache_control):
        notices.warn(
            "public",
            "a response that depends on who asks says Cache-Control: %s; shared caches may serve "
            "it to visitors with another variation, so it sets no visitor cookie, which they "
            "would all be given",
            cache_control,
        )
        return Finish(vary, cache_control, ())
    return Finish(vary, cache_control, client.cookies())


def _vary_by_cookie(vary: str) -> str:
    if not vary:
        return "Cookie"
    names = {name.strip().lower() for name in vary.split(",")}
    return vary if names & {"*", "cookie"} else f"{vary}, Cookie"


def private_cache_control(value: str) -> str:
    """Return a `Cache-Control` that keeps shared caches out.

    A view that says `public` or `s-maxage` means it: that stays.
    """
    if not value:
        return "private"
    if _is_public(value) or _directives(value) & {"private", "no-store"}:
        return value
    return f"{value}, private"


def _is_public(value: str) -> bool:
    return bool(_directives(value) & {"public", "s-maxage"})


def _directives(value: str) -> set[str]:
    return {part.split("=")[0].strip().lower() for part in value.split(",")}
