"""Decorated endpoints of Starlette and FastAPI, sync and async."""

from __future__ import annotations

from fastapi import FastAPI
from jinja2 import DictLoader, Environment
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from abmiddleware import Engine
from abmiddleware_fastapi import (
    ExperimentsMiddleware,
    add_template_globals,
    experiment,
    experiments_from,
    variations,
)
from tests.web.sites.kinds import Handler, Kind
from tests.web.sites.site import Site
from tests.web.sites.starlette_site import StarletteSite
from tests.web.views import BUTTON, TEMPLATES

METHODS = ["GET", "HEAD"]


def build_starlette(kind: Kind, engine: Engine | None) -> Site:
    """Return an application of Starlette whose endpoints are of one kind."""
    functions = {**starlette_handlers(kind), **rendered(kind, pages(engine))}
    routes = [Route(f"/{name}", each, methods=METHODS) for name, each in functions.items()]
    routes += [Route(f"/{name}", each) for name, each in classes(kind).items()]
    app = Starlette(routes=routes)
    if engine is not None:
        app.add_middleware(ExperimentsMiddleware, engine=engine)
    return StarletteSite(app)


def pages(engine: Engine | None) -> Jinja2Templates:
    """Return the templates of an application."""
    templates = Jinja2Templates(env=Environment(loader=DictLoader(TEMPLATES), autoescape=True))
    if engine is not None:
        add_template_globals(templates.env, engine)
    return templates


def rendered(kind: Kind, templates: Jinja2Templates) -> dict[str, Handler]:
    """Return the endpoints that render templates, by path; FastAPI takes them as well."""

    def page(name: str) -> Handler:
        def show(request: Request) -> Response:
            return templates.TemplateResponse(request, name)

        return kind(show)

    @experiment(BUTTON)
    @kind
    def often(request: Request, variation: str) -> Response:
        asked = experiments_from(request).run("checkout-button").value
        context = {"decorated": variation, "asked": asked}
        return templates.TemplateResponse(request, "often", context)

    @kind
    def stream(request: Request) -> Response:
        experiments_from(request).ensure_identity()
        return StreamingResponse(templates.get_template("macro").generate(request=request))

    shown = {f"template-{name}": page(name) for name in TEMPLATES}
    return {**shown, "template-often": often, "template-stream": stream}


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
    for name, endpoint in {**fastapi_handlers(kind), **rendered(kind, pages(engine))}.items():
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
