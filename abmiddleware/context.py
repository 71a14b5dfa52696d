"""Who asks: the attributes of one request or one script's user, each computed when it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar

from abmiddleware.attribute_values import SCALARS, is_no_id, plain
from abmiddleware.evaluation.values import Attributes
from abmiddleware.exceptions import MustBeAwaitedError
from abmiddleware.facts import RequestFacts
from abmiddleware.identity import SetCookie, Visitor
from abmiddleware.notices import notices
from abmiddleware.overrides import NONE, Asked, Override
from abmiddleware.policy import Policy, Resolver, Suppressed

#: Of a request that was not looked at.
_NOT_LOOKED = Asked(Override(values={}), "", is_new=False)


#: Whether a coroutine asks, which awaits who is logged in if that matters.
is_awaiting: ContextVar[bool] = ContextVar("abmiddleware_is_awaiting", default=False)


class UserNeededError(BaseException):
    """An answer depends on who is logged in, which must be awaited."""


class UserContext(Attributes):
    """The attributes of whoever asks, for a script's user, who has no request and no cookie."""

    __slots__ = ()

    #: Whether something depends on the visitor id.
    is_visitor_used = False
    #: Whether the response has started, so that a new id reaches no browser.
    is_late = False
    #: Why nothing is recorded of who asks.
    suppressed = Suppressed.NO

    #: Returns the attribute if it is known already; each is, of a script's user.
    known: Callable[..., object] = dict.get

    @property
    def facts(self) -> RequestFacts | None:
        """The request, or None."""
        return None

    @property
    def has_consent(self) -> bool:
        """Whether who asks may be remembered."""
        return True

    @property
    def asked(self) -> Asked | None:
        """What is to be shown out of the ordinary, or None."""
        return None

    def inherited(self) -> dict[str, str]:
        """Return the variations that a calling service shows already, by experiment key."""
        return {}

    def must_await_user(self) -> bool:
        """Tell whether who is logged in must be awaited."""
        return False

    async def load_user(self) -> None:
        """Find out who is logged in."""

    def page(self) -> str:
        """Return the URL of the page; for a script its attribute `url`, or ""."""
        url = self["url"]
        return url if isinstance(url, str) else ""

    def set_cookie(self) -> SetCookie | None:
        """Return the visitor cookie if the response must set it."""
        return None

    def may_ask(self) -> bool:
        """Tell whether something is to be shown out of the ordinary to those that may ask."""
        return False

    def override_cookie(self) -> SetCookie | None:
        """Return the cookie that keeps an override for the pages that follow, or ends it."""
        return None

    def identify(self, attributes: Mapping[str, object]) -> None:
        """Set attributes; what is decided already stays."""
        self.update(attributes)
        for name, value in attributes.items():
            if type(value) not in SCALARS:
                self[name] = plain(name, value)

    def warn_no_unit(self, key: str, attribute: str) -> None:
        """Tell of an experiment whose unit nobody gives, which is likely a slip in a name."""
        if attribute not in self:
            warn_no_unit(key, attribute)


class PastContext(UserContext):
    """The attributes as they were when something was decided that takes effect now."""

    __slots__ = ("_now",)

    def __init__(self, changed: Mapping[str, object], now: UserContext) -> None:
        super().__init__(changed)
        self._now = now

    def __missing__(self, name: str) -> object:
        return self._now[name]

    def __contains__(self, name: object) -> bool:
        return name in self._now

    def known(self, name: str) -> object:
        """Return the attribute as it is known now: an id that came since belongs to a record."""
        return self._now.known(name)

    @property
    def suppressed(self) -> Suppressed:  # type: ignore[override]  # of a request it is computed
        """Why nothing is recorded of who asks."""
        return self._now.suppressed


