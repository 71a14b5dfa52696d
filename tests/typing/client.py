"""What type checkers say of the public API; checked by mypy, never run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, assert_type

from django.http import HttpRequest, HttpResponse

import abmiddleware_django as django_handlers
import abmiddleware_fastapi as fastapi_handlers
import abmiddleware_flask as flask_handlers
from abmiddleware import Engine, Experiment, ExperimentClient, Result
from abmiddleware_fastapi import Variation
from abmiddleware_flask import experiments as flask_experiments

PRICE = Experiment("price", [9.99, 11.99])
LAYOUT = Experiment("layout", [("grid", 3), ("list", 1)])


def ascending(items: list[int]) -> list[int]:
    return sorted(items)


def descending(items: list[int]) -> list[int]:
    return sorted(items, reverse=True)


RANKING: Experiment[Callable[[list[int]], list[int]]] = Experiment(
    "ranking", [ascending, descending]
)


def variations_keep_their_type(client: ExperimentClient) -> None:
    assert_type(client.run(PRICE), Result[float])
    assert_type(client.run(PRICE).value, float)
    assert_type(client.peek(LAYOUT).value, tuple[str, int])
    assert_type(client.run(RANKING).value, Callable[[list[int]], list[int]])
    assert_type(client.run("price"), Result[Any])
    assert_type(client.value(PRICE, None), float | None)
    assert_type(flask_experiments.run(PRICE).value, float)


async def handlers_keep_what_they_return() -> None:
    @django_handlers.experiment(PRICE)
    def checkout(request: HttpRequest, variation: float) -> HttpResponse:
        return HttpResponse(str(variation))

    @flask_handlers.variations("price", high=lambda: "11.99")
    def price() -> str:
        return "9.99"

    @fastapi_handlers.experiment("price")
    async def page(variation: float, dependency: Annotated[float, Variation(PRICE)]) -> float:
        return variation

    assert_type(checkout(HttpRequest()), HttpResponse)
    assert_type(price(), str)
    assert_type(await page(), float)


def clients_are_context_managers(engine: Engine) -> None:
    with engine.client(id=7) as client:
        assert_type(client, ExperimentClient)
