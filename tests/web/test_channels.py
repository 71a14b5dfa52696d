"""Consumers of Django Channels have experiments, as views do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.auth import AuthMiddlewareStack
from channels.generic.http import AsyncHttpConsumer
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from channels.routing import URLRouter
from django.test import AsyncClient, override_settings
from django.urls import path

from abmiddleware import ConfigurationError, Engine, Experiment, MemorySink, Overrides
from abmiddleware.identity import Visitor
from abmiddleware_django import conf, experiment
from abmiddleware_django.channels import ExperimentsMiddleware
from tests.web.django_users import MIDDLEWARE, person
from tests.web.views import BUTTON, EXPERIMENTS

MEMBERS = Experiment("members", ["old", "new"], hash_attribute="user_id", hash_version=2)
#: Channels itself closes old connections of the database whenever a consumer gets a message.
pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  # of a test


class Shop(AsyncWebsocketConsumer):  # type: ignore[misc]  # it has no types
    """Asks at once; and again whenever it is told a key."""

    async def connect(self) -> None:
        self.scope["experiments"].run(BUTTON)
        await self.accept(headers=[(b"x-shop", b"yes")])

    async def receive(self, text_data: str = "", bytes_data: bytes | None = None) -> None:
        await self.send(str(self.scope["experiments"].run(text_data).value))


class Quiet(WebsocketConsumer):  # type: ignore[misc]
    """Asks in a thread, when it is told to, and not before."""

    def receive(self, text_data: str = "", bytes_data: bytes | None = None) -> None:
        self.send(str(self.scope["experiments"].run(text_data).value))


class Decorated(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Is passed its variation."""

    @experiment("checkout-button")
    async def connect(self, variation: str) -> None:
        await self.accept()
        await self.send(variation)


