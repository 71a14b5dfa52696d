"""What is Flask's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flask
import pytest

from abmiddleware import ConfigurationError, Engine, MemorySink
from abmiddleware_flask import Experiments, experiments
from tests.web.views import BUTTON, EXPERIMENTS


def make_app(engine: Engine) -> flask.Flask:
    app = flask.Flask(__name__)
    Experiments(app, engine=engine)

    @app.get("/run")
    def run() -> str:
        return experiments.run(BUTTON).value

    return app


def test_the_proxy_is_the_client_of_the_request(engine: Engine, sink: MemorySink) -> None:
    """`from abmiddleware_flask import experiments` is `request.experiments` wherever one is."""
    app = make_app(engine)
    with app.test_request_context("/"):
        request: Any = flask.request

        assert experiments.run(BUTTON) == request.experiments.run(BUTTON)
        assert experiments.assignments == request.experiments.assignments


def test_a_factory_sets_up_several_applications(engine: Engine) -> None:
    """One extension sets up many applications, each with the engine it was given."""
    extension = Experiments(engine=engine)
    other_sink = MemorySink()
    first, second = flask.Flask("first"), flask.Flask("second")
    extension.init_app(first)
    extension.init_app(second, engine=Engine(EXPERIMENTS, sink=other_sink))
    for app in (first, second):
        app.add_url_rule("/run", "run", lambda: experiments.run(BUTTON).value)
        app.test_client().get("/run")

    assert len(other_sink.exposures) == 1


def test_an_extension_without_engine_is_an_error() -> None:
    """Forgetting the engine is told at set-up."""
    with pytest.raises(ConfigurationError, match="engine: is missing"):
        Experiments(flask.Flask(__name__))


def test_setting_up_twice_is_an_error(engine: Engine) -> None:
    """Setting up one application twice is told at set-up."""
    app = make_app(engine)

    with pytest.raises(ConfigurationError, match="must be once"):
        Experiments(app, engine=engine)


def test_a_users_request_class_is_kept(engine: Engine) -> None:
    """An application's own request class keeps its methods beside `experiments`."""

    class OwnRequest(flask.Request):
        def own(self) -> str:
            return "own"

    app = flask.Flask(__name__)
    app.request_class = OwnRequest
    Experiments(app, engine=engine)
    with app.test_request_context("/"):
        request: Any = flask.request

        assert request.own() == "own"
        assert request.experiments.run(BUTTON).value in BUTTON.variations


def test_a_missing_extension_is_named() -> None:
    """Using the proxy without the extension tells what is missing."""
    app = flask.Flask(__name__)
    with (
        app.test_request_context("/"),
        pytest.raises(RuntimeError, match="must be called when"),
    ):
        experiments.run(BUTTON)


def test_debug_makes_it_strict(sink: MemorySink, monkeypatch: pytest.MonkeyPatch) -> None:
    """An application in debug mode makes the engine strict unless it was told otherwise."""
    monkeypatch.delenv("PYTEST_VERSION")
    engines = [Engine(sink=sink), Engine(sink=sink, strict=False), Engine(sink=sink)]
    for engine, name in zip(engines, ["debug", "debug", "testing"], strict=True):
        app = make_app(engine)
        setattr(app, name, True)  # after the extension, as app.run(debug=True) does
        app.test_client().get("/run")

    assert [engine.strict for engine in engines] == [True, False, True]


def test_a_hook_of_earlier_registration_is_seen(engine: Engine) -> None:
    """An experiment that another hook runs on the response still sets the cookie and headers."""
    app = flask.Flask(__name__)
    app.add_url_rule("/", "home", lambda: "home")

    @app.after_request
    def add_variation(response: flask.Response) -> flask.Response:
        response.headers["X-Variation"] = experiments.run(BUTTON).value
        return response

    Experiments(app, engine=engine)
    response = app.test_client().get("/")

    assert response.headers["Vary"] == "Cookie"
    assert "ab_id" in response.headers["Set-Cookie"]


def test_a_client_first_touched_in_the_stream_writes_at_once(
    engine: Engine, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """A body that is the first to ask records at once, and the log warns of the missing cookie."""
    app = make_app(engine)
    recorded = []

    @app.get("/stream")
    def stream() -> flask.Response:
        def body() -> Iterator[str]:
            yield experiments.run(BUTTON).value
            recorded.append(len(sink.exposures))

        return flask.Response(flask.stream_with_context(body()))

    assert app.test_client().get("/stream").text in BUTTON.variations
    assert recorded == [1]
    assert "ensure_identity()" in caplog.text


def test_a_propagated_exception_keeps_the_exposure(engine: Engine, sink: MemorySink) -> None:
    """Where Flask passes an exception on and makes no response, the exposure is recorded."""
    app = make_app(engine)
    app.testing = True
    app.add_url_rule("/raises", "raises", lambda: str(1 / len(experiments.run(BUTTON).value[:0])))
    with pytest.raises(ZeroDivisionError):
        app.test_client().get("/raises")

    assert len(sink.exposures) == 1


def test_an_async_view_runs_experiments(engine: Engine, sink: MemorySink) -> None:
    """An async view, which Flask runs in another thread, has the same client."""
    app = make_app(engine)

    @app.get("/async")
    async def run_async() -> str:
        return experiments.run(BUTTON).value

    client = app.test_client()

    assert client.get("/async").text == client.get("/run").text
    assert len(sink.exposures) == 2
