"""The page under Starlette."""

from __future__ import annotations

from typing import cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from abmiddleware_fastapi import ExperimentsMiddleware, ExperimentsRequest
from benchmarks.sites.asgi import AsgiApp, AsgiSite, EmptyMiddleware
from benchmarks.sites.site import BODY, KEY, PLAIN, USED, Engines, Variant


async def plain(_: Request) -> PlainTextResponse:
    """Ask for nothing."""
    return PlainTextResponse(BODY)


async def used(request: Request) -> PlainTextResponse:
    """Run an experiment."""
    return PlainTextResponse(cast(ExperimentsRequest, request).experiments.run(KEY).value)


def starlette_site(engines: Engines) -> AsgiSite:
    """Return the site."""
    return AsgiSite("Starlette", {variant: _app(variant, engines) for variant in Variant})


def _app(variant: Variant, engines: Engines) -> AsgiApp:
    app = Starlette(routes=[Route(PLAIN, plain), Route(USED, used)])
    if variant in engines:
        app.add_middleware(ExperimentsMiddleware, engine=engines[variant])
    elif variant is Variant.EMPTY:
        app.add_middleware(EmptyMiddleware)
    return app
