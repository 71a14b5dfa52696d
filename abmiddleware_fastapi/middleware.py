"""The ASGI middleware for Starlette and FastAPI."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from abmiddleware import Engine
from abmiddleware.client import ExperimentClient
from abmiddleware.identity import cookie_in
from abmiddleware.web import finish

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Where the client stands in the ASGI scope.
SCOPE_KEY = "experiments"

_Header = tuple[bytes, bytes]

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
        for key, value in self._scope["headers"]:  # HTTP/2 may send several
            if key == b"cookie":
                found = cookie_in(value.decode("latin-1"), name)
                if found is not None:
                    return found
        return None

    def is_secure(self) -> bool:
        """Tell whether the connection came over https or wss, as the server sees it."""
        return self._scope["scheme"] in ("https", "wss")

    def keep_private(self) -> None:
        """Do nothing: Starlette has no cache of its own."""


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
        started = False

        async def send_finished(message: Message) -> None:
            nonlocal started
            if not started and message["type"] in ("http.response.start", "websocket.accept"):
                started = True
                if client.response_starts():
                    message["headers"] = _finished(client, message.get("headers", ()))
            await send(message)

        try:
            await self.app(scope, receive, send_finished)
        finally:
            if not started:
                client.response_starts()


def _finished(client: ExperimentClient, raw: Iterable[_Header]) -> list[_Header]:
    """Return the headers of a response that may depend on who asks."""
    headers, vary, cache_control = [], [], []
    for header in raw:
        name = header[0].lower()
        if name == b"vary":
            vary.append(header[1].decode("latin-1"))
        elif name == b"cache-control":
            cache_control.append(header[1].decode("latin-1"))
        else:
            headers.append(header)
    told = finish(client, ", ".join(vary), ", ".join(cache_control))
    if told.vary:
        headers.append((b"vary", told.vary.encode("latin-1")))
    if told.cache_control:
        headers.append((b"cache-control", told.cache_control.encode("latin-1")))
    if told.cookie is not None:
        headers.append((b"set-cookie", told.cookie.header().encode("latin-1")))
    return headers


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
