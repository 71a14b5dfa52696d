"""Who asks: the attributes of one request or one script's user, each computed when it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from numbers import Integral, Real
from typing import Any, Protocol
from uuid import UUID

from abmiddleware.evaluation.values import Attributes, shown
from abmiddleware.identity import SetCookie, Visitor, VisitorCookie
from abmiddleware.notices import notices

#: Computes an attribute from the framework's request.
Resolver = Callable[[Any], object]

_JSON = frozenset({str, int, float, bool, type(None), list, dict})


class RequestFacts(Protocol):
    """What an adapter tells of a request; read only when it is needed."""

    @property
    def request(self) -> Any:
        """The framework's request, as resolvers get it."""

    def cookie(self, name: str) -> str | None:
        """Return the value of a cookie."""

    def is_secure(self) -> bool:
        """Tell whether the request came over https, as the framework sees it."""

    def keep_private(self) -> None:
        """Keep the framework's own caches from storing the response; it now depends on who asks.

        Called before the first answer is given. Headers alone come too late for a cache that sits
        between the view and the middleware.
        """


class UserContext(Attributes):
    """The attributes of whoever asks; the attribute `id` is the visitor id unless it is given."""

    __slots__ = ("_cookie", "_resolvers", "_visitor", "facts", "is_late")

    def __init__(
        self, resolvers: Mapping[str, Resolver], facts: RequestFacts | None, cookie: VisitorCookie
    ) -> None:
        self.facts = facts
        self._resolvers = resolvers
        self._cookie = cookie
        self._visitor: list[Visitor | None] = []
        #: Whether the response has started, so that a new id reaches no browser.
        self.is_late = False

    def __missing__(self, name: str) -> object:
        resolver = self._resolvers.get(name)
        if resolver is None and name != "id":
            return None
        value = self._issued() if resolver is None else self._resolved(name, resolver)
        # The first of several threads wins; the others see its value.
        return self.setdefault(name, value)

    def known(self, name: str) -> object:
        """Return the attribute without issuing a visitor id."""
        if name == "id" and name not in self and name not in self._resolvers:
            visitor = self.visitor()
            return visitor.id if visitor else None
        return self[name]

    def visitor(self) -> Visitor | None:
        """Return the visitor that the request's cookie names, or that this request issued."""
        if not self._visitor and self.facts is not None:
            self._visitor.append(Visitor.read(self.facts.cookie(self._cookie.name)))
        return self._visitor[-1] if self._visitor else None

    def set_cookie(self) -> SetCookie | None:
        """Return the visitor cookie if the response must set it."""
        if self.facts is None or "id" not in self:
            return None
        visitor = self.visitor()
        if visitor is None or not visitor.is_due(self._cookie.max_age):
            return None
        secure = self._cookie.secure
        return SetCookie(
            visitor.value(), self._cookie, self.facts.is_secure() if secure is None else secure
        )

    def identify(self, attributes: Mapping[str, object]) -> None:
        """Set attributes; what is decided already stays."""
        for name, value in attributes.items():
            self[name] = value if type(value) in _JSON else plain(name, value)

    def _issued(self) -> str | None:
        if self.facts is None:
            return None
        visitor = self.visitor()
        if visitor is None:
            visitor = Visitor.issue()
            kept = self.setdefault("id", visitor.id)
            if kept == visitor.id:
                self._visitor.append(visitor)
                self._warn_if_late()
        return visitor.id

    def _warn_if_late(self) -> None:
        if self.is_late:
            notices.warn(
                "late",
                "an experiment ran for a new visitor after the response had started, so no cookie "
                "keeps their id and the next request gets another; call "
                "experiments.ensure_identity() before the response starts",
            )

    def _resolved(self, name: str, resolver: Resolver) -> object:
        try:
            return plain(name, resolver(self.facts.request if self.facts else None))
        except Exception as error:  # noqa: BLE001  # a team's function must not break a page
            notices.warn(
                f"resolver {name}",
                "attribute %r counts as missing: its resolver raised %r",
                name,
                error,
                error=error,
            )
            return None


def plain(name: str, value: object) -> object:
    """Return an attribute as a JSON value, so that it is hashed and compared as elsewhere.

    UUIDs, decimals, dates, enums, tuples and the numbers of NumPy are converted; anything else
    counts as missing, with a warning, since its text may differ between processes.
    """
    if type(value) in _JSON:
        return value
    try:
        return _converted(value)
    except Exception:  # noqa: BLE001  # a value of any type may come, with any conversion
        notices.warn(
            f"attribute {name}",
            "attribute %r counts as missing: %s is no JSON value; give its id or text",
            name,
            shown(value),
        )
        return None


def _converted(value: object) -> object:
    if type(value) in _JSON:
        return value
    if isinstance(value, Enum):
        return _converted(value.value)
    if isinstance(value, str):
        return str.__str__(value)  # Django's SafeString returns itself from str()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, (Real, Decimal)):
        return float(value)
    if isinstance(value, (tuple, set, frozenset)):
        return [_converted(item) for item in value]
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError
