"""The shop in Flask: an application factory that sets the extension up."""

from __future__ import annotations

from flask import Flask, Request

from abmiddleware import Engine
from abmiddleware_flask import Experiments
from example_apps.shop.experiments import EXPERIMENTS, company_id
from example_apps.shop.serving import journal_path
from example_apps.shop_flask import views


def company_of(request: Request) -> str | None:
    """Return the attribute `company` of a request; called only when an experiment reads it."""
    return company_id(request.headers.get("X-Company") or request.args.get("company"))


def create_app() -> Flask:
    """Make the application."""
    app = Flask(__name__)
    experiments = Experiments()
    experiments.init_app(
        app,
        engine=Engine(
            EXPERIMENTS,
            attributes={"company": company_of},
            journal=journal_path("shop-flask"),
            service="shop-flask",
        ),
    )
    app.register_blueprint(views.shop)
    app.register_error_handler(404, views.not_found)
    return app
