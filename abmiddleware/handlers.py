"""What the decorators of handlers do in every framework; adapters only find the client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Parameter, Signature, isawaitable, iscoroutinefunction, isfunction, signature
from typing import Any, NamedTuple, TypeVar, cast

from abmiddleware.client import ExperimentClient
from abmiddleware.dispatch import Dispatch
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.result import Reason, Result
from abmiddleware.exceptions import ConfigurationError

R = TypeVar("R")

Handler = Callable[..., Any]


def is_async_callable(handler: Any) -> bool:
    """Tell whether a handler, a function or an object that is called, is a coroutine's."""
    return iscoroutinefunction(handler) or iscoroutinefunction(type(handler).__call__)


class Framework(NamedTuple):
    """What an adapter knows of its framework's handlers."""

    #: Finds the client in the arguments of a call, from which it may take away what is its own.
    find: Callable[[tuple[Any, ...], dict[str, Any]], ExperimentClient]
    is_async: Callable[[Any], bool] = is_async_callable


def injecting(
    framework: Framework, asked: Experiment[Any] | str, keyword: str
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Return the decorator that runs an experiment and hands the handler the value.

    Raises:
        ConfigurationError: `asked` is no experiment; or, from the decorator, the handler has no
            parameter of this name.
    """
    _check_asked("@experiment", asked)
    find = framework.find

    def decorate(handler: Callable[..., R]) -> Callable[..., R]:
        _check_handler("@experiment", handler)
        taken = _signature_without(handler, keyword)

        if framework.is_async(handler):

            @wraps(handler)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                result = await find(args, kwargs).arun(asked)
                answer: Any = handler(*args, **_given(handler, keyword, result, kwargs))
                return await answer

            return _signed(cast("Callable[..., R]", awaited), taken)

        @wraps(handler)
        def called(*args: Any, **kwargs: Any) -> R:
            result = find(args, kwargs).run(asked)
            return handler(*args, **_given(handler, keyword, result, kwargs))

        return _signed(called, taken)

    return decorate


def dispatching(
    framework: Framework, asked: Experiment[Any] | str, handlers: Mapping[str, Handler]
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Return the decorator that runs an experiment and calls its variation's handler.

    Raises:
        ConfigurationError: `asked` is no experiment, a handler cannot be called, or the handlers
            are not those of the experiment's variations.
    """
    _check_asked("@variations", asked)
    dispatch = Dispatch(asked, handlers)
    find = framework.find
    is_any_async = any(framework.is_async(each) for each in handlers.values())

    def decorate(handler: Callable[..., R]) -> Callable[..., R]:
        _check_handler("@variations", handler)
        if is_any_async or framework.is_async(handler):

            @wraps(handler)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                chosen = await dispatch.achoose(find(args, kwargs)) or handler
                answer = chosen(*args, **kwargs)
                return await answer if isawaitable(answer) else answer

            return cast("Callable[..., R]", awaited)

        @wraps(handler)
        def called(*args: Any, **kwargs: Any) -> R:
            chosen = dispatch.choose(find(args, kwargs)) or handler
            return cast(R, chosen(*args, **kwargs))

        return called

    return decorate


def _check_asked(decorator: str, asked: object) -> None:
    if not isinstance(asked, (Experiment, str)):
        raise ConfigurationError(
            f"{decorator}: is given {asked!r}, must be given an experiment or its key, such as "
            f'{decorator}("checkout-button")'
        )


def _check_handler(decorator: str, handler: object) -> None:
    if isinstance(handler, type) or not callable(handler):
        raise ConfigurationError(
            f"{decorator}: stands on {handler!r}, must stand on a function or method that handles "
            "requests"
        )


def _given(
    handler: Handler, keyword: str, result: Result[Any], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """Return the arguments of a call with the value of the result."""
    if result.reason is Reason.UNKNOWN and _has_default(handler, keyword):
        return kwargs
    kwargs[keyword] = result.value
    return kwargs


def _has_default(handler: Handler, keyword: str) -> bool:
    parameter = signature(handler).parameters.get(keyword)
    return parameter is not None and parameter.default is not Parameter.empty


def _signature_without(handler: Handler, keyword: str) -> Signature | None:
    """Return what is left of a handler's parameters; None for what is no plain function.

    Raises:
        ConfigurationError: the handler does not take the keyword.
    """
    if not isfunction(handler):  # a bound method, which Django decorates anew for each request
        return None
    found = signature(handler)
    parameters = found.parameters
    kind = parameters[keyword].kind if keyword in parameters else None
    if kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
        return found.replace(parameters=[p for p in parameters.values() if p.name != keyword])
    if any(each.kind is Parameter.VAR_KEYWORD for each in parameters.values()):
        return None
    name = handler.__name__
    raise ConfigurationError(
        f"@experiment: {name} has no parameter {keyword!r} (or a decorator around it fills it), "
        f"must have one that the value is passed to, such as def {name}(request, {keyword})"
    )


def _signed(wrapper: Callable[..., R], taken: Signature | None) -> Callable[..., R]:
    """Show a wrapper as callers see it, without the parameter that it fills."""
    if taken is not None:
        wrapper.__signature__ = taken  # type: ignore[attr-defined]  # `inspect` reads it
    return wrapper
