"""The views under each framework and each way of tracing it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, cast

import flask
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import AsyncClient, Client, override_settings
from django.urls import path
from fastapi import FastAPI
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.starlette import StarletteInstrumentor
from opentelemetry.metrics import MeterProvider
from starlette import responses
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.opentelemetry import OpenTelemetryMiddleware
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient

from abmiddleware import Engine
from abmiddleware_django import conf
from abmiddleware_fastapi import ExperimentsMiddleware
from abmiddleware_fastapi.middleware import experiments_from
from abmiddleware_flask import Experiments
from tests.telemetry.sdk import Sdk
from tests.telemetry.views import View, run, views

#: Asks for a path and returns the body.
Visit = Callable[[str], str]

_OURS = "abmiddleware_django.middleware.ExperimentsMiddleware"


@contextmanager
def site(name: str, engine: Engine, sdk: Sdk, meters: MeterProvider) -> Iterator[Visit]:
    """Set up a site; `meters` is what the instrumentation measures with."""
    providers: dict[str, Any] = {"tracer_provider": sdk.tracer_provider, "meter_provider": meters}
    told = views(sdk.tracer)
    framework, _, way = name.partition(" ")
    if framework.startswith("django"):
        with _django(engine, told, providers) as urlconf, override_settings(ROOT_URLCONF=urlconf):
            yield _visit_async if framework == "django-asgi" else _visit_sync
    elif framework == "flask":
        yield _flask(engine, told, providers, is_first=way == "ours first")
    else:
        yield _visit_asgi(
            {"starlette": _starlette, "fastapi": _fastapi}[framework], way, engine, told, providers
        )


NAMES = [
    "django-wsgi contrib",
    "django-asgi contrib",
    "flask ours first",
    "flask ours last",
    "starlette contrib outside",
    "starlette contrib inside",
    "starlette native outside",
    "starlette native inside",
    "fastapi contrib first",
    "fastapi contrib last",
    "fastapi native",
]


@contextmanager
def _django(
    engine: Engine, told: dict[str, View] | Any, providers: dict[str, Any]
) -> Iterator[ModuleType]:
    urlconf = ModuleType("tests.telemetry.urls")
    vars(urlconf)["urlpatterns"] = [
        *(path(f"sync/{name}", _sync_view(view)) for name, view in told.items()),
        *(path(f"async/{name}", _async_view(view)) for name, view in told.items()),
    ]
    sys.modules[urlconf.__name__] = urlconf
    instrumentor = DjangoInstrumentor()
    with override_settings(EXPERIMENTS={"ENGINE": engine}, MIDDLEWARE=[_OURS]):
        instrumentor.instrument(**providers)
        try:
            yield urlconf
        finally:
            instrumentor.uninstrument()
            del sys.modules[urlconf.__name__]
    conf.engine.cache_clear()


def _sync_view(view: View) -> Callable[[HttpRequest], HttpResponseBase]:
    def endpoint(request: HttpRequest) -> HttpResponseBase:
        answer = view(cast(Any, request).experiments)
        return HttpResponse(answer) if isinstance(answer, str) else StreamingHttpResponse(answer)

    return endpoint


def _async_view(view: View) -> Any:
    async def endpoint(request: HttpRequest) -> HttpResponseBase:
        answer = view(cast(Any, request).experiments)
        if isinstance(answer, str):
            return HttpResponse(answer)
        return StreamingHttpResponse(_parts(answer))

    return endpoint


async def _parts(parts: Iterator[str]) -> AsyncIterator[str]:
    for part in parts:
        yield part


def _visit_sync(name: str) -> str:
    return b"".join(cast(Any, Client().get(f"/sync/{name}"))).decode()


@async_to_sync
async def _visit_async(name: str) -> str:
    response = cast(Any, await AsyncClient().get(f"/async/{name}"))
    if response.streaming:
        return b"".join([part async for part in response]).decode()
    return cast(str, response.content.decode())


def _flask(engine: Engine, told: Any, providers: dict[str, Any], *, is_first: bool) -> Visit:
    app = flask.Flask(__name__)
    if is_first:
        Experiments(app, engine=engine)
    FlaskInstrumentor().instrument_app(app, **providers)  # type: ignore[no-untyped-call]
    if not is_first:
        Experiments(app, engine=engine)
    for name, view in told.items():
        app.add_url_rule(f"/{name}", name, _flask_view(view))
    return lambda name: app.test_client().get(f"/{name}").get_data(as_text=True)


def _flask_view(view: View) -> Callable[[], flask.Response]:
    def endpoint() -> flask.Response:
        answer = view(cast(Any, flask.request).experiments)
        if isinstance(answer, str):
            return flask.Response(answer)
        return flask.Response(flask.stream_with_context(answer))

    return endpoint


def _visit_asgi(make: Any, way: str, engine: Engine, told: Any, providers: dict[str, Any]) -> Visit:
    app = make(way, engine, told, providers)
    return lambda name: TestClient(app).get(f"/{name}").text


def _starlette(way: str, engine: Engine, told: Any, providers: dict[str, Any]) -> Starlette:
    ours = Middleware(ExperimentsMiddleware, engine=engine)
    native = Middleware(OpenTelemetryMiddleware, **providers)
    stack = {
        "contrib outside": [ours],
        "contrib inside": [],
        "native outside": [native, ours],
        "native inside": [ours, native],
    }[way]
    routes = [Route(f"/{name}", _asgi_view(view)) for name, view in told.items()]
    routes.append(Route("/background", _background))
    app = Starlette(routes=routes, middleware=stack)
    if way.startswith("contrib"):
        StarletteInstrumentor.instrument_app(app, **providers)
    if way == "contrib inside":
        app.add_middleware(ExperimentsMiddleware, engine=engine)
    return app


def _fastapi(way: str, engine: Engine, told: Any, providers: dict[str, Any]) -> FastAPI:
    app = FastAPI(telemetry=cast(Any, providers)) if way == "native" else FastAPI()
    if way == "contrib first":
        FastAPIInstrumentor.instrument_app(app, **providers)
    app.add_middleware(ExperimentsMiddleware, engine=engine)
    for name, view in told.items():
        app.add_api_route(f"/{name}", _with_request(_asgi_view(view)))
    app.add_api_route("/background", _with_request(_background))
    if way == "contrib last":
        FastAPIInstrumentor.instrument_app(app, **providers)
    return app


def _with_request(endpoint: Any) -> Any:
    # FastAPI reads annotations at run time, and this module's are text: hence the explicit ones.
    endpoint.__annotations__ = {"request": Request, "return": responses.Response}
    return endpoint


def _asgi_view(view: View) -> Callable[[Request], Awaitable[responses.Response]]:
    async def endpoint(request: Request) -> responses.Response:
        answer = view(experiments_from(request))
        if isinstance(answer, str):
            return responses.PlainTextResponse(answer)
        return responses.StreamingResponse(_parts(answer))

    return endpoint


async def _background(request: Request) -> responses.Response:
    experiments = experiments_from(request)
    experiments.ensure_identity()
    return responses.PlainTextResponse("soon", background=BackgroundTask(run, experiments))
