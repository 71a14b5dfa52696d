"""The page under Flask."""

from __future__ import annotations

from flask import Flask, Response

from abmiddleware_flask import Experiments, experiments
from benchmarks.sites.site import BODY, KEY, PLAIN, USED, Engines, Variant
from benchmarks.sites.wsgi import WsgiApp, WsgiSite


def plain() -> str:
    """Ask for nothing."""
    return BODY


def used() -> str:
    """Run an experiment."""
    value: str = experiments.run(KEY).value
    return value


def unchanged(response: Response) -> Response:
    """Do nothing after a request."""
    return response


def flask_site(engines: Engines) -> WsgiSite:
    """Return the site; its empty pass-through is an `after_request` hook."""
    return WsgiSite("Flask", {variant: _app(variant, engines) for variant in Variant})


def _app(variant: Variant, engines: Engines) -> WsgiApp:
    app = Flask("benchmarks")
    app.add_url_rule(PLAIN, view_func=plain)
    app.add_url_rule(USED, view_func=used)
    if variant in engines:
        Experiments(app, engine=engines[variant])
    elif variant is Variant.EMPTY:
        app.after_request(unchanged)
    return app.wsgi_app
