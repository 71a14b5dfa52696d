"""Variations that the team's own people ask to see: by a signed link, or since they may."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from time import time as now
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import msgspec

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.facts import Predicate, RequestFacts, holds, is_within
from abmiddleware.identity import SetCookie, VisitorCookie
from abmiddleware.notices import notices
from abmiddleware.signing import Signer
from abmiddleware.value_checks import check_function, refuse

#: A signature of anything else under the same secret is none of an override.
_PURPOSE: Final = b"abmiddleware override 1"
#: Characters of an override, so that a cookie and a URL hold it.
_LONGEST: Final = 2_000
#: Seconds; whoever needs a variation for longer wants it in the configuration.
_LAST: Final = 30 * 86_400


class Override(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a request is shown out of the ordinary."""

    #: By the key of an experiment its variation, by name, value or index; by the key of a
    #: feature its value, as JSON or as a plain text.
    values: dict[str, str]
    #: When it ends, in seconds since 1970; 0 for never.
    expires: int = 0
    #: The host that it is for; "" for all.
    host: str = ""
    #: The path that it is for, with a slash at the end for all below it; "" for all.
    path: str = ""

    def refusal(self, facts: RequestFacts, now: float) -> str:
        """Return why it is not for a request, or ""."""
        if self.expires and self.expires <= now:
            return f"it has expired {now - self.expires:.0f} seconds ago"
        if self.host and urlsplit(facts.url()).hostname != self.host:
            return f"it is for the host {self.host}"
        if self.path and not is_within(facts.path(), self.path):
            return f"it is for the path {self.path}"
        return ""


class Asked(msgspec.Struct, frozen=True):
    """An override that a request brought."""

    override: Override
    #: How it was written.
    text: str
    #: Whether the URL brought it, so that a cookie must keep it for the pages that follow.
    is_new: bool


#: The wish for none, of a URL that ends an override.
NONE: Final = Asked(Override(values={}), "", is_new=True)


