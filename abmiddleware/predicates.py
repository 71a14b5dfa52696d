"""Ready answers to what an engine asks of a request: `consent`, `exclude`.

They take the request of any framework, since all have `headers` and some have `user`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

#: What crawlers, link previews and monitors call themselves. Libraries such as okhttp or httpx are
#: not among them, nor is a missing name: apps and services use those, and a person who is taken for
#: a bot is lost to every experiment, while a bot that is missed comes to all variations alike.
_BOT: Final = re.compile(
    r"(?<!cu)bot(?![a-z])|crawl|spider|slurp|scraper|headless|lighthouse|pagespeed|phantomjs"
    r"|pingdom|uptime|statuscake|healthcheck|kube-probe|preview|externalhit|whatsapp/|embedly"
    r"|archiver|feedfetcher|mediapartners|google-read-aloud|googleother",
    re.IGNORECASE,
)


def is_bot(request: Any) -> bool:
    """Tell whether a program asks rather than a person, by its `User-Agent`."""
    return is_bot_agent(request.headers.get("user-agent") or "")


@lru_cache(maxsize=4096)
def is_bot_agent(user_agent: str) -> bool:
    """Tell whether a `User-Agent` is that of a program; "" is not."""
    return _BOT.search(user_agent) is not None


def has_gpc(request: Any) -> bool:
    """Tell whether the browser sends Global Privacy Control, `Sec-GPC: 1`.

    As `Engine(consent=lambda request: not has_gpc(request))`.
    """
    return bool(request.headers.get("sec-gpc") == "1")


def is_staff(request: Any) -> bool:
    """Tell whether one of the team is logged in: Django's `user.is_staff`, or false elsewhere."""
    return bool(getattr(getattr(request, "user", None), "is_staff", False))
