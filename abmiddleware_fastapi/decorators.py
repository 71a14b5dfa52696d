"""Decorators of endpoints: they stand under the one that routes."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, isfunction, signature
from typing import Any, Final, TypeVar

from starlette.requests import HTTPConnection

from abmiddleware import ConfigurationError, Experiment
from abmiddleware.client import ExperimentClient
from abmiddleware.handlers import Framework, dispatching, injecting
from abmiddleware_fastapi.middleware import experiments_from

R = TypeVar("R")

#: The parameter by which FastAPI hands over the request or WebSocket, which no schema shows.
_CONNECTION: Final = "experiments_connection"


def experiment(
    asked: Experiment[Any] | str, *, keyword: str = "variation"
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Run an experiment for each request, and pass the value to the endpoint.

        @app.get("/checkout")
        @experiment("checkout-button")
        async def checkout(variation: str): ...

    In FastAPI the argument is no parameter of the page: OpenAPI does not show it.

    Args:
        asked: the experiment or its key.
        keyword: the argument that the endpoint gets the value by. Where no configuration knows the
            key, the endpoint's own default holds if it has one.

    Raises:
        ConfigurationError: the endpoint has no such argument.
    """

    def decorate(endpoint: Callable[..., R]) -> Callable[..., R]:
        framework, shown = _asking_for_connection(endpoint)
        return shown(injecting(framework, asked, keyword)(endpoint))

    return decorate


def variations(
    asked: Experiment[Any] | str, /, **endpoints: Callable[..., Any]
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Run an experiment for each request, and call the endpoint of its variation.

        @app.get("/checkout")
        @variations("checkout-button", one_click=buy_at_once)
        async def checkout(cart: int): ...  # the control

    Args:
        asked: the experiment or its key.
        endpoints: by variation: its key, or its value where that is a text, with `_` for what a
            Python name cannot have. The decorated endpoint is the control's, unless `control` names
            another. In FastAPI all get the parameters of the decorated one.

    Raises:
        ConfigurationError: the endpoints are not those of the experiment's variations. Of a key
            that is found in the first request: it raises in strict mode, else the control is
            served.
    """

    def decorate(endpoint: Callable[..., R]) -> Callable[..., R]:
        for name, other in endpoints.items():
            _check_parameters(endpoint, name, other)
        framework, shown = _asking_for_connection(endpoint)
        return shown(dispatching(framework, asked, endpoints)(endpoint))

    return decorate


def _asking_for_connection(
    endpoint: Callable[..., R],
) -> tuple[Framework, Callable[[Callable[..., R]], Callable[..., R]]]:
    """Return how the client is found, and what shows a wrapper to FastAPI.

    FastAPI fills one parameter for each kind of connection, so one that is there is used.
    """
    if any(_is_connection(each.annotation) for each in _parameters(endpoint)):
        return Framework(_client), lambda wrapper: wrapper
    return Framework(_client_of_added), _with_connection


def _check_parameters(endpoint: Callable[..., Any], name: str, other: object) -> None:
    """See that what FastAPI finds for the decorated endpoint is what another one takes."""
    if not isfunction(other):
        return
    parameters = signature(other).parameters
    filled, taken = {each.name for each in _parameters(endpoint)} - {_CONNECTION}, set(parameters)
    if len(filled - {"self"}) == len(taken - {"self"}) == 1:
        return  # as Starlette passes the request, by its place
    rest = {each.name for each in parameters.values() if each.kind is Parameter.VAR_KEYWORD}
    if not (taken - rest <= filled if rest else taken == filled):
        raise ConfigurationError(
            f"@variations: the endpoint {name} takes ({', '.join(sorted(taken))}), must take what "
            f"the decorated one does, whose parameters are filled: ({', '.join(sorted(filled))})"
        )


def _parameters(endpoint: Callable[..., Any]) -> list[Parameter]:
    try:
        found = signature(endpoint, eval_str=True)
    except Exception:  # noqa: BLE001  # an annotation that FastAPI could not read either
        found = signature(endpoint)
    return list(found.parameters.values())


def _is_connection(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, HTTPConnection)


def _with_connection(wrapper: Callable[..., R]) -> Callable[..., R]:
    found = signature(wrapper)
    added = Parameter(_CONNECTION, Parameter.KEYWORD_ONLY, annotation=HTTPConnection)
    own = list(found.parameters.values())
    place = len(own) - (bool(own) and own[-1].kind is Parameter.VAR_KEYWORD)
    parameters = [*own[:place], added, *own[place:]]
    wrapper.__signature__ = found.replace(parameters=parameters)  # type: ignore[attr-defined]
    return wrapper


def _client_of_added(args: tuple[Any, ...], kwargs: dict[str, Any]) -> ExperimentClient:
    connection = kwargs.pop(_CONNECTION, None)  # Starlette passes the request by its place
    return _client((connection, *args), kwargs)


def _client(args: tuple[Any, ...], kwargs: dict[str, Any]) -> ExperimentClient:
    given = (*args, *kwargs.values())
    for argument in given:
        if isinstance(argument, ExperimentClient):  # of a dependency that a test may override
            return argument
    for argument in given:
        if isinstance(argument, HTTPConnection):
            return experiments_from(argument)
    raise RuntimeError(
        "the endpoint was called without a request: decorators of this module stand on endpoints "
        "of Starlette and FastAPI, under the decorator that routes."
    )
