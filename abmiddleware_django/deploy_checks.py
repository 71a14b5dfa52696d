"""System checks of `manage.py check --deploy`: what is right for development only."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004  # Django's name

from abmiddleware import ABMiddlewareError, Engine
from abmiddleware_django import conf


def check_deployment(**_: Any) -> list[CheckMessage]:
    """Check what visitors of a site could make use of, or would meet."""
    try:
        engine = conf.engine()
    except ABMiddlewareError:  # the other checks tell of it
        return []
    found: list[CheckMessage] = []
    if engine.cookie.secure is False:
        problem = (
            "The visitor cookie is sent without https, too: EXPERIMENTS['COOKIE']['SECURE'] must "
            "be True, or left out, which follows the page."
        )
        found.append(Warning(problem, id="abmiddleware.W006"))
    if _takes_queries(engine):
        problem = (
            "Anybody may choose a variation by the URL: EXPERIMENTS['QUERY_OVERRIDES'] must be "
            "False; EXPERIMENTS['OVERRIDES'] lets the team do so, and it alone."
        )
        found.append(Warning(problem, id="abmiddleware.W007"))
    if engine.strict and not settings.DEBUG:
        problem = (
            "A view's mistake, such as an unknown key, breaks the page: EXPERIMENTS['STRICT'] "
            "must be left out."
        )
        found.append(Warning(problem, id="abmiddleware.W008"))
    return found


def _takes_queries(engine: Engine) -> bool:
    options = engine.snapshot.options
    return options is not None and options.query_overrides
