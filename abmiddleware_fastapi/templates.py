"""Variations in templates of Jinja."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.requests import HTTPConnection

from abmiddleware import Engine, templates
from abmiddleware.client import ExperimentClient
from abmiddleware_fastapi.middleware import experiments_from

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.runtime import Context

_NO_REQUEST: Final = (
    "a template that asks for a variation has no request; must be rendered with it, as by "
    "templates.TemplateResponse(request, ...) or render(request=request)"
)


def add_template_globals(environment: Environment, engine: Engine) -> None:
    """Let templates ask `variation("checkout-button")`.

        templates = Jinja2Templates("templates")
        add_template_globals(templates.env, engine)

    A global of this name that is there stays, and a template's own name comes before it.

    Args:
        environment: that of the templates, async or not.
        engine: the engine of this process.
    """
    from jinja2 import pass_context

    @pass_context
    def variation(context: Context, experiment: Any) -> object:
        return templates.variation(engine, _client(context.get("request")), experiment)

    environment.globals.setdefault("variation", variation)


def _client(request: object) -> ExperimentClient | str:
    if not isinstance(request, HTTPConnection):
        return _NO_REQUEST
    try:
        return experiments_from(request)
    except RuntimeError as error:
        return str(error)
