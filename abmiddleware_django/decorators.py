"""Decorators of views: functions, classes by `method_decorator`, methods, DRF's and Channels'."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from asgiref.sync import iscoroutinefunction

from abmiddleware import ConfigurationError, Experiment
from abmiddleware.asgi import SCOPE_KEY
from abmiddleware.client import ExperimentClient
from abmiddleware.handlers import Framework, dispatching, injecting

R = TypeVar("R")


def experiment(
    asked: Experiment[Any] | str, *, keyword: str = "variation"
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Run an experiment for each request, and pass the value to the view.

        @experiment("checkout-button")
        def checkout(request, variation): ...

    Args:
        asked: the experiment or its key.
        keyword: the argument that the view gets the value by. Where no configuration knows the
            key, the view's own default holds if it has one.

    Raises:
        ConfigurationError: the view has no such argument.
    """
    return injecting(_DJANGO, asked, keyword)


def variations(
    asked: Experiment[Any] | str, /, **views: Callable[..., Any]
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Run an experiment for each request, and call the view of its variation.

        @variations("checkout-button", one_click=buy_at_once)
        def checkout(request): ...  # the control

    Args:
        asked: the experiment or its key.
        views: by variation: its key, or its value where that is a text, with `_` for what a Python
            name cannot have. The decorated view is the control's, unless `control` names another.

    Raises:
        ConfigurationError: the views are not those of the experiment's variations. Of a key that
            is found in the first request: it raises in strict mode, else the control is served.
    """
    return dispatching(_DJANGO, asked, views)


def _client(args: tuple[Any, ...], kwargs: dict[str, Any]) -> ExperimentClient:
    # A view has the request first, a method behind `self`; a consumer of Channels has a scope.
    for argument in (*args[:2], kwargs.get("request")):
        scope = getattr(argument, "scope", None)
        of_scope = scope.get(SCOPE_KEY) if isinstance(scope, dict) else None
        client = getattr(argument, "experiments", of_scope)
        if isinstance(client, ExperimentClient):
            return client
    raise ConfigurationError(
        "the request has no experiments; MIDDLEWARE must have "
        "'abmiddleware_django.middleware.ExperimentsMiddleware', and the view its request as the "
        "first argument"
    )


_DJANGO: Final = Framework(_client, iscoroutinefunction)
