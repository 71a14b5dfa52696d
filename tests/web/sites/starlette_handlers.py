"""Decorated endpoints of Starlette and FastAPI, sync and async."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from abmiddleware import Engine
from abmiddleware_fastapi import ExperimentsMiddleware, experiment, variations
from tests.web.sites.kinds import Handler, Kind
from tests.web.sites.site import Site
from tests.web.sites.starlette_site import StarletteSite
from tests.web.views import BUTTON

METHODS = ["GET", "HEAD"]


def build_starlette(kind: Kind, engine: Engine | None) -> Site:
    """Return an application of Starlette whose endpoints are of one kind."""
    functions = starlette_handlers(kind).items()
    routes = [Route(f"/{name}", each, methods=METHODS) for name, each in functions]
    routes += [Route(f"/{name}", each) for name, each in classes(kind).items()]
    app = Starlette(routes=routes)
    if engine is not None:
        app.add_middleware(ExperimentsMiddleware, engine=engine)
    return StarletteSite(app)


def starlette_handlers(kind: Kind) -> dict[str, Handler]:
    """Return the decorated endpoints of one kind, by path."""

    @kind
    def shown(request: Request, variation: object = "default") -> Response:
        return PlainTextResponse(str(variation))

    @kind
    def control(request: Request) -> Response:
        return PlainTextResponse("control")

    @kind
    def one_click(request: Request) -> Response:
        return PlainTextResponse("one-click")

    return _decorated(shown, control, one_click)


def classes(kind: Kind) -> dict[str, type[HTTPEndpoint]]:
    """Return endpoints that are classes."""

    @kind
    def one_click(self: HTTPEndpoint, request: Request) -> Response:
        return PlainTextResponse("one-click")

    class Method(HTTPEndpoint):
        @experiment(BUTTON)
        @kind
        def get(self, request: Request, variation: object) -> Response:
            return PlainTextResponse(str(variation))

    class Dispatched(HTTPEndpoint):
        @variations("checkout-button", one_click=one_click)
        @kind
        def get(self, request: Request) -> Response:
            return PlainTextResponse("control")

    return {"class-method": Method, "class-dispatched": Dispatched}


def build_fastapi(kind: Kind, engine: Engine | None) -> Site:
    """Return an application of FastAPI whose endpoints are of one kind."""
    app = FastAPI()
    if engine is not None:
        app.add_middleware(ExperimentsMiddleware, engine=engine)
    for name, endpoint in fastapi_handlers(kind).items():
        app.api_route(f"/{name}", methods=METHODS)(endpoint)
    return StarletteSite(app)


def fastapi_handlers(kind: Kind) -> dict[str, Handler]:
    """Return the decorated endpoints of one kind, by path."""

    @kind
    def shown(variation: object = "default") -> Response:
        return PlainTextResponse(str(variation))

    @kind
    def control() -> Response:
        return PlainTextResponse("control")

    @kind
    def one_click() -> Response:
        return PlainTextResponse("one-click")

    return _decorated(shown, control, one_click)


def _decorated(shown: Handler, control: Handler, one_click: Handler) -> dict[str, Handler]:
    return {
        "decorated": experiment(BUTTON)(shown),
        "decorated-by-key": experiment("checkout-button")(shown),
        "decorated-unknown": experiment("checkout-buton")(shown),
        "dispatched": variations(BUTTON, one_click=one_click)(control),
        "dispatched-by-key": variations("checkout-button", one_click=one_click)(control),
        "dispatched-unknown": variations("checkout-buton", one_click=one_click)(control),
        "dispatched-partly": variations("three", b=one_click)(control),
    }
