"""Views that an application may route to."""

from __future__ import annotations

from typing import cast

from flask import Response, current_app

from abmiddleware import Engine
from abmiddleware_flask.extension import EXTENSION


def health() -> Response:
    """Tell how this process' engine is doing, as JSON; for a monitoring system, not for visitors.

    app.add_url_rule("/internal/experiments/health", view_func=health)
    """
    engine = cast(Engine, current_app.extensions[EXTENSION])
    response = Response(engine.health().json(), mimetype="application/json")
    response.cache_control.no_store = True
    return response
