"""What type checkers say of the public API; checked by mypy, never run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_type

from abmiddleware import Engine, Experiment, ExperimentClient, Result
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


def clients_are_context_managers(engine: Engine) -> None:
    with engine.client(id=7) as client:
        assert_type(client, ExperimentClient)
