"""The ASGI middleware for Starlette and FastAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from urllib.parse import quote_from_bytes

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse

from abmiddleware import ConfigurationError, Engine
from abmiddleware.asgi import SCOPE_KEY, App, serve
from abmiddleware.client import ExperimentClient
from abmiddleware.facts import PURPOSES, RequestFacts

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_PURPOSES: Final = frozenset(name.encode("latin-1") for name in PURPOSES)

#: What stands in a query as it is.
_QUERY: Final = "!$&'()*+,;=:@/?%-._~"

_MISSING = (
    "ExperimentsMiddleware must be added to the application, around all that uses "
    "request.experiments: app.add_middleware(ExperimentsMiddleware, engine=engine)."
)


class ConnectionFacts(RequestFacts):
    """What the core may ask of an HTTP or WebSocket connection."""

    __slots__ = ("_headers", "_scope")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._headers: dict[bytes, bytes] | None = None

    @property
    def request(self) -> HTTPConnection:
        """The request or the WebSocket's handshake, as attribute functions get it."""
        is_http = self._scope["type"] == "http"
        return Request(self._scope) if is_http else HTTPConnection(self._scope)

    def cookie_header(self) -> str:
        """Return the `Cookie` header; HTTP/2 may send it in several parts."""
        by_name = self._by_name()
        if len(by_name) == len(headers := self._scope.get("headers", ())):  # none comes twice
            return by_name.get(b"cookie", b"").decode("latin-1")
        parts = [value for key, value in headers if key == b"cookie"]
        return b";".join(parts).decode("latin-1")

    def header(self, name: str) -> str:
        """Return a header by its name in lower case, or ""; of several the last."""
        return self._by_name().get(name.encode("latin-1"), b"").decode("latin-1")

    def tells_purpose(self) -> bool:
        """Tell whether one of `PURPOSES` is there."""
        return not self._by_name().keys().isdisjoint(_PURPOSES)

    def _by_name(self) -> dict[bytes, bytes]:
        headers = self._headers
        if headers is None:
            headers = self._headers = dict(self._scope.get("headers", ()))
        return headers

    def is_secure(self) -> bool:
        """Tell whether the connection came over https or wss, as the server sees it."""
        return self._scope.get("scheme") in ("https", "wss")

    def method(self) -> str:
        """Return the HTTP method; "" for a WebSocket."""
        method: str = self._scope.get("method", "")
        return method

    def path(self) -> str:
        """Return the path of the URL."""
        return cast(str, self._scope["path"])

    def query(self) -> str:
        """Return the query of the URL."""
        return cast(bytes, self._scope.get("query_string", b"")).decode("latin-1")

    def url(self) -> str:
        """Return the URL of the page, as the server sees it."""
        try:
            return str(HTTPConnection(self._scope).url)
        except UnicodeDecodeError:  # of a query that is no text
            query = quote_from_bytes(self._scope["query_string"], safe=_QUERY)
            return str(HTTPConnection({**self._scope, "query_string": query.encode()}).url)

    def knows_users(self) -> bool:
        """Tell whether Starlette's middleware for authentication is there."""
        return "user" in self._scope

    def user_id(self) -> object:
        """Return the `identity` of who is logged in; None for a class of users without it."""
        user = self._scope.get("user")
        if user is None or not user.is_authenticated:
            return None
        try:
            return cast(object, user.identity)
        except NotImplementedError:  # Starlette's own classes leave it to the team
            return None


class ExperimentsMiddleware:
    """Offers `request.experiments` in every endpoint, and finishes the response.

        app.add_middleware(ExperimentsMiddleware, engine=engine)

    It is `request.state.experiments` and `request.scope["experiments"]` as well.

    Args:
        app: the application behind it.
        engine: the engine of this process.
        request_property: whether `request.experiments` is offered, by a property that is put on
            Starlette's `HTTPConnection` unless something else has the name.
    """

    def __init__(self, app: ASGIApp, engine: Engine, *, request_property: bool = True) -> None:
        if not isinstance(engine, Engine):
            raise ConfigurationError(
                f"engine: is {engine!r}, must be an Engine, such as Engine([...])"
            )
        self.app = app
        self.engine = engine
        self._asked_debug = False
        if request_property:
            _offer_property()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        outer = scope.get(SCOPE_KEY)
        if scope["type"] not in ("http", "websocket") or self.engine.owns(outer):
            await self.app(scope, receive, send)
            return
        if not self._asked_debug:
            self._asked_debug = True
            self.engine.in_debug(getattr(scope.get("app"), "debug", False))
        client = self.engine.request_client(ConnectionFacts(scope))
        scope[SCOPE_KEY] = client
        scope.setdefault("state", {})[SCOPE_KEY] = client
        app: App = self.app
        if self.engine.redirects and (target := client.redirect()) is not None:
            app = RedirectResponse(target, 302)
        try:
            await serve(app, scope, receive, send, client)
        finally:
            if outer is not None:  # of an application around this one, with another engine
                scope[SCOPE_KEY] = scope["state"][SCOPE_KEY] = outer


def experiments_from(connection: HTTPConnection) -> ExperimentClient:
    """Return the client of a request or WebSocket.

    Raises:
        RuntimeError: the middleware is not there.
    """
    client = connection.scope.get(SCOPE_KEY)
    if not isinstance(client, ExperimentClient):
        raise RuntimeError(_MISSING)  # noqa: TRY004  # the set-up is wrong, not a type
    return client


def _offer_property() -> None:
    """Put `experiments` on Starlette's connections, as it has `session` and `user` there."""
    if not hasattr(HTTPConnection, "experiments"):
        HTTPConnection.experiments = property(experiments_from)  # type: ignore[attr-defined]
