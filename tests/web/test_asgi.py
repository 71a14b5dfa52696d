"""What is Starlette's and FastAPI's own."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from abmiddleware import Engine, MemorySink
from abmiddleware.client import ExperimentClient
from abmiddleware_fastapi import (
    Experiments,
    ExperimentsMiddleware,
    experiments_from,
    get_experiments,
)
from tests.web.views import BUTTON, COMPANY


async def run(request: Request) -> PlainTextResponse:
    return PlainTextResponse(experiments_from(request).run(BUTTON).value)


def starlette_app(engine: Engine, *routes: Any) -> Starlette:
    return Starlette(
        routes=[Route("/run", run), *routes],
        middleware=[Middleware(ExperimentsMiddleware, engine=engine)],
    )


def test_every_spelling_is_one_client(engine: Engine) -> None:
    """Property, state, scope and function give the same client."""

    async def same(request: Request) -> PlainTextResponse:
        clients = {
            id(client)
            for client in (
                request.experiments,  # type: ignore[attr-defined]
                request.state.experiments,
                request["experiments"],
                experiments_from(request),
            )
        }
        return PlainTextResponse(str(len(clients)))

    app = starlette_app(engine, Route("/same", same))

    assert TestClient(app).get("/same").text == "1"


def test_a_query_that_is_no_text_breaks_no_page(engine: Engine) -> None:
    """Its bytes stand in the attribute as a URL has them."""

    async def url(request: Request) -> PlainTextResponse:
        client = experiments_from(request)
        return PlainTextResponse(str(client.bootstrap("url")["attributes"]["url"]))

    app = starlette_app(engine, Route("/url", url))

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["query_string"] = b"a=\xff&b=1"
        await app(scope, receive, send)

    assert TestClient(outer).get("/url").text == "http://testserver/url?a=%FF&b=1"


def test_a_missing_middleware_is_named() -> None:
    """Asking for experiments without the middleware tells what is missing."""
    app = Starlette(routes=[Route("/run", run)])

    with pytest.raises(RuntimeError, match="ExperimentsMiddleware must be added"):
        TestClient(app).get("/run")


def test_a_mounted_application_shares_the_client(engine: Engine, sink: MemorySink) -> None:
    """An application with the middleware inside another with it uses one client and one cookie."""
    inner = starlette_app(engine)
    outer = starlette_app(engine, Mount("/inner", inner))
    response = TestClient(outer).get("/inner/run")

    assert len(response.headers.get_list("set-cookie")) == 1
    assert len(sink.exposures) == 1


def test_a_websocket_keeps_its_visitor(engine: Engine, sink: MemorySink) -> None:
    """A WebSocket runs experiments for the visitor of its handshake, and records each at once."""

    async def chat(socket: WebSocket) -> None:
        experiments: ExperimentClient = socket.experiments  # type: ignore[attr-defined]
        experiments.ensure_identity()
        await socket.accept()
        await socket.send_text(experiments.run(BUTTON).value)
        await socket.receive_text()
        await socket.close()

    client = TestClient(starlette_app(engine, WebSocketRoute("/chat", chat)))
    with client.websocket_connect("/chat") as socket:
        value = socket.receive_text()
        recorded = len(sink.exposures)
        socket.send_text("done")

    assert recorded == 1
    assert value in BUTTON.variations


def test_a_background_task_is_recorded(engine: Engine, sink: MemorySink) -> None:
    """An experiment that first runs in a background task is recorded then."""

    async def later(request: Request) -> PlainTextResponse:
        experiments = experiments_from(request)
        experiments.ensure_identity()
        return PlainTextResponse("sent", background=BackgroundTask(experiments.run, BUTTON))

    client = TestClient(starlette_app(engine, Route("/later", later)))
    client.get("/later")

    assert len(sink.exposures) == 1
    assert sink.exposures[0].unit_id == (client.cookies.get("ab_id") or "").split(".")[0]


def test_the_property_can_be_left_out(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `request_property=False` Starlette's classes stay as they are."""
    monkeypatch.delattr(HTTPConnection, "experiments", raising=False)
    ExperimentsMiddleware(Starlette(), engine, request_property=False)

    assert not hasattr(HTTPConnection, "experiments")


