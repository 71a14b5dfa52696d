"""The global of Jinja in Flask, and in Starlette and FastAPI."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import flask
import httpx2
import pytest
from jinja2 import DictLoader, Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from abmiddleware import ConfigurationError, Engine, MemorySink
from abmiddleware_fastapi import ExperimentsMiddleware, add_template_globals
from abmiddleware_flask import Experiments
from tests.web.views import BUTTON

SHOWN = "{{ variation('checkout-button') }}"
VALUES = {"control", "one-click"}


def own(_: str) -> str:
    return "own"


@pytest.fixture
def engine(sink: MemorySink) -> Engine:
    return Engine([BUTTON], sink=sink)


@pytest.fixture
def app(engine: Engine) -> flask.Flask:
    app = flask.Flask(__name__)
    Experiments(app, engine=engine)
    app.add_url_rule("/", "page", lambda: flask.render_template_string(SHOWN))
    return app


def test_the_templates_of_flask_are_made_when_they_are_needed(app: flask.Flask) -> None:
    """The extension does not settle the options of an application that is still being made."""
    app.jinja_options = {"variable_start_string": "<<", "variable_end_string": ">>"}
    app.add_url_rule(
        "/late", "late", lambda: flask.render_template_string("<<variation('nobody')>>")
    )
    app.jinja_env.globals["variation"] = own

    assert app.test_client().get("/late").text == "own"


@pytest.mark.parametrize("when", ["before", "after", "context", "environment"])
def test_a_name_of_the_application_stays(engine: Engine, when: str) -> None:
    """An application of Flask that has a `variation` of its own keeps it."""
    app = flask.Flask(__name__)

    class OwnEnvironment(flask.templating.Environment):
        def __init__(self, app: Any, **options: Any) -> None:
            super().__init__(app, **options)
            self.globals["variation"] = own

    if when == "environment":
        app.jinja_environment = OwnEnvironment
    if when == "before":
        app.add_template_global(own, "variation")
    Experiments(app, engine=engine)
    if when == "after":
        app.add_template_global(own, "variation")
    if when == "context":
        app.context_processor(lambda: {"variation": own})
    with app.test_request_context():
        assert flask.render_template_string(SHOWN) == "own"


def test_an_environment_that_is_made_already_gets_it(engine: Engine, sink: MemorySink) -> None:
    """The extension may come after the first use of the templates."""
    app = flask.Flask(__name__)
    app.jinja_env.globals["other"] = own
    Experiments(app, engine=engine)
    app.add_url_rule("/", "page", lambda: flask.render_template_string(SHOWN))

    assert app.test_client().get("/").text in VALUES
    assert len(sink.exposures) == 1


def test_a_template_that_flask_imports_has_it(app: flask.Flask, sink: MemorySink) -> None:
    """A macro of another file asks without being given the context."""
    app.jinja_env.loader = DictLoader({"macros": "{% macro button() %}" + SHOWN + "{% endmacro %}"})
    source = "{% from 'macros' import button %}{{ button() }}"
    app.add_url_rule("/macro", "macro", lambda: flask.render_template_string(source))

    assert app.test_client().get("/macro").text in VALUES
    assert len(sink.exposures) == 1


def test_outside_of_a_request_flask_shows_the_control(
    app: flask.Flask, engine: Engine, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """A mail of a script shows the control in production; in tests it is an error."""
    with app.app_context(), pytest.raises(ConfigurationError, match="outside of a request"):
        flask.render_template_string(SHOWN)
    quiet = flask.Flask(__name__)
    Experiments(quiet, engine=Engine([BUTTON], sink=sink, strict=False))
    with quiet.app_context(), caplog.at_level(logging.WARNING, "abmiddleware"):
        assert flask.render_template_string(SHOWN + "{{ variation('nonsense') }}") == "control"

    assert sink.records == []
    assert caplog.text.count("outside of a request") == 1


def environment(engine: Engine) -> Environment:
    made = Environment(enable_async=True, autoescape=True)
    add_template_globals(made, engine)
    return made


async def test_templates_that_await_know_their_request(engine: Engine, sink: MemorySink) -> None:
    """Pages that are rendered at once by one loop each show the variation of their visitor."""
    source = environment(engine).from_string("{% for part in parts %}" + SHOWN + " {% endfor %}")

    async def parts() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(0)
            yield number

    async def page(request: Request) -> Response:
        return HTMLResponse(await source.render_async(request=request, parts=parts()))

    app = Starlette()
    app.add_route("/", page)
    app.add_middleware(ExperimentsMiddleware, engine=engine)

    async def visit() -> tuple[str, str]:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
            response = await client.get("/")
            return response.text, response.cookies["ab_id"].split(".")[0]

    visits = await asyncio.gather(*(visit() for _ in range(30)))
    exposed = {each.unit_id: int(each.variation_key) for each in sink.exposures}

    assert {text for text, _ in visits} == {"control control control ", "one-click " * 3}
    assert {unit: int(text.startswith("one")) for text, unit in visits} == exposed
    assert len(sink.exposures) == 30


def test_a_template_of_starlette_needs_its_request(sink: MemorySink) -> None:
    """Without it, or without the middleware, it is an error in tests, else the control."""
    bare = Request({"type": "http", "headers": []})
    strict = environment(Engine([BUTTON], sink=sink)).from_string(SHOWN)
    quiet = environment(Engine([BUTTON], sink=sink, strict=False)).from_string(SHOWN)

    with pytest.raises(ConfigurationError, match="has no request; must be rendered with it"):
        asyncio.run(strict.render_async())
    with pytest.raises(ConfigurationError, match="ExperimentsMiddleware must be added"):
        asyncio.run(strict.render_async(request=bare))
    assert asyncio.run(quiet.render_async()) == "control"
    assert asyncio.run(quiet.render_async(request=bare)) == "control"
    assert sink.records == []


def test_a_global_of_starlettes_templates_stays(engine: Engine) -> None:
    """An environment that has a `variation` of its own keeps it."""
    made = Environment(autoescape=True)
    made.globals["variation"] = own
    add_template_globals(made, engine)

    assert made.from_string(SHOWN).render() == "own"


def test_the_template_of_the_documentation_is_rendered(app: flask.Flask) -> None:
    """What the page shows of Jinja's templates works as it stands."""
    page = (Path(__file__).parents[2] / "docs" / "handlers.md").read_text()
    (block,) = re.findall(r"```jinja\n(.*?)```", page, re.DOTALL)
    app.add_url_rule("/docs", "docs", lambda: flask.render_template_string(block))
    texts = {app.test_client().get("/docs").text.strip() for _ in range(30)}

    assert texts == {
        '<button class="control">Buy</button>',
        '<button class="one-click">Buy</button>\n<button>Buy at once</button>',
    }
