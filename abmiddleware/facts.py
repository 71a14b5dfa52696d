"""What an adapter tells the core of a request."""

from __future__ import annotations

from typing import Any, Protocol


class RequestFacts(Protocol):
    """What an adapter tells of a request; read only when it is needed."""

    @property
    def request(self) -> Any:
        """The framework's request, as resolvers and predicates get it."""

    def cookie_header(self) -> str:
        """Return the `Cookie` header, or ""."""

    def header(self, name: str) -> str:
        """Return a header by its name in lower case, or ""."""

    def is_secure(self) -> bool:
        """Tell whether the request came over https, as the framework sees it."""

    def method(self) -> str:
        """Return the HTTP method, or "" where there is none, as for a WebSocket."""

    def path(self) -> str:
        """Return the path of the URL, such as "/checkout", without the query."""

    def url(self) -> str:
        """Return the URL of the page, with its query, or ""."""

    def keep_private(self) -> None:
        """Keep the framework's own caches from storing the response; it now depends on who asks.

        Called before the first answer is given. Headers alone come too late for a cache that sits
        between the view and the middleware.
        """
