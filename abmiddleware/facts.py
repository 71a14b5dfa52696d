"""What an adapter tells the core of a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from abmiddleware.notices import notices

#: The headers by which browsers tell that nobody may ever see a page, the standard's own first.
PURPOSES: Final = ("sec-purpose", "purpose", "x-purpose", "x-moz")

#: Tells something of the framework's request.
Predicate = Callable[[Any], object]


class RequestFacts(Protocol):
    """What an adapter tells of a request; read only when it is needed.

    An adapter inherits it, and so what follows from the rest.
    """

    __slots__ = ()

    @property
    def request(self) -> Any:
        """The framework's request, as resolvers and predicates get it."""

    def cookie_header(self) -> str:
        """Return the `Cookie` header, or ""."""

    def header(self, name: str) -> str:
        """Return a header by its name in lower case, or ""."""

    def tells_purpose(self) -> bool:
        """Tell whether one of `PURPOSES` is there, as in few requests."""
        return any(map(self.header, PURPOSES))

    def is_secure(self) -> bool:
        """Tell whether the request came over https, as the framework sees it."""

    def method(self) -> str:
        """Return the HTTP method, or "" where there is none, as for a WebSocket."""

    def path(self) -> str:
        """Return the path of the URL, such as "/checkout", without the query."""

    def query(self) -> str:
        """Return the query of the URL, without its "?", or ""."""

    def url(self) -> str:
        """Return the URL of the page, with its query, or ""."""

    def knows_users(self) -> bool:
        """Tell whether the framework says who is logged in, or that nobody is."""
        return False

    def user_id(self) -> object:
        """Return the id of who is logged in, or None; may read the session and a database."""
        return None

    def must_await_user(self) -> bool:
        """Tell whether that must be awaited by `auser_id`, since an event loop waits else."""
        return False

    async def auser_id(self) -> object:
        """Do as `user_id`."""
        return self.user_id()

    def keep_private(self) -> None:
        """Keep the framework's own caches from storing the response; it now depends on who asks.

        Called before the first answer is given. Headers alone come too late for a cache that sits
        between the view and the middleware.
        """
        return  # without it the method would be abstract


def holds(name: str, predicate: Predicate, facts: RequestFacts) -> bool:
    """Ask a predicate; one that fails counts as false."""
    try:
        return bool(predicate(facts.request))
    except Exception as error:  # noqa: BLE001  # a team's function must not break a page
        notices.warn(
            f"predicate {name}",
            "%s counts as false: its function raised %r",
            name,
            error,
            error=error,
        )
        return False


def is_within(path: str, place: str) -> bool:
    """Tell whether a path is a place, or below one that ends with a slash."""
    return path.startswith(place) if place.endswith("/") else path == place
