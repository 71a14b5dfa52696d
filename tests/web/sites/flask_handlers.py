"""Decorated views of Flask, sync and async."""

from __future__ import annotations

import flask
from flask.views import MethodView
from jinja2 import DictLoader

from abmiddleware import Engine
from abmiddleware_flask import Experiments, experiment, experiments, variations
from tests.web.sites.flask_site import FlaskSite
from tests.web.sites.kinds import Handler, Kind
from tests.web.sites.site import Site
from tests.web.views import BUTTON, TEMPLATES

METHODS = ["GET", "HEAD"]


def build(kind: Kind, engine: Engine | None) -> Site:
    """Return an application whose views are of one kind."""
    app = flask.Flask(__name__)
    app.jinja_options = {"loader": DictLoader(TEMPLATES), "autoescape": True}
    if engine is not None:
        Experiments(app, engine=engine)
    for name, view in handlers(kind).items():
        app.add_url_rule(f"/{name}", name, view, methods=METHODS)
    return FlaskSite(app)


def rendered(kind: Kind) -> dict[str, Handler]:
    """Return the views that render templates, by path."""

    def page(name: str) -> Handler:
        return kind(lambda: flask.render_template(name))

    @experiment(BUTTON)
    @kind
    def often(variation: str) -> str:
        asked = experiments.run("checkout-button").value
        return flask.render_template("often", decorated=variation, asked=asked)

    @kind
    def stream() -> flask.Response:
        experiments.ensure_identity()
        return flask.Response(flask.stream_template("macro"))

    pages = {f"template-{name}": page(name) for name in TEMPLATES}
    return {**pages, "template-often": often, "template-stream": stream}


def handlers(kind: Kind) -> dict[str, Handler]:
    """Return the decorated views of one kind, by path."""

    @kind
    def shown(variation: object = "default") -> str:
        return str(variation)

    @kind
    def control() -> str:
        return "control"

    @kind
    def one_click() -> str:
        return "one-click"

    class Method(MethodView):
        @experiment(BUTTON)
        @kind
        def get(self, variation: object) -> str:
            return str(variation)

    class Decorated(MethodView):
        decorators = [experiment("checkout-button")]  # noqa: RUF012  # as Flask has it

        @kind
        def get(self, variation: object) -> str:
            return str(variation)

    class Dispatched(MethodView):
        init_every_request = False
        decorators = [variations("checkout-button", one_click=one_click)]  # noqa: RUF012

        @kind
        def get(self) -> str:
            return "control"

    return {
        **rendered(kind),
        "decorated": experiment(BUTTON)(shown),
        "decorated-by-key": experiment("checkout-button")(shown),
        "decorated-unknown": experiment("checkout-buton")(shown),
        "dispatched": variations(BUTTON, one_click=one_click)(control),
        "dispatched-by-key": variations("checkout-button", one_click=one_click)(control),
        "dispatched-unknown": variations("checkout-buton", one_click=one_click)(control),
        "dispatched-partly": variations("three", b=one_click)(control),
        "class-method": Method.as_view("class-method"),
        "class-decorated": Decorated.as_view("class-decorated"),
        "class-dispatched": Dispatched.as_view("class-dispatched"),
    }