class Closed(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Asks, and refuses."""

    async def connect(self) -> None:
        self.scope["experiments"].run(BUTTON)
        await self.close()


class Page(AsyncHttpConsumer):  # type: ignore[misc]
    """Answers by HTTP."""

    async def handle(self, body: bytes) -> None:
        shown = self.scope["experiments"].run(BUTTON).value
        await self.send_response(200, shown.encode(), headers=[(b"Vary", b"Accept")])


ROUTES = URLRouter([path("shop", Shop.as_asgi()), path("quiet", Quiet.as_asgi()),
                    path("closed", Closed.as_asgi()), path("page", Page.as_asgi()),
                    path("decorated", Decorated.as_asgi())])  # fmt: skip


@pytest.fixture
def app(sink: MemorySink) -> Iterator[Any]:
    """Return the application, whose visitors have no session."""
    engine = Engine([*EXPERIMENTS, MEMBERS], sink=sink, overrides=Overrides(SECRET))
    with override_settings(EXPERIMENTS={"ENGINE": engine}):
        yield ExperimentsMiddleware(ROUTES)
    conf.engine.cache_clear()


def cookie(response: list[tuple[bytes, bytes]]) -> bytes:
    """Return the visitor cookie that headers set."""
    (set_cookie,) = [value for name, value in response if name == b"set-cookie"]
    return set_cookie.partition(b";")[0]


class Connection:
    """A connection as a server would make it."""

    def __init__(self, app: Any, kind: str, url: str, *headers: tuple[bytes, bytes], **scope: Any):
        at, _, query = url.partition("?")
        made = {
            "type": kind,
            "path": at,
            "query_string": query.encode(),
            "headers": list(headers),
            "server": ("shop.example", 80),
            **scope,
        }
        self._server: Any = cast(Any, ApplicationCommunicator)(app, made)

    async def ask(self, kind: str, **message: Any) -> Any:
        """Send a message, and return the answer to it."""
        await self._server.send_input({"type": kind, **message})
        return await self._server.receive_output(5)

    async def more(self) -> Any:
        """Return the next message."""
        return await self._server.receive_output(5)

    async def told(self, key: str) -> str:
        """Return what a consumer answers."""
        return str((await self.ask("websocket.receive", text=key))["text"])

    async def disconnect(self) -> None:
        """End it."""
        await self._server.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._server.wait()


async def opened(
    app: Any, url: str, *headers: tuple[bytes, bytes], **scope: Any
) -> tuple[Connection, list[tuple[bytes, bytes]]]:
    """Return an open WebSocket, and the headers that accepted it."""
    socket = Connection(app, "websocket", url, *headers, **scope)
    accepted = await socket.ask("websocket.connect")
    return socket, list(accepted.get("headers") or [])


async def test_a_consumer_shows_and_records_one_variation(app: Any, sink: MemorySink) -> None:
    """At the line that asks, once; the accepted handshake sets the cookie of a newcomer."""
    socket, headers = await opened(app, "/shop")
    assert (b"x-shop", b"yes") in headers
    (exposure,) = sink.exposures
    assert cookie(headers).decode().startswith(f"ab_id={exposure.unit_id}.")

    shown = await socket.told("checkout-button")
    assert await socket.told("checkout-button") == shown
    assert shown == BUTTON.variations[exposure.variation_id]
    assert len(sink.exposures) == 1
    await socket.disconnect()


async def test_a_visitor_keeps_their_variation(app: Any, sink: MemorySink) -> None:
    """Whom the page's cookie names; it is not set again."""
    for _ in range(5):
        visitor = Visitor.issue()
        header = (b"cookie", f"ab_id={visitor.value()}".encode())
        socket, headers = await opened(app, "/shop", header)

        assert sink.exposures[-1].unit_id == visitor.id
        assert not [name for name, _ in headers if name == b"set-cookie"]
        await socket.disconnect()


async def test_a_consumer_that_asks_later_records_at_once(app: Any, sink: MemorySink) -> None:
    """In a thread, after the handshake; it does not wait for the connection's end."""
    visitor = Visitor.issue()
    socket, _ = await opened(app, "/quiet", (b"cookie", f"ab_id={visitor.value()}".encode()))
    assert sink.records == []
    await socket.told("checkout-button")

    assert [one.unit_id for one in sink.exposures] == [visitor.id]
    await socket.disconnect()


async def test_a_refused_connection_has_its_record(app: Any, sink: MemorySink) -> None:
    """The line that asked was reached."""
    socket = Connection(app, "websocket", "/closed")

    assert (await socket.ask("websocket.connect"))["type"] == "websocket.close"
    assert len(sink.exposures) == 1


async def test_a_consumer_of_http_is_no_page_for_others(app: Any, sink: MemorySink) -> None:
    """Its response is as that of a view."""
    page = Connection(app, "http", "/page", method="GET")
    headers = dict((await page.ask("http.request"))["headers"])

    assert headers[b"cache-control"] == b"private"
    assert headers[b"vary"] == b"Accept, Cookie"
    assert (await page.more())["body"].decode() in BUTTON.variations
    await Connection(app, "http", "/page", method="HEAD").ask("http.request")
    assert len(sink.exposures) == 1


@pytest.mark.parametrize(("scheme", "secure"), [("ws", False), ("wss", True)])
async def test_the_cookie_is_secure_where_the_connection_is(
    app: Any, scheme: str, secure: bool
) -> None:
    """As of a page by https."""
    socket, headers = await opened(app, "/shop", scheme=scheme)
    (line,) = [value for name, value in headers if name == b"set-cookie"]

    assert line.endswith(b"; Secure") is secure
    await socket.disconnect()


async def test_an_override_shows_a_variation(app: Any, sink: MemorySink) -> None:
    """By the URL of the handshake; odd bytes there break nothing."""
    overrides = conf.engine().overrides
    assert overrides is not None
    for name in BUTTON.variations:
        token = overrides.token({"checkout-button": name})
        socket, _ = await opened(app, f"/quiet?ab_override={token}")
        assert await socket.told("checkout-button") == name
        await socket.disconnect()
    socket, _ = await opened(app, "/quiet", query_string=b"\xff=\xfe&ab_override=\xff")
    assert await socket.told("checkout-button") in BUTTON.variations
    await socket.disconnect()
    assert len(sink.exposures) == 1


async def test_a_consumer_knows_who_is_logged_in(app: Any, sink: MemorySink) -> None:
    """Within `AuthMiddlewareStack`; no database is asked in the event loop."""
    stack = AuthMiddlewareStack(app)
    engine = Engine([MEMBERS], sink=MemorySink())
    for name in ("ada", "bob", "cyd"):
        user = await sync_to_async(person)(name)
        with override_settings(MIDDLEWARE=MIDDLEWARE):
            browser = AsyncClient()
            await browser.aforce_login(user)
        header = re.sub(r"^Set-Cookie: ", "", browser.cookies["sessionid"].output()).partition(";")
        socket, _ = await opened(stack, "/quiet", (b"cookie", header[0].encode()))

        expected = engine.client(user_id=user.pk).run(MEMBERS).value
        assert await socket.told("members") == expected
        await socket.disconnect()
    socket, _ = await opened(stack, "/quiet")
    assert await socket.told("members") == "old"
    assert len(sink.exposures) == 3
    await socket.disconnect()


async def test_a_method_of_a_consumer_is_decorated(app: Any, sink: MemorySink) -> None:
    """Like a view; a consumer without the middleware is told of it."""
    socket, headers = await opened(app, "/decorated")
    assert (await socket.more())["text"] == BUTTON.variations[sink.exposures[0].variation_id]
    assert cookie(headers)
    await socket.disconnect()
    with pytest.raises(ConfigurationError, match="has no experiments"):
        await opened(ROUTES, "/decorated")


async def test_a_middleware_within_another_is_one(app: Any, sink: MemorySink) -> None:
    """As of an application that is mounted in two ways."""
    socket, headers = await opened(ExperimentsMiddleware(app), "/shop")

    assert len(sink.exposures) == 1
    assert cookie(headers)
    await socket.disconnect()
