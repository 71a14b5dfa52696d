"""The suite's views under Starlette and under FastAPI, there as coroutines and as functions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

from fastapi import FastAPI
from starlette import responses
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient

from abmiddleware import Engine
from abmiddleware_fastapi import Experiments, ExperimentsMiddleware, ExperimentsRequest
from tests.web.sites.site import Response, Site, Visitor
from tests.web.views import ASYNC_VIEWS, BARE, VIEWS, Reply

METHODS = ["GET", "HEAD", "OPTIONS"]


class StarletteVisitor:
    def __init__(self, app: Starlette) -> None:
        self._client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)

    def get(
        self, path: str, *, headers: dict[str, str] | None = None, secure: bool = False
    ) -> Response:
        url = f"https://testserver{path}" if secure else path
        return _told(self._client.get(url, headers=headers))

    def post(self, path: str) -> Response:
        return _told(self._client.post(path))

    def send(self, method: str, path: str) -> Response:
        return _told(self._client.request(method, path))

    def cookie(self, name: str) -> str | None:
        return self._client.cookies.get(name)

    def set_cookie(self, name: str, value: str) -> None:
        self._client.cookies.set(name, value)


def _told(response: Any) -> Response:
    pairs = [(name.lower(), value) for name, value in response.headers.multi_items()]
    return Response(response.status_code, pairs, response.text)


class StarletteSite:
    def __init__(self, app: Starlette) -> None:
        self.app = app

    def visitor(self) -> Visitor:
        return StarletteVisitor(self.app)


def build_starlette(engine: Engine | None) -> Site:
    routes = [
        Route(f"/{name}", _starlette_endpoint(view), methods=METHODS)
        for name, view in {**VIEWS, **BARE, **ASYNC_VIEWS}.items()
    ]
    app = Starlette(routes=routes)
    if engine is not None:
        app.add_middleware(ExperimentsMiddleware, engine=engine)
    return StarletteSite(app)


def _starlette_endpoint(
    view: Callable[[Any], Any],
) -> Callable[[Request], Awaitable[responses.Response]]:
    async def endpoint(request: ExperimentsRequest) -> responses.Response:
        reply = view(request.experiments if view not in BARE.values() else None)
        return _response(reply if isinstance(reply, Reply) else await reply)

    return endpoint  # type: ignore[return-value]  # the annotation tells what requests have


def build_fastapi(engine: Engine | None) -> Site:
    app = _fastapi(engine)
    for name, view in VIEWS.items():
        app.api_route(f"/{name}", methods=METHODS)(_coroutine(view))
    return StarletteSite(app)


def build_fastapi_threads(engine: Engine | None) -> Site:
    app = _fastapi(engine)
    for name, view in VIEWS.items():
        app.api_route(f"/{name}", methods=METHODS)(_function(view))
    return StarletteSite(app)


def _fastapi(engine: Engine | None) -> FastAPI:
    app = FastAPI()
    if engine is not None:
        app.add_middleware(ExperimentsMiddleware, engine=engine)
    for name, view in BARE.items():
        app.get(f"/{name}")(_bare(view))
    for name, awaited in ASYNC_VIEWS.items():
        app.get(f"/{name}")(_awaited(awaited))
    return app


def _bare(view: Callable[[object], Reply]) -> Callable[[], Awaitable[responses.Response]]:
    async def endpoint() -> responses.Response:
        return _response(view(None))

    return endpoint


def _coroutine(view: Callable[[Any], Reply]) -> Callable[..., Awaitable[responses.Response]]:
    # FastAPI reads annotations at run time, and this module's are text: hence the explicit ones.
    async def endpoint(experiments: Any) -> responses.Response:
        return _response(view(experiments))

    endpoint.__annotations__ = {"experiments": Experiments}
    return endpoint


def _awaited(view: Callable[[Any], Awaitable[Reply]]) -> Callable[..., Any]:
    async def endpoint(experiments: Any) -> responses.Response:
        return _response(await view(experiments))

    endpoint.__annotations__ = {"experiments": Experiments}
    return endpoint


def _function(view: Callable[[Any], Reply]) -> Callable[..., responses.Response]:
    def endpoint(experiments: Any) -> responses.Response:
        return _response(view(experiments))

    endpoint.__annotations__ = {"experiments": Experiments}
    return endpoint


def _response(reply: Reply) -> responses.Response:
    if isinstance(reply.body, str):
        return responses.PlainTextResponse(reply.body, headers=reply.headers)
    return responses.StreamingResponse(_parts(reply.body), headers=reply.headers)


async def _parts(body: Iterable[str]) -> AsyncIterator[str]:
    for part in body:
        yield part
