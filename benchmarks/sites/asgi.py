"""Drives ASGI applications by hand, in one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import nullcontext
from time import process_time
from typing import Any

from benchmarks.sites.site import COOKIE, Setting, Variant

Message = MutableMapping[str, Any]
AsgiApp = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[Message]],
        Callable[[Message], Awaitable[None]],
    ],
    Awaitable[None],
]


class Exchange:
    """One request, as a server hands it to an application."""

    def __init__(self, path: str, cookie: str, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._is_read = False
        self.status = 0
        self.body = b""
        self.scope: MutableMapping[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"shop.test"), (b"cookie", f"{COOKIE}={cookie}".encode())],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 80),
        }

    async def receive(self) -> Message:
        """Return the empty body, then wait for a disconnect that never comes."""
        if self._is_read:
            await self._loop.create_future()
        self._is_read = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: Message) -> None:
        """Keep the status and the body."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.body += message.get("body", b"")


class AsgiSite:
    """An ASGI application in all variants."""

    def __init__(
        self, name: str, apps: Mapping[Variant, AsgiApp], setting: Setting | None = None
    ) -> None:
        self.name = name
        self._apps = apps
        self._setting: Setting = setting or (lambda _: nullcontext())
        self._loop = asyncio.new_event_loop()

    def bodies(self, variant: Variant, cookies: Sequence[str]) -> list[bytes]:
        """Serve a request for each cookie and return what came.

        Raises:
            RuntimeError: a response was none of 200.
        """
        exchanges = self._exchanges(variant, cookies)
        with self._setting(variant):
            self._loop.run_until_complete(_serve(self._apps[variant], exchanges))
        if any(exchange.status != 200 for exchange in exchanges):
            raise RuntimeError(f"{self.name}, {variant}: a response is not 200")
        return [exchange.body for exchange in exchanges]

    def seconds(self, variant: Variant, cookies: Sequence[str]) -> float:
        """Serve a request for each cookie and return the CPU seconds that it took."""
        exchanges = self._exchanges(variant, cookies)
        with self._setting(variant):
            self.bodies(variant, cookies[:3])  # warms up
            return self._loop.run_until_complete(_serve(self._apps[variant], exchanges))

    def _exchanges(self, variant: Variant, cookies: Sequence[str]) -> list[Exchange]:
        return [Exchange(variant.path, cookie, self._loop) for cookie in cookies]


async def _serve(app: AsgiApp, exchanges: Sequence[Exchange]) -> float:
    began = process_time()
    for exchange in exchanges:
        await app(exchange.scope, exchange.receive, exchange.send)
    return process_time() - began


class EmptyMiddleware:
    """A pure ASGI middleware that does nothing."""

    def __init__(self, app: AsgiApp) -> None:
        self.app = app

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Pass everything through."""
        await self.app(scope, receive, send)
