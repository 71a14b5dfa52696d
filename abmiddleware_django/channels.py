"""`self.scope["experiments"]` for the consumers of Django Channels.

"websocket": AuthMiddlewareStack(ExperimentsMiddleware(URLRouter(...)))
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest

from abmiddleware.asgi import SCOPE_KEY, App, Receive, Scope, Send, serve
from abmiddleware_django import conf
from abmiddleware_django.middleware import DjangoFacts


class ExperimentsMiddleware:
    """Offers `self.scope["experiments"]` in every consumer, for as long as its connection lasts.

    It is the client of the handshake: the visitor's cookie is set when a consumer that has asked
    accepts. Within `AuthMiddlewareStack` it knows who is logged in.
    """

    def __init__(self, inner: App) -> None:
        conf.engine()  # a wrong setting stops the server when it starts
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or conf.engine().owns(scope.get(SCOPE_KEY)):
            await self.inner(scope, receive, send)
            return
        client = conf.engine().request_client(ConsumerFacts(scope))
        if client.must_look_ahead():
            # Who may ask for a variation is a question for the database.
            await sync_to_async(client.look_ahead)()
        await serve(self.inner, {**scope, SCOPE_KEY: client}, receive, send, client)


class ConsumerFacts(DjangoFacts):
    """What the core may ask of a consumer's connection, as of the request that it began with."""

    __slots__ = ("_is_websocket",)

    def __init__(self, scope: Scope) -> None:
        self._is_websocket = scope["type"] == "websocket"
        # Django would refuse other bytes, and the connection with them.
        query = scope.get("query_string", b"").decode("utf-8", "replace")
        request: Any = ASGIRequest({"method": "GET", **scope, "query_string": query}, BytesIO())
        for name in ("user", "session"):  # as Channels' own middleware found them
            if name in scope:
                setattr(request, name, scope[name])
        super().__init__(request)

    def method(self) -> str:
        """Return the HTTP method; "" for a WebSocket."""
        return "" if self._is_websocket else super().method()

    def is_secure(self) -> bool:
        """Tell whether it came over https or wss, as Django sees it."""
        return self.request.scheme == "wss" or super().is_secure()

    def must_await_user(self) -> bool:
        """Tell that it need not: Channels has found the user already."""
        return False