class Overrides:
    """How people of the team may see the variation of their choice, to check it.

    What they are shown is never recorded, and no store keeps it.

        Engine(..., overrides=Overrides(SECRET, allow=is_staff))

    A signed one, of `abmiddleware override` or `token`, may be given to anybody:
    `?ab_override=<token>`. Those that `allow` holds for write their own:
    `?ab_override=checkout-button:one-click`. Either is kept by a cookie for the pages that follow,
    until `?ab_override=` ends it. A header, `ab-override`, counts for its request alone.

    Args:
        secret: at least 32 random characters; or a list of such, of which the first one signs and
            each verifies. None takes no signed ones.
        allow: tells of a request whether it may ask without a signature, such as `is_staff`.
        cookie: its name is that of the parameter as well, and of the header with `-` for `_`. It
            lasts as long as the override, or as it says.

    Raises:
        ConfigurationError: an argument is wrong, or both ways are closed.
    """

    def __init__(
        self,
        secret: str | Sequence[str] | None = None,
        *,
        allow: Predicate | None = None,
        cookie: VisitorCookie | None = None,
    ) -> None:
        if secret is None and allow is None:
            raise ConfigurationError(
                "overrides: have neither a secret nor allow, must have one of them, such as "
                "Overrides(allow=is_staff)"
            )
        if cookie is not None and not isinstance(cookie, VisitorCookie):
            raise refuse("overrides.cookie", cookie, "a VisitorCookie")
        self._signer = None if secret is None else Signer(secret, _PURPOSE)
        self._allow: Predicate | None = check_function("overrides.allow", allow)
        self.cookie = cookie or VisitorCookie("ab_override", max_age=8 * 3600)
        self.name = self.cookie.name
        self._header = self.name.lower().replace("_", "-")
        self._in_cookies = re.compile(rf'(?:^|;)\s*{re.escape(self.name)}\s*=\s*"?([^;"\s]+)')

    def token(
        self,
        values: Mapping[str, object],
        *,
        lifetime: float = 8 * 3600,
        host: str = "",
        path: str = "",
    ) -> str:
        """Return a signed override, for a link, a cookie or a header.

        Args:
            values: by the key of an experiment the variation, by its name, value or index; by
                the key of a feature its value.
            lifetime: seconds until it ends, 30 days at most.
            host: it is for this one alone, such as "staging.example.com".
            path: it is for this one alone, and with a slash at the end for all below.

        Raises:
            ConfigurationError: an argument is wrong, there is no secret, or it grows too long.
        """
        if self._signer is None:
            raise ConfigurationError("overrides.secret: is None, must be given to sign with")
        if not values or not all(isinstance(key, str) and key for key in values):
            raise refuse("values", values, "a dictionary by keys, such as {'checkout': 'new'}")
        if not 0 < lifetime <= _LAST:
            raise refuse("lifetime", lifetime, f"1 to {_LAST} seconds, which are 30 days")
        if path and not path.startswith("/"):
            raise refuse("path", path, "a path that begins with /")
        override = Override(
            values={key: _text(value) for key, value in values.items()},
            expires=ceil(now() + lifetime),
            host=host.lower(),
            path=path,
        )
        token = self._signer.sign(msgspec.json.encode(override))
        if len(token) > _LONGEST:
            raise ConfigurationError(
                f"values: make {len(token)} characters, must make at most {_LONGEST}: a URL and a "
                "cookie must hold them"
            )
        return token

    def asked(self, facts: RequestFacts) -> Asked | None:
        """Return what a request asks to be shown out of the ordinary, if it may.

        Of several ways the URL comes before the header, and that before the cookie.
        """
        for text, is_new in self._texts(facts):
            if not text:
                return NONE
            if (override := self._allowed(text, facts)) is not None:
                return Asked(override, text, is_new)
        return None

    def may_ask(self, facts: RequestFacts) -> bool:
        """Tell whether `allow` must be asked of a request."""
        return self._allow is not None and any(":" in text for text, _ in self._texts(facts))

    def _texts(self, facts: RequestFacts) -> Iterator[tuple[str, bool]]:
        """Yield what a request asks for, and whether its URL does, which may be for nothing."""
        in_url = _parameter(facts.query(), self.name)
        if in_url is not None:
            yield in_url, True
        if in_header := facts.header(self._header):
            yield in_header, False
        if kept := self.kept(facts):
            yield kept, False

    def kept(self, facts: RequestFacts) -> str:
        """Return the text of the cookie, or ""."""
        header = facts.cookie_header()
        match = self._in_cookies.search(header) if self.name in header else None
        return unquote(match[1]) if match else ""

    def set_cookie(self, asked: Asked, facts: RequestFacts) -> SetCookie | None:
        """Return the cookie that keeps an override, or ends it; None if nothing changes."""
        if not asked.is_new or asked.text == self.kept(facts):
            return None
        lifetime = self.cookie.max_age if asked.text else 0
        if asked.override.expires:
            lifetime = asked.override.expires - int(now())
        secure = facts.is_secure() if self.cookie.secure is None else self.cookie.secure
        return SetCookie(quote(asked.text, safe=""), self.cookie, secure, max(0, lifetime))

    def _allowed(self, text: str, facts: RequestFacts) -> Override | None:
        """Return the override that a text is, if the request may have it; else tell why not."""
        if len(text) > _LONGEST:
            refusal = f"it has more than {_LONGEST} characters"
        elif ":" in text:
            override = _plain(text)
            if override is None:
                refusal = f"it is {shown(text)}, must be like checkout-button:one-click"
            elif self._allow is None or not holds("overrides.allow", self._allow, facts):
                refusal = "who asks may do so by a signed one only"
            else:
                return override
        else:
            override = self._signed(text)
            if override is None:
                refusal = "it was not signed here"
            elif not (refusal := override.refusal(facts, now())):
                return override
        notices.warn("override", "an override is not followed: %s", refusal)
        return None

    def _signed(self, text: str) -> Override | None:
        found = None if self._signer is None else self._signer.verified(text)
        if found is None:
            return None
        try:
            return _decoder.decode(found[0])
        except msgspec.MsgspecError:  # of another version of this library
            return None


_decoder = msgspec.json.Decoder(Override)


def _plain(text: str) -> Override | None:
    """Return an override that people write themselves, as `key:variation,key:variation`."""
    pairs = [pair.rpartition(":") for pair in text.split(",")]
    if not all(key and value for key, _, value in pairs):
        return None
    return Override(values={key.strip(): value.strip() for key, _, value in pairs})


def _parameter(query: str, name: str) -> str | None:
    if name not in query:
        return None
    try:
        found = dict(reversed(parse_qsl(query, keep_blank_values=True, max_num_fields=200)))
    except ValueError:  # too many
        return None
    return found.get(name)


def _text(value: object) -> str:
    """Return a value as it is written in an override.

    Raises:
        ConfigurationError: it is no JSON value.
    """
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value).decode()
    except TypeError:
        raise refuse("values", value, "texts and other JSON values") from None


def parsed(text: object) -> object:
    """Return the value of a feature that a text is: JSON, or else the text itself."""
    try:
        return msgspec.json.decode(str(text))
    except msgspec.DecodeError:
        return text
