"""A store in a cookie of the visitor: nothing to run, nothing to pay per visitor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from abmiddleware import identity
from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.identity import SetCookie, VisitorCookie
from abmiddleware.sticky.document import StickyDocument, storable, storable_keys
from abmiddleware.sticky.sealed import BROWSER_LIMIT, Content, Entry, Seal, unit_of

_LEAST_BYTES: Final = 512


class CookieStickyStore:
    """Keeps the assignments of a visitor in a signed cookie of theirs.

    It holds variations under hashes of the units' ids, so it shows no id, and only the unit that
    an assignment was made for gets it back. Visitors can delete it or bring an older one of their
    own back, but not change it. Of two responses on the way at once, the later one's cookie
    counts.

    Args:
        secret: at least 32 random characters; or a list of such, of which the first one signs and
            each verifies, so that a new one can be put before the old one.
        name: the cookie's name.
        max_age: seconds until it expires. It is renewed by new assignments, when a third of its
            life has passed, and when an old secret signed it.
        max_bytes: how long name and value may be together; the oldest assignments go first.
        path: as in `VisitorCookie`, as the following ones.
        domain: None for the host only.
        secure: None sets it over https only if the request came by that.
        http_only: whether scripts are kept from it.
        same_site: whether other sites' requests carry it.

    Raises:
        ConfigurationError: a secret is too short, or browsers refuse an option.
    """

    def __init__(
        self,
        secret: str | Sequence[str],
        *,
        name: str = "ab_sticky",
        max_age: int = 180 * 86_400,
        max_bytes: int = 3800,
        path: str = "/",
        domain: str | None = None,
        secure: bool | None = None,
        http_only: bool = True,
        same_site: Literal["Lax", "Strict", "None"] = "Lax",
    ) -> None:
        self.cookie: Final = VisitorCookie(
            name, max_age, path, domain, secure, http_only, same_site
        )
        if type(max_bytes) is not int or not _LEAST_BYTES <= max_bytes <= BROWSER_LIMIT:
            raise ConfigurationError(
                f"max_bytes: is {shown(max_bytes)}, must be {_LEAST_BYTES} to {BROWSER_LIMIT}: "
                "browsers drop longer cookies"
            )
        self._max_value = max_bytes - len(f"{name}=")
        self._seal = Seal(secret, name)

    def open(self, cookie_header: str) -> CookieSession:
        """Return what the visitor of one request has.

        Args:
            cookie_header: the request's `Cookie` header, or "".
        """
        return CookieSession(self.cookie, self._seal, self._max_value, cookie_header)


class _Read(NamedTuple):
    """What the cookie held."""

    entries: dict[tuple[str, str], str]
    #: Whether it is to be renewed, whatever changes.
    is_due: bool


class CookieSession:
    """The `StickyStore` of one request. Nothing of the header is read before it is asked."""

    def __init__(
        self, cookie: VisitorCookie, seal: Seal, max_value: int, cookie_header: str
    ) -> None:
        self._cookie = cookie
        self._seal = seal
        self._max_value = max_value
        self._header = cookie_header
        self._is_changed = False
        #: Holds what was read under one key, since only a dictionary has a setdefault that of many
        #: threads one wins.
        self._read: dict[None, _Read] = {}

    def load(self, keys: Sequence[str]) -> Mapping[str, StickyDocument]:
        """Return the documents that the cookie has something of, by key."""
        entries = self._entries()
        if not entries:
            return {}
        units = {unit_of(key): key for key in storable_keys(keys)}
        found: dict[str, dict[str, str]] = {}
        for (unit, assignment), variation in list(entries.items()):
            if (key := units.get(unit)) is not None:
                found.setdefault(key, {})[assignment] = variation
        return {key: StickyDocument.of(key, assignments) for key, assignments in found.items()}

    def save(self, document: StickyDocument) -> None:
        """Lay the document's assignments over those of the cookie."""
        fresh = storable(document)
        if fresh is None:
            return
        entries, unit = self._entries(), unit_of(fresh.key)
        for assignment, variation in fresh.assignments.items():
            if entries.get((unit, assignment)) != variation:
                entries.pop((unit, assignment), None)  # what changed is the newest again
                entries[unit, assignment] = variation
                self._is_changed = True

    def set_cookie(self, is_secure: bool) -> SetCookie | None:
        """Return the cookie if the response must set it; None if the browser has it already.

        Args:
            is_secure: whether the request came over https.
        """
        if not self._is_changed and not (self._read and self._read[None].is_due):
            return None
        entries = [Entry(*key, variation) for key, variation in list(self._entries().items())]
        content = Content(identity.today(), entries)
        value = self._seal.close_within(content, self._max_value)
        secure = is_secure if self._cookie.secure is None else self._cookie.secure
        return SetCookie(value, self._cookie, secure)

    def _entries(self) -> dict[tuple[str, str], str]:
        """Return the variations by unit and assignment, oldest first."""
        read = self._read.get(None)
        if read is None:
            read = self._read.setdefault(None, self._from_header())
        return read.entries

    def _from_header(self) -> _Read:
        for value in _values(self._header, self._cookie.name):
            if (opened := self._seal.open(value)) is not None:
                content, is_of_first_secret = opened
                is_due = not is_of_first_secret or self._is_old(content.day)
                entries = {(each.unit, each.assignment): each.variation for each in content.entries}
                return _Read(entries, is_due)
        return _Read({}, is_due=False)

    def _is_old(self, day: int) -> bool:
        """Tell whether a third of the life of a cookie of that day has passed."""
        thirds = self._cookie.max_age // 3 // 86_400
        return thirds == 0 or not 0 <= identity.today() - day <= thirds


def _values(header: str, name: str) -> Iterator[str]:
    """Yield the values of the cookies of a name, in the browser's order."""
    if name not in header:
        return
    for part in header.split(";"):
        key, _, value = part.partition("=")
        if key.strip() == name:
            yield value.strip().strip('"')
