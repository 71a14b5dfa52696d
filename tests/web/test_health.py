"""The health of an engine, as a monitoring system asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import path
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from abmiddleware import Engine, Experiment, MemorySink
from abmiddleware_django import conf
from abmiddleware_django.views import health as django_health
from abmiddleware_fastapi import health_endpoint
from abmiddleware_flask import Experiments
from abmiddleware_flask import health as flask_health

PATH = "/internal/experiments/health"
urlpatterns = [path(PATH[1:], django_health)]

Ask = Callable[[Engine], tuple[int, dict[str, Any], str]]


def told_by(response: Any) -> tuple[int, dict[str, Any], str]:
    body = response.json() if callable(response.json) else response.json
    return response.status_code, body, response.headers["cache-control"]


def by_django(engine: Engine) -> tuple[int, dict[str, Any], str]:
    with override_settings(EXPERIMENTS={"ENGINE": engine}, ROOT_URLCONF=__name__):
        return told_by(Client().get(PATH))


def by_flask(engine: Engine) -> tuple[int, dict[str, Any], str]:
    app = Flask("shop")
    Experiments(app, engine=engine)
    app.add_url_rule(PATH, view_func=flask_health)
    return told_by(app.test_client().get(PATH))


def by_starlette(engine: Engine) -> tuple[int, dict[str, Any], str]:
    app = Starlette(routes=[Route(PATH, health_endpoint(engine))])
    return told_by(TestClient(app).get(PATH))


def by_fastapi(engine: Engine) -> tuple[int, dict[str, Any], str]:
    app = FastAPI()
    app.add_route(PATH, health_endpoint(engine))
    return told_by(TestClient(app).get(PATH))


@pytest.fixture(autouse=True)
def _own_engine() -> Iterator[None]:
    yield
    conf.engine.cache_clear()


@pytest.mark.parametrize("ask", [by_django, by_flask, by_starlette, by_fastapi])
def test_health_is_answered_as_json(ask: Ask, sink: MemorySink) -> None:
    """It tells what was written and what was kept out on purpose, and no cache keeps it."""
    button, price = Experiment("button", ["a", "b"]), Experiment("price", ["a", "b"])
    engine = Engine([button, price], sink=sink, forced_variations={"price": 1})
    client = engine.client(id="u1")
    client.run(button)
    client.run(price)
    client.run(price)
    status, told, cache_control = ask(engine)

    assert (status, told["ready"], told["experiments"]) == (200, True, 2)
    assert (told["written"], told["queued"], told["lost"]) == (
        2,
        0,
        {},
    )  # an exposure, and that one is left out
    assert told["suppressed"] == {"forced": 1}
    assert "no-store" in cache_control
