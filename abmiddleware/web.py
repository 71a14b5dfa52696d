"""What every web adapter does with a response; adapters only hand over their framework's facts."""

from __future__ import annotations

from typing import Protocol

from abmiddleware.client import ExperimentClient
from abmiddleware.identity import SetCookie
from abmiddleware.notices import notices


class Headers(Protocol):
    """The headers of a response, as Django, Werkzeug and Starlette have them."""

    def get(self, key: str, /) -> str | None:
        """Return the value of a header."""

    def __setitem__(self, key: str, value: str, /) -> None:
        """Set a header, replacing all it had."""


def finish(client: ExperimentClient, headers: Headers) -> SetCookie | None:
    """Keep a response that depends on who asks from being served to somebody else.

    Call it if `client.response_starts()` says so, before the response starts. The response gets
    `Vary: Cookie` and `Cache-Control: private`, unless the view said that it is public.

    Returns:
        The cookie that the adapter must set, if any.
    """
    cookie = client.cookie()
    if cookie is not None or client.has_assigned:
        vary = _all_values(headers, "Vary")
        if not {"*", "cookie"} & {name.strip().lower() for name in vary.split(",")}:
            headers["Vary"] = f"{vary}, Cookie" if vary else "Cookie"
        control = private_cache_control(_all_values(headers, "Cache-Control"))
        if control is not None:
            headers["Cache-Control"] = control
    return cookie


def private_cache_control(value: str) -> str | None:
    """Return a `Cache-Control` that keeps shared caches out; None where it may stay as it is.

    A view that says `public` or `s-maxage` means it: that stays, with a warning.
    """
    directives = {part.split("=")[0].strip().lower() for part in value.split(",")}
    if directives & {"private", "no-store"}:
        return None
    if directives & {"public", "s-maxage"}:
        notices.warn(
            "public",
            "a response that depends on a variation says Cache-Control: %s; shared caches may "
            "serve it to visitors with another variation",
            value,
        )
        return None
    return f"{value}, private" if value else "private"


def _all_values(headers: Headers, name: str) -> str:
    getlist = getattr(headers, "getlist", None)
    return ", ".join(getlist(name)) if getlist is not None else headers.get(name) or ""
