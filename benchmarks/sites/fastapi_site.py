"""The page under FastAPI, with `request.experiments` and with the dependency."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

from abmiddleware_fastapi import Experiments, ExperimentsMiddleware, ExperimentsRequest
from benchmarks.sites.asgi import AsgiApp, AsgiSite, EmptyMiddleware
from benchmarks.sites.site import BODY, KEY, PLAIN, USED, Engines, Variant

Endpoint = Callable[..., Awaitable[PlainTextResponse]]


async def plain(request: Request) -> PlainTextResponse:  # noqa: ARG001, RUF100  # as `used` has
    """Ask for nothing."""
    return PlainTextResponse(BODY)


async def used(request: Request) -> PlainTextResponse:
    """Run an experiment of the request."""
    return PlainTextResponse(cast(ExperimentsRequest, request).experiments.run(KEY).value)


async def used_dependency(experiments: Experiments) -> PlainTextResponse:
    """Run an experiment of the client that FastAPI injects."""
    return PlainTextResponse(experiments.run(KEY).value)


def fastapi_site(engines: Engines) -> AsgiSite:
    """Return the site whose page takes `request.experiments`."""
    return AsgiSite("FastAPI", {variant: _app(variant, engines, used) for variant in Variant})


def dependency_site(engines: Engines) -> AsgiSite:
    """Return the site whose page takes the dependency."""
    apps = {variant: _app(variant, engines, used_dependency) for variant in Variant}
    return AsgiSite("FastAPI, dependency", apps)


def _app(variant: Variant, engines: Engines, endpoint: Endpoint) -> AsgiApp:
    app = FastAPI()
    app.get(PLAIN)(plain)
    app.get(USED)(endpoint)
    if variant in engines:
        app.add_middleware(ExperimentsMiddleware, engine=engines[variant])
    elif variant is Variant.EMPTY:
        app.add_middleware(cast(Any, EmptyMiddleware))
    return app