class RequestContext(UserContext):
    """The attributes of a web request; `id` is the visitor id unless it is given."""

    __slots__ = (
        "_asked",
        "_facts",
        "_has_consent",
        "_policy",
        "_suppressed",
        "_visitor",
        "is_late",
        "is_visitor_used",
    )

    def __init__(self, policy: Policy, facts: RequestFacts) -> None:
        self._policy = policy
        self._facts = facts
        # Holds the visitor under one key, since only a dictionary has a setdefault that of many
        # threads one wins.
        self._visitor: dict[None, Visitor] = {}
        # What nobody set up needs no look, in any request.
        self._has_consent: bool | None = None if policy.consent else True
        self._asked: Asked | None = _NOT_LOOKED if policy.overrides else None
        self._suppressed: Suppressed | None = None
        self.is_visitor_used = False
        self.is_late = False

    @property
    def facts(self) -> RequestFacts:
        """The request."""
        return self._facts

    @property
    def has_consent(self) -> bool:
        """Whether the visitor may be remembered; asked once a request."""
        answer = self._has_consent
        if answer is None:
            answer = self._has_consent = self._policy.has_consent(self._facts)
        return answer

    @property
    def asked(self) -> Asked | None:
        """What the request asks to be shown out of the ordinary; looked for once."""
        asked = self._asked
        if asked is _NOT_LOOKED:
            asked = self._asked = self._policy.asked(self._facts)
        return asked

    def inherited(self) -> dict[str, str]:
        """Return the variations that a calling service shows already, by experiment key."""
        baggage = self._policy.baggage
        return {} if baggage is None else baggage.variations(self._facts)

    @property
    def suppressed(self) -> Suppressed:  # type: ignore[override]  # of a script it is constant
        """Why no exposure of the request is recorded; found out once."""
        reason = self._suppressed
        if reason is None:
            if self.asked is not None and self.asked is not NONE:
                reason = Suppressed.OVERRIDE
            elif self.has_consent:
                reason = self._policy.suppressed(self._facts)
            else:
                reason = Suppressed.NO_CONSENT
            self._suppressed = reason
        return reason

    def __missing__(self, name: str) -> object:
        resolver = self._policy.resolvers.get(name)
        if resolver is not None:
            value = self._resolved(name, resolver)
        elif name == "id":
            value = self._issued()
        elif name == "user_id":
            return self._user_id()
        else:
            value = self._policy.attribute(name, self._facts)
            if value is None:  # it may be identified later
                return None
        # The first of several threads wins; the others see its value.
        return self.setdefault(name, value)

    def known(self, name: str) -> object:
        """Return the attribute if it is known already, without computing or issuing it."""
        if name in self:
            return self[name]
        if name != "id" or name in self._policy.resolvers:
            return None
        visitor = self.visitor()
        return visitor.id if visitor else None

    def page(self) -> str:
        """Return the URL of the page."""
        return self._facts.url()

    def visitor(self) -> Visitor | None:
        """Return the visitor that the request names, or that this request issued.

        None without consent, for which neither header nor cookie is read.
        """
        visitor = self._visitor.get(None)
        if visitor is None and self.has_consent:
            policy = self._policy
            found = None if policy.id_header is None else policy.id_header.visitor(self._facts)
            found = found or Visitor.find(self._facts.cookie_header(), policy.cookie.name)
            visitor = self._visitor.setdefault(None, found) if found else None
        return visitor

    def set_cookie(self) -> SetCookie | None:
        """Return the visitor cookie if the response must set it."""
        visitor = self._visitor.get(None) if self.is_visitor_used else None
        if visitor is None or not visitor.is_due(self._policy.cookie.max_age):
            return None
        secure = self._policy.cookie.secure
        return SetCookie(
            visitor.value(),
            self._policy.cookie,
            self._facts.is_secure() if secure is None else secure,
        )

    def identify(self, attributes: Mapping[str, object]) -> None:
        """Set attributes; what is decided already stays."""
        super().identify(attributes)
        for name in attributes:
            if is_no_id(name, self[name]):
                del self[name]

    def may_ask(self) -> bool:
        """Tell whether something is to be shown out of the ordinary to those that may ask."""
        overrides = self._policy.overrides
        return overrides is not None and overrides.may_ask(self._facts)

    def override_cookie(self) -> SetCookie | None:
        """Return the cookie that keeps an override for the pages that follow, or ends it."""
        overrides = self._policy.overrides
        if overrides is None or (asked := self.asked) is None:
            return None
        return overrides.set_cookie(asked, self._facts)

    def warn_no_unit(self, key: str, attribute: str) -> None:
        """Tell of an experiment whose unit nobody gives, which is likely a slip in a name."""
        if attribute == "id" or attribute in self._policy.resolvers:
            return
        if attribute == "user_id" and self._facts.knows_users():  # nobody is logged in
            return
        if attribute not in self or (attribute == "user_id" and self[attribute] is None):
            warn_no_unit(key, attribute)

    def _issued(self) -> str | None:
        """Return the visitor id, issuing one to a newcomer who may have one."""
        visitor = self.visitor()
        if visitor is None and self.suppressed in (Suppressed.NO_CONSENT, Suppressed.EXCLUDED):
            return None
        self.is_visitor_used = True
        if visitor is None:
            issued = Visitor.issue()
            visitor = self._visitor.setdefault(None, issued)
            if visitor is issued and self.is_late:
                warn_late()
        return visitor.id

    def must_await_user(self) -> bool:
        """Tell whether who is logged in must be awaited."""
        return (
            "user_id" not in self
            and "user_id" not in self._policy.resolvers
            and self._facts.must_await_user()
        )

    async def load_user(self) -> None:
        """Find out who is logged in."""
        try:
            value = plain("user_id", await self._facts.auser_id())
        except Exception as error:  # noqa: BLE001  # a database that is down breaks no page
            _tell_no_user(error)
            value = None
        self.setdefault("user_id", value)

    def _user_id(self) -> object:
        """Return who is logged in, as the framework knows."""
        if self._facts.must_await_user():
            if is_awaiting.get():
                raise UserNeededError
            self._policy.mistakes.report("user_id", _must_await)
            return None
        return self.setdefault("user_id", self._resolved("user_id", self._of_framework))

    def _of_framework(self, _: object) -> object:
        return self._facts.user_id()

    def _resolved(self, name: str, resolver: Resolver) -> object:
        try:
            value = plain(name, resolver(self._facts.request))
            return None if is_no_id(name, value) else value
        except Exception as error:  # noqa: BLE001  # a team's function must not break a page
            notices.warn(
                f"resolver {name}",
                "attribute %r counts as missing: its function raised %r; let it return None where "
                "there is none, or give it in the view by experiments.identify(%s=...)",
                name,
                error,
                name,
                error=error,
            )
            return None


def _must_await() -> MustBeAwaitedError:
    return MustBeAwaitedError(
        "user_id: must be awaited in a coroutine, since Django reads it from the database: "
        "await experiments.arun(...) or afeature(...), or await request.auser() before"
    )


def _tell_no_user(error: Exception) -> None:
    notices.warn("user_id", "user_id counts as missing: it could not be read: %r", error)


def warn_no_unit(key: str, attribute: str) -> None:
    """Tell once of an experiment that has nobody in it, since nothing gives its unit."""
    notices.warn_once(
        f"no unit {key}",
        lambda: (
            f"experiment {key!r} is randomised by {attribute!r}, which nothing gave here, "
            f"so nobody is in it: give Engine(attributes={{{attribute!r}: ...}}) or call "
            f"experiments.identify({attribute}=...)"
        ),
    )


def warn_late() -> None:
    """Tell that an experiment was asked for too late to set a cookie or a header."""
    notices.warn(
        "late",
        "an experiment was first asked for after the response had started: a new visitor gets no "
        "cookie and so another id next time, and caches may keep the page for others; call "
        "experiments.ensure_identity() before the response starts",
    )
