"""Variations in templates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from flask import has_request_context

from abmiddleware import Engine, Experiment, templates

if TYPE_CHECKING:
    from flask import Flask

    from abmiddleware.client import ExperimentClient

_NO_REQUEST: Final = (
    "a template asks for a variation outside of a request, where nobody is to be assigned one; "
    "must be given the value, as by render_template(name, button=...)"
)


def add_template_globals(
    app: Flask, engine: Engine, current: Callable[[], ExperimentClient]
) -> None:
    """Let templates ask `variation("checkout-button")`.

    Not before Flask makes their environment: until then the application may change its options.
    A global of this name that is there stays, and a template's own name comes before it.
    """

    def variation(asked: Experiment[Any] | str) -> object:
        client = current() if has_request_context() else _NO_REQUEST
        return templates.variation(engine, client, asked)

    if "jinja_env" in vars(app):
        app.jinja_env.globals.setdefault("variation", variation)
        return
    made: Any = app.jinja_environment

    def make(self: Any, *args: Any, **kwargs: Any) -> None:
        made.__init__(self, *args, **kwargs)
        self.globals.setdefault("variation", variation)

    app.jinja_environment = cast(Any, type(made.__name__, (made,), {"__init__": make}))
