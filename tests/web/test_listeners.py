"""What is told of an exposure at the line that asks."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from flask import Flask, request

from abmiddleware import ConfigurationError, Engine, MemorySink
from abmiddleware.exposures.records import Exposure
from abmiddleware_django import attach, conf
from abmiddleware_django.signals import experiment_exposed as django_signal
from abmiddleware_flask import Experiments
from abmiddleware_flask import experiment_exposed as flask_signal
from tests.web.conftest import MakeSite
from tests.web.views import BUTTON, EXPERIMENTS


def test_a_listener_is_told_once_a_request_with_the_request(
    make_site: MakeSite, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """Of what is recorded, and of nothing else; what it raises breaks no page."""
    heard: list[tuple[Exposure, str]] = []

    def listener(exposure: Exposure, request: Any) -> None:
        heard.append((exposure, request.headers["x-page"]))
        raise RuntimeError("broken")

    engine = Engine(EXPERIMENTS, sink=sink)
    engine.on_exposure(listener)
    engine.on_exposure(listener)
    visitor = make_site(engine).visitor()
    assert visitor.get("/run-often", headers={"x-page": "first"}).status == 200
    visitor.get("/run-nobody", headers={"x-page": "nobody"})
    visitor.get("/run", headers={"x-page": "bot", "user-agent": "bingbot/2.0"})

    assert heard == [(sink.exposures[0], "first")]
    assert "on_exposure raised RuntimeError('broken')" in caplog.text


def test_a_listener_must_be_a_function() -> None:
    """As is told when it is given."""
    with pytest.raises(ConfigurationError, match="on_exposure: is None, must be a function"):
        Engine(sink=MemorySink()).on_exposure(None)  # type: ignore[arg-type]


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.experiments.run("checkout-button").value)  # type: ignore[attr-defined]


def test_django_sends_a_signal_also_where_no_middleware_ran(sink: MemorySink) -> None:
    """A request of `RequestFactory` is given its experiments by `attach`."""
    heard: list[tuple[Any, Any]] = []

    def receiver(exposure: Exposure, request: Any, **_: Any) -> None:
        heard.append((exposure, request))

    django_signal.connect(receiver)
    try:
        with override_settings(EXPERIMENTS={"EXPERIMENTS": EXPERIMENTS, "SINK": sink}):
            asked = attach(RequestFactory().get("/checkout"))
            assert page(asked).content in (b"control", b"one-click")
            conf.engine().client(id="u1").run(BUTTON)
    finally:
        django_signal.disconnect(receiver)
        conf.engine.cache_clear()

    assert heard == [(sink.exposures[0], asked), (sink.exposures[1], None)]


def test_flask_sends_a_signal(sink: MemorySink) -> None:
    """By the application of the request, of two that share an engine."""
    engine = Engine(EXPERIMENTS, sink=sink)
    apps = [Flask(name, static_folder=None) for name in ("shop", "blog")]
    heard: list[tuple[Any, Any, str]] = []

    def receiver(app: Any, exposure: Exposure, request: Any) -> None:
        heard.append((app, exposure, request.path))

    for app in apps:
        Experiments(app, engine=engine)
        app.add_url_rule("/", "index", lambda: request.experiments.run(BUTTON).value)  # type: ignore[attr-defined]
    with flask_signal.connected_to(receiver):
        for app in apps:
            app.test_client().get("/")
    engine.client(id="u1").run(BUTTON)

    assert heard == [(app, sink.exposures[number], "/") for number, app in enumerate(apps)]
