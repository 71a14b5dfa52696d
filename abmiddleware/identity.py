"""The visitor id: issued once, kept in a first-party cookie, believed only in our own form."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.cookies import Morsel
from typing import Final, Literal, NamedTuple

from abmiddleware.attribute_values import NO_IDS
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.facts import Predicate, RequestFacts, holds
from abmiddleware.value_checks import check_function, refuse

#: 128 bits in base64url (22 characters, of the last one only two bits count), then the day of
#: issue in days since 1970.
_FORM: Final = r"([A-Za-z0-9_-]{21}[AQgw])\.([0-9]{1,6})"
_COOKIE_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_COOKIE_PATH: Final = re.compile(r"/[!-:<-~]*")
_COOKIE_DOMAIN: Final = re.compile(r"[A-Za-z0-9.-]{1,253}")
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
#: What an id of somebody else may be: visible letters of ASCII.
_FOREIGN_ID: Final = re.compile(r"[!-~]{1,128}")


@lru_cache(maxsize=16)
def _cookie_pattern(name: str) -> re.Pattern[str]:
    """Return what finds a cookie in our form in a `Cookie` header."""
    return re.compile(rf'(?:^|;)\s*{re.escape(name)}\s*=\s*"*{_FORM}"*\s*(?:;|\Z)')


def new_visitor_id() -> str:
    """Return a visitor id of 128 random bits."""
    return secrets.token_urlsafe(16)


def today() -> int:
    """Return the UTC day, in days since 1970."""
    return int(time.time() // 86_400)


@dataclass(frozen=True, slots=True)
class VisitorCookie:
    """How the cookie with the visitor id is set.

    Raises:
        ConfigurationError: an option that browsers refuse.
    """

    name: str = "ab_id"
    #: Seconds until it expires. It is renewed when a third of its life has passed, and by every
    #: response where that is less than a day.
    max_age: int = 365 * 86_400
    path: str = "/"
    domain: str | None = None
    #: None sets it over https only, which the framework tells by the scheme it sees.
    secure: bool | None = None
    http_only: bool = True
    same_site: Literal["Lax", "Strict", "None"] = "Lax"

    def __post_init__(self) -> None:
        if not _COOKIE_NAME.fullmatch(self.name):
            raise ConfigurationError(
                f"cookie.name: is {self.name!r}, must be letters, digits, _ . and - only"
            )
        if Morsel().isReservedKey(self.name):
            raise ConfigurationError(
                f"cookie.name: is {self.name!r}, must not be the name of a cookie's attribute"
            )
        if not _COOKIE_PATH.fullmatch(self.path):
            raise ConfigurationError(
                f"cookie.path: is {self.path!r}, must begin with / and hold no ; and no spaces"
            )
        if self.domain is not None and not _COOKIE_DOMAIN.fullmatch(self.domain):
            raise ConfigurationError(
                f"cookie.domain: is {self.domain!r}, must be a host name such as 'example.com'"
            )
        if type(self.max_age) is not int or not 0 < self.max_age <= 400 * 86_400:
            raise ConfigurationError(
                f"cookie.max_age: is {self.max_age!r}, must be 1 to {400 * 86_400} seconds: "
                "browsers keep no cookie longer than 400 days"
            )
        if self.same_site not in ("Lax", "Strict", "None"):
            raise ConfigurationError(
                f"cookie.same_site: is {self.same_site!r}, must be 'Lax', 'Strict' or 'None'"
            )
        if self.same_site == "None" and self.secure is not True:
            raise ConfigurationError(
                "cookie.same_site: is 'None', must come with secure=True: browsers refuse it else"
            )


@dataclass(frozen=True, slots=True)
class SetCookie:
    """A cookie to set on a response."""

    value: str
    cookie: VisitorCookie
    secure: bool
    #: Seconds until it expires, 0 to delete it; None for the cookie's own.
    lifetime: int | None = None

    @property
    def max_age(self) -> int:
        """Seconds until it expires."""
        return self.cookie.max_age if self.lifetime is None else self.lifetime

    def options(self) -> Mapping[str, object]:
        """Return the keyword arguments of Django's and Flask's `response.set_cookie`."""
        return {
            "key": self.cookie.name,
            "value": self.value,
            "max_age": self.max_age,
            "path": self.cookie.path,
            "domain": self.cookie.domain,
            "secure": self.secure,
            "httponly": self.cookie.http_only,
            "samesite": self.cookie.same_site,
        }

    def header(self) -> str:
        """Return the value of the `Set-Cookie` header; our values need no quotes."""
        cookie = self.cookie
        domain = f"; Domain={cookie.domain}" if cookie.domain else ""
        http_only = "; HttpOnly" if cookie.http_only else ""
        secure = "; Secure" if self.secure else ""
        return (
            f"{cookie.name}={self.value}{domain}{http_only}; Max-Age={self.max_age}"
            f"; Path={cookie.path}; SameSite={cookie.same_site}{secure}"
        )


@dataclass(frozen=True, slots=True)
class IdHeader:
    """A header by which a gateway, or an app, tells who visits; no cookie is set then.

        Engine(id_header=IdHeader("x-device-id", trusted=is_from_gateway))

    Raises:
        ConfigurationError: it has no name, or `trusted` is no function.
    """

    name: str
    #: Tells of a request whether its header is to be believed. Anybody may send one, and with the
    #: id of another visitor see and do what is theirs in every experiment.
    trusted: Predicate

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _HEADER_NAME.fullmatch(self.name):
            raise refuse("id_header.name", self.name, "the name of a header, such as 'x-device-id'")
        check_function("id_header.trusted", self.trusted)
        if self.trusted is None:
            raise refuse("id_header.trusted", None, "a function of the request")

    def visitor(self, facts: RequestFacts) -> Visitor | None:
        """Return the visitor that a request's header names, if it is to be believed."""
        value = facts.header(self.name.lower())
        if not value or not _FOREIGN_ID.fullmatch(value) or value in NO_IDS:
            return None
        if not holds("id_header.trusted", self.trusted, facts):
            return None
        return Visitor(value, today(), is_foreign=True)


class Visitor(NamedTuple):
    """A visitor id, and the day on which its cookie was issued."""

    id: str
    day: int
    #: Whether this request issued the id, so that the browser does not hold it yet.
    is_new: bool = False
    #: Whether somebody else remembers the id, and sends it by a header.
    is_foreign: bool = False

    @classmethod
    def issue(cls) -> Visitor:
        """Return a new visitor."""
        return cls(new_visitor_id(), today(), is_new=True)

    @classmethod
    def find(cls, header: str, name: str) -> Visitor | None:
        """Return the visitor of a `Cookie` header: its first cookie of the name in our form.

        There may be several, such as one of a parent domain. The value is never quoted by us, so
        nothing more of the header is parsed, which would cost a request ten times as much.
        """
        match = _cookie_pattern(name).search(header) if name in header else None
        return cls(match[1], int(match[2])) if match else None

    def is_due(self, max_age: int) -> bool:
        """Tell whether the cookie must be set: it is new, or a third of its life has passed."""
        if self.is_foreign:
            return False
        if self.is_new or max_age < 3 * 86_400:
            return True
        return not 0 <= today() - self.day <= max_age // 3 // 86_400

    def value(self) -> str:
        """Return the value of a cookie that is issued today."""
        return f"{self.id}.{today()}"
