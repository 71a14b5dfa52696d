"""Variations in templates; the tags of Django's own are in `templatetags`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from abmiddleware import templates
from abmiddleware.client import ExperimentClient
from abmiddleware_django import conf

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.runtime import Context

_NO_REQUEST: Final = (
    "a template that asks for a variation has no request; must be rendered with it, as by "
    "render(request, ...) or render_to_string(name, context, request)"
)
_NO_MIDDLEWARE: Final = (
    "a template asks for a variation, but its request has no experiments; MIDDLEWARE must have "
    "'abmiddleware_django.middleware.ExperimentsMiddleware'"
)


def client_of(request: object) -> ExperimentClient | str:
    """Return the client of a template's request, or why there is none."""
    if request is None:
        return _NO_REQUEST
    client = getattr(request, "experiments", None)
    return client if isinstance(client, ExperimentClient) else _NO_MIDDLEWARE


def add_template_globals(environment: Environment) -> None:
    """Let templates of Jinja ask `variation("checkout-button")`.

    Call it in the function that the option `environment` of the setting TEMPLATES names. A global
    of this name that is there stays, and a template's own name comes before it.
    """
    from jinja2 import pass_context

    @pass_context
    def variation(context: Context, experiment: Any) -> object:
        return templates.variation(conf.engine(), client_of(context.get("request")), experiment)

    environment.globals.setdefault("variation", variation)