def test_a_taken_property_is_kept(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that something else has taken stays with it."""
    monkeypatch.setattr(HTTPConnection, "experiments", "theirs", raising=False)
    ExperimentsMiddleware(Starlette(), engine)

    assert HTTPConnection.experiments == "theirs"  # type: ignore[attr-defined]


def fastapi_app(engine: Engine | None) -> FastAPI:
    app = FastAPI()
    if engine is None:

        @app.get("/checkout")
        async def checkout() -> str:
            return ""

        return app
    app.add_middleware(ExperimentsMiddleware, engine=engine)

    async def checkout_with(experiments: Any) -> str:
        return str(experiments.run(BUTTON).value)

    checkout_with.__name__ = "checkout"
    checkout_with.__annotations__ = {"experiments": Experiments, "return": str}
    app.get("/checkout")(checkout_with)
    return app


def test_the_dependency_leaves_openapi_alone(engine: Engine) -> None:
    """The schema of an application with the dependency equals that of one without."""
    assert fastapi_app(engine).openapi() == fastapi_app(None).openapi()


def test_the_dependency_can_be_overridden(engine: Engine, sink: MemorySink) -> None:
    """FastAPI's own way of overriding a dependency in tests works."""
    app = fastapi_app(engine)
    app.dependency_overrides[get_experiments] = lambda: engine.client(id="tester")
    TestClient(app).get("/checkout")

    assert [exposure.unit_id for exposure in sink.exposures] == ["tester"]


def test_debug_makes_it_strict(sink: MemorySink, monkeypatch: pytest.MonkeyPatch) -> None:
    """An application in debug mode makes the engine strict unless it was told otherwise."""
    monkeypatch.delenv("PYTEST_VERSION")
    engines = [Engine(sink=sink), Engine(sink=sink, strict=False)]
    for engine in engines:
        app = starlette_app(engine)
        app.debug = True
        TestClient(app).get("/run")

    assert [engine.strict for engine in engines] == [True, False]


def test_an_unhandled_exception_sets_no_cookie(engine: Engine, sink: MemorySink) -> None:
    """Starlette answers it outside of all middleware: recorded, but without a cookie."""

    async def fail(request: Request) -> PlainTextResponse:
        raise ZeroDivisionError(experiments_from(request).run(BUTTON).value)

    client = TestClient(starlette_app(engine, Route("/fail", fail)), raise_server_exceptions=False)
    response = client.get("/fail")

    assert (response.status_code, len(sink.exposures)) == (500, 1)
    assert "set-cookie" not in response.headers


async def ask(app: Any, scope: dict[str, Any]) -> list[dict[str, Any]]:
    """Call an ASGI application by hand, and return what it sent."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect" if scope["type"] == "websocket" else "http.request"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


START: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}


async def test_the_applications_own_message_is_not_changed(engine: Engine) -> None:
    """An application that sends one message again and again gives nobody another's cookie."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/run":
            scope["experiments"].run(BUTTON)
        await send(START)
        await send({"type": "http.response.body", "body": b""})

    wrapped = ExperimentsMiddleware(app, engine)
    asked = await ask(wrapped, {"type": "http", "path": "/run"})
    quiet = await ask(wrapped, {"type": "http", "path": "/quiet"})

    assert any(name == b"set-cookie" for name, _ in asked[0]["headers"])
    assert quiet[0]["headers"] == START["headers"] == []


async def test_a_refused_websocket_is_finished(engine: Engine, sink: MemorySink) -> None:
    """A handshake that is answered by a response has its records written before, and its cookie."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["experiments"].run(BUTTON)
        recorded = len(sink.exposures)
        await send({"type": "websocket.http.response.start", "status": 403, "headers": []})
        assert (recorded, len(sink.exposures)) == (0, 1)

    sent = await ask(ExperimentsMiddleware(app, engine), {"type": "websocket", "path": "/"})

    assert any(name == b"set-cookie" for name, _ in sent[0]["headers"])


def test_a_mounted_application_may_have_its_own_engine(engine: Engine, sink: MemorySink) -> None:
    """Inside it its own experiments run, and around it the outer ones."""
    own_sink = MemorySink()
    inner = starlette_app(Engine([BUTTON], sink=own_sink))
    outer = starlette_app(engine, Mount("/inner", inner))
    client = TestClient(outer)
    client.get("/inner/run")
    client.get("/run")

    assert [len(own_sink.exposures), len(sink.exposures)] == [1, 1]
    assert own_sink.exposures[0].unit_id == sink.exposures[0].unit_id


def test_an_attribute_function_gets_the_request(sink: MemorySink) -> None:
    """A function of an attribute may read all that a Starlette request has."""
    engine = Engine(sink=sink, attributes={"company": lambda request: request.method.lower()})
    TestClient(starlette_app(engine, Route("/company", run_company))).get("/company")

    assert [exposure.unit_id for exposure in sink.exposures] == ["get"]


async def run_company(request: Request) -> PlainTextResponse:
    return PlainTextResponse(experiments_from(request).run(COMPANY).value)


def test_an_id_of_the_teams_own_sets_no_cookie(sink: MemorySink) -> None:
    """Where the attribute `id` comes from a function, the visitor cookie is left alone."""
    engine = Engine(sink=sink, attributes={"id": lambda request: "own"})
    client = TestClient(starlette_app(engine), cookies={"ab_id": "AbCdEfGhIjKlMnOpQrStUg.19000"})
    response = client.get("/run")

    assert "set-cookie" not in response.headers
    assert [exposure.unit_id for exposure in sink.exposures] == ["own"]


def test_lifespan_passes_through(engine: Engine) -> None:
    """Events that are no request pass untouched."""
    app = starlette_app(engine)
    with TestClient(app) as client:
        assert client.get("/run").status_code == 200
