"""The ASGI middleware for Starlette and FastAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection

from abmiddleware import Engine
from abmiddleware.client import ExperimentClient
from abmiddleware.web import finish

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Where the client stands in the ASGI scope.
SCOPE_KEY = "experiments"

_MISSING = "ExperimentsMiddleware must be added to the application to use request.experiments."


class ConnectionFacts:
    """What the core may ask of an HTTP or WebSocket connection."""

    __slots__ = ("_scope",)

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    @property
    def request(self) -> HTTPConnection:
        """The connection, as attribute functions get it."""
        return HTTPConnection(self._scope)

    def cookie(self, name: str) -> str | None:
        """Return the value of a cookie."""
        return HTTPConnection(self._scope).cookies.get(name)

    def is_secure(self) -> bool:
        """Tell whether the connection came over https or wss, as the server sees it."""
        return self._scope["scheme"] in ("https", "wss")


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
        self.app = app
        self.engine = engine
        self._asked_debug = False
        if request_property:
            _offer_property()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or SCOPE_KEY in scope:
            await self.app(scope, receive, send)
            return
        if not self._asked_debug:
            self._asked_debug = True
            self.engine.in_debug(getattr(scope.get("app"), "debug", False))
        client = self.engine.request_client(ConnectionFacts(scope))
        scope[SCOPE_KEY] = client
        scope.setdefault("state", {})[SCOPE_KEY] = client

        async def send_finished(message: Message) -> None:
            starts = message["type"] in ("http.response.start", "websocket.accept")
            if starts and client.response_starts():
                headers = MutableHeaders(raw=list(message.get("headers", ())))
                cookie = finish(client, headers)
                if cookie is not None:
                    headers.append("set-cookie", cookie.header())
                message["headers"] = headers.raw
            await send(message)

        try:
            await self.app(scope, receive, send_finished)
        finally:
            client.response_starts()


def experiments_from(connection: HTTPConnection) -> ExperimentClient:
    """Return the client of a request or WebSocket.

    Raises:
        RuntimeError: the middleware is not there.
    """
    client = connection.scope.get(SCOPE_KEY)
    if not isinstance(client, ExperimentClient):
        raise RuntimeError(_MISSING)
    return client


def _offer_property() -> None:
    """Put `experiments` on Starlette's connections, as it has `session` and `user` there."""
    if not hasattr(HTTPConnection, "experiments"):
        HTTPConnection.experiments = property(experiments_from)  # type: ignore[attr-defined]
