"""One connection of an ASGI server around a client; it imports no framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

from abmiddleware.client import ExperimentClient
from abmiddleware.web import finish

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Where the client stands in the scope.
SCOPE_KEY: Final = "experiments"

#: The messages by which an answer to the browser starts.
_STARTS: Final = ("http.response.start", "websocket.accept", "websocket.http.response.start")
#: The one by which a handshake is refused, which has no headers.
_REFUSAL: Final = "websocket.close"

_Header = tuple[bytes, bytes]


async def serve(
    app: App, scope: Scope, receive: Receive, send: Send, client: ExperimentClient
) -> None:
    """Serve a connection by an application, and finish its response."""
    started = False

    async def send_finished(message: Message) -> None:
        nonlocal started
        if not started and message["type"] in _STARTS:
            started = True
            if client.response_starts():
                # A new message: the application may send its own again.
                message = {**message, "headers": _finished(client, message.get("headers", ()))}
        elif not started and message["type"] == _REFUSAL:
            started = True
            client.response_starts()
        await send(message)

    try:
        await app(scope, receive, send_finished)
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
    headers.extend((b"set-cookie", cookie.header().encode("latin-1")) for cookie in told.cookies)
    return headers
