"""Decorators of views: they stand under the one that routes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Final, TypeVar

from flask import current_app

from abmiddleware import Experiment
from abmiddleware.client import ExperimentClient
from abmiddleware.handlers import Framework, dispatching, injecting
from abmiddleware_flask.extension import current_experiments

R = TypeVar("R")


def experiment(
    asked: Experiment[Any] | str, *, keyword: str = "variation"
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Run an experiment for each request, and pass the value to the view.

        @app.get("/checkout")
        @experiment("checkout-button")
        def checkout(variation): ...

    Args:
        asked: the experiment or its key.
        keyword: the argument that the view gets the value by. Where no configuration knows the
            key, the view's own default holds if it has one.

    Raises:
        ConfigurationError: the view has no such argument.
    """
    return injecting(_FLASK, asked, keyword)


def variations(
    asked: Experiment[Any] | str, /, **views: Callable[..., Any]
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Run an experiment for each request, and call the view of its variation.

        @app.get("/checkout")
        @variations("checkout-button", one_click=buy_at_once)
        def checkout(): ...  # the control

    Args:
        asked: the experiment or its key.
        views: by variation: its key, or its value where that is a text, with `_` for what a Python
            name cannot have. The decorated view is the control's, unless `control` names another.

    Raises:
        ConfigurationError: the views are not those of the experiment's variations. Of a key that
            is found in the first request: it raises in strict mode, else the control is served.
    """

    def decorate(view: Callable[..., R]) -> Callable[..., R]:
        is_async = iscoroutinefunction(view)
        ready = views if is_async else {name: _synced(each) for name, each in views.items()}
        return dispatching(_FLASK, asked, ready)(view)

    return decorate


def _synced(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let a view that awaits run where Flask calls one that does not, as a `MethodView` is."""
    if not iscoroutinefunction(view):
        return view

    @wraps(view)
    def synced(*args: Any, **kwargs: Any) -> Any:
        return current_app.ensure_sync(view)(*args, **kwargs)

    return synced


def _client(_: tuple[Any, ...], __: dict[str, Any]) -> ExperimentClient:
    return current_experiments()


_FLASK: Final = Framework(_client)
