"""Handlers of both kinds from one definition."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

Handler = Callable[..., Any]
Kind = Callable[[Handler], Handler]


def function(handler: Handler) -> Handler:
    """Return the handler as it is."""
    return handler


def coroutine(handler: Handler) -> Handler:
    """Return the handler as a coroutine function."""

    @wraps(handler)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        return handler(*args, **kwargs)

    awaited.__signature__ = signature(handler, eval_str=True)  # type: ignore[attr-defined]
    del awaited.__wrapped__  # it is what FastAPI would look at
    return awaited
