"""Who takes part, and whom an exposure counts for: what an engine asks of each request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from abmiddleware.baggage import Baggage
from abmiddleware.facts import PURPOSES, Predicate, RequestFacts, holds, is_within
from abmiddleware.identity import IdHeader, VisitorCookie
from abmiddleware.mistakes import Mistakes
from abmiddleware.overrides import Asked, Overrides
from abmiddleware.predicates import is_bot, is_bot_agent
from abmiddleware.request_attributes import attribute_of, country_of

#: Computes an attribute from the framework's request.
Resolver = Callable[[Any], object]

#: Methods whose answer nobody looks at: a browser asks for headers, or what it may send.
_UNSEEN: Final = ("HEAD", "OPTIONS")
#: What the older ones say.
_AHEAD: Final = ("prefetch", "preview")


class Suppressed(StrEnum):
    """Why no exposure of a request is recorded."""

    NO = ""  #: they are
    METHOD = "method"  #: HEAD and OPTIONS show nothing to anybody
    PREFETCH = "prefetch"  #: the browser loads a page that its visitor may never open
    EXCLUDED = "excluded"  #: a bot, or whom `exclude` names
    EXEMPT_PATH = "exempt_path"
    NO_CONSENT = "no_consent"
    OVERRIDE = "override"  #: one of the team looks at a variation of their choice


class Policy(msgspec.Struct, frozen=True, eq=False):
    """How visitors are told apart, and which of them count."""

    #: By name, what computes an attribute.
    resolvers: Mapping[str, Resolver]
    cookie: VisitorCookie
    consent: Predicate | None = None
    exclude: Predicate | None = is_bot
    #: Paths, and with a slash at the end all below them.
    exempt_paths: tuple[str, ...] = ()
    count_prefetch: bool = False
    #: None where nobody may ask for a variation.
    overrides: Overrides | None = None

    #: None where no header tells who visits.
    id_header: IdHeader | None = None
    #: The header by which a CDN tells the country, in lower case; "" for none.
    country_header: str = ""
    #: None where no other service tells what it shows.
    baggage: Baggage | None = None
    #: What a view does wrong.
    mistakes: Mistakes = msgspec.field(default_factory=lambda: Mistakes(False))

    def attribute(self, name: str, facts: RequestFacts) -> object:
        """Return what a request itself tells of an attribute that nobody gives."""
        if name == "country" and self.country_header:
            return country_of(facts.header(self.country_header))
        return attribute_of(name, facts)

    def asked(self, facts: RequestFacts) -> Asked | None:
        """Return what a request asks to be shown out of the ordinary, if it may."""
        return None if self.overrides is None else self.overrides.asked(facts)

    def has_consent(self, facts: RequestFacts) -> bool:
        """Tell whether a visitor may be remembered; not if the predicate fails."""
        return self.consent is None or holds("consent", self.consent, facts)

    def is_excluded(self, facts: RequestFacts) -> bool:
        """Tell whether a request is a bot's, or one that `exclude` names."""
        if self.exclude is None:
            return False
        if self.exclude is is_bot:  # which needs no request of the framework
            return is_bot_agent(facts.header("user-agent"))
        return holds("exclude", self.exclude, facts)

    def suppressed(self, facts: RequestFacts) -> Suppressed:
        """Return why no exposure of a request is recorded, but for lack of consent."""
        if facts.method() in _UNSEEN:
            return Suppressed.METHOD
        if self.is_excluded(facts):
            return Suppressed.EXCLUDED
        if not self.count_prefetch and is_prefetch(facts):
            return Suppressed.PREFETCH
        if self.exempt_paths and self._is_exempt(facts.path()):
            return Suppressed.EXEMPT_PATH
        return Suppressed.NO

    def _is_exempt(self, path: str) -> bool:
        return any(is_within(path, exempt) for exempt in self.exempt_paths)


def is_prefetch(facts: RequestFacts) -> bool:
    """Tell whether a browser loads a page before its visitor asks for it.

    By the header `Sec-Purpose` of the Fetch standard, whose values begin with "prefetch" also for
    prerendering, and by those that browsers sent before it.
    """
    if not facts.tells_purpose():
        return False
    standard, *others = (facts.header(name).lower() for name in PURPOSES)
    return standard.startswith("prefetch") or any(other in _AHEAD for other in others)
