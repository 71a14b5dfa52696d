"""The panels of the debug toolbars, and Starlette's: what a page asked, and why so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask_debugtoolbar import DebugToolbarExtension
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from abmiddleware import Engine, Experiment, MemorySink, Overrides
from abmiddleware.console.panel import panel, title
from abmiddleware_fastapi import ExperimentsMiddleware, ExperimentsPanel
from abmiddleware_flask import Experiments, experiments
from tests.request_facts import Page
from tests.web.panel_shop import DEFINITIONS, HTML, ask

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  # of a test


@pytest.fixture
def engine(sink: MemorySink) -> Engine:
    return Engine(DEFINITIONS, sink=sink, overrides=Overrides(SECRET))


def rows(html: str) -> dict[str, list[str]]:
    """Return the cells of each row, by the key that it is about."""
    found = {}
    for row in re.findall(r"<tr>(<td>.*?)</tr>", html):
        cells = [
            unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall(r"<td>(.*?)</td>", row)
        ]
        found[f"{cells[1]} {cells[0]}"] = cells[2:]
    return found


def test_the_table_tells_what_was_asked_and_why(engine: Engine) -> None:
    """Key, variation, value, reason, unit, bucket, and whether it was exposed."""
    client = engine.request_client(Page())
    ask(client)
    result, unit = client.run("button"), f"id = {client.run('button').hash_value}"
    bucket = f"{result.bucket:.4f}"
    told = rows(panel(client.inspect()))

    split = "in the experiment, by the bucket"
    assert told["experiment button"] == [result.key, repr(result.value), split, unit, bucket, "yes"]
    assert told["experiment nobody"][-1] == "no: not in the experiment"
    assert told["experiment later"][-1] == "no: only peeked so far"
    assert told["experiment menu-test"][-1] == "yes"
    assert told["feature menu"][2] == "by an experiment menu-test"
    assert title(client.inspect()) == "5 questions, 2 exposures"
    assert "<b>old" not in panel(client.inspect())


def test_the_table_tells_why_nothing_is_recorded(engine: Engine) -> None:
    """Of a bot, say, and of who looks at a variation of their choice."""
    assert engine.overrides is not None
    token = engine.overrides.token({"button": "<i>new</i>"})
    for page, why, exposed in (
        (Page(method="HEAD"), "HEAD and OPTIONS show nothing", "no: HEAD and OPTIONS"),
        (Page(f"https://shop.example/?ab_override={token}"), "an override is on", "no: forced"),
    ):
        client = engine.request_client(page)
        ask(client)
        told = panel(client.inspect())

        assert f"Nothing is recorded: {why}" in told
        assert rows(told)["experiment button"][-1].startswith(exposed)
    assert "button: &lt;i&gt;new&lt;/i&gt;" in told


def test_to_look_changes_nothing(engine: Engine, sink: MemorySink) -> None:
    """A page that asked nothing stays everybody's, without an id."""
    client = engine.request_client(Page())
    told = client.inspect()

    assert (told.answers, told.visitor) == ([], "")
    assert "asked for no experiment" in panel(told)
    assert not client.response_starts()
    assert sink.records == []


@pytest.mark.parametrize("value", ["\ud800", "</table><script>", "x" * 10_000, [[[[[[[]]]]]]]])
def test_no_value_breaks_the_table(engine: Engine, value: Any) -> None:
    """Whatever is hashed or shown."""
    client = engine.request_client(Page())
    client.identify(id=value)
    client.run(Experiment("odd", [value, "b"], weights=[1, 0]))
    told = panel(client.inspect())

    assert "<script>" not in told
    assert "odd" in told.encode().decode()


# Django: django-debug-toolbar.


@pytest.fixture(scope="module")
def told() -> Any:
    """Return what a project with the toolbar tells, which is apart: the toolbar changes Django."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.web.toolbar_project"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_djangos_toolbar_has_the_panel(told: Any, kind: str) -> None:
    """By WSGI and by ASGI; its content comes when somebody looks at it."""
    assert "5 questions, 2 exposures" in told[kind]["page"]
    assert rows(told[kind]["panel"])["experiment nobody"][-1] == "no: not in the experiment"
    assert rows(told[kind]["panel"])["experiment button"][-1] == "yes"


def test_djangos_toolbar_tells_of_a_missing_middleware(told: Any) -> None:
    """And breaks no page."""
    assert "<h1>Shop" in told["without"]["page"]
    assert "middleware did not see it" in told["without"]["panel"]


# Flask: Flask-DebugToolbar.


def test_flasks_toolbar_has_the_panel(engine: Engine) -> None:
    """As it stands in the page."""
    app = Flask("shop")
    app.config.update(
        SECRET_KEY="tests",  # noqa: S106  # protects nothing
        DEBUG_TB_ENABLED=True,
        DEBUG_TB_HOSTS=(),
        DEBUG_TB_PANELS=["abmiddleware_flask.panels.ExperimentsPanel"],
    )
    app.debug = True
    Experiments(app, engine=engine)
    DebugToolbarExtension(app)

    @app.get("/")
    def index() -> str:
        ask(experiments)
        return HTML

    html = app.test_client().get("/").text
    assert "5 questions, 2 exposures" in html
    assert rows(html)["experiment later"][-1] == "no: only peeked so far"


# Starlette and FastAPI: a panel of our own.


def page(request: Request) -> Any:
    ask(request.scope["experiments"])
    return HTMLResponse(HTML)


def fragment(request: Request) -> Any:
    ask(request.scope["experiments"])
    return HTMLResponse("<p>no end")


def text(request: Request) -> Any:
    ask(request.scope["experiments"])
    return PlainTextResponse(HTML)


def stream(request: Request) -> Any:
    async def parts() -> AsyncIterator[str]:
        yield "<html><body>begun"
        ask(request.scope["experiments"])
        yield "</body></html>"

    return StreamingResponse(parts(), media_type="text/html", headers={"Content-Length": "31"})


def unchanged(request: Request) -> Any:
    ask(request.scope["experiments"])
    return HTMLResponse("", status_code=304)


def failing(request: Request) -> Any:
    ask(request.scope["experiments"])
    raise ZeroDivisionError


def starlette(engine: Engine, *, debug: bool = True, outside: bool = False) -> TestClient:
    app = Starlette(
        debug=debug,
        routes=[
            Route(f"/{view.__name__}", view)
            for view in (page, fragment, text, stream, failing, unchanged)
        ],
    )
    if outside:
        app.add_middleware(ExperimentsMiddleware, engine=engine)
    app.add_middleware(ExperimentsPanel)
    if not outside:
        app.add_middleware(ExperimentsMiddleware, engine=engine)
    app.add_middleware(GZipMiddleware, minimum_size=100)
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("name", ["page", "stream"])
def test_starlettes_panel_stands_on_the_page(engine: Engine, name: str, outside: bool) -> None:
    """Within the body where it is whole, else behind it; the length is right."""
    html = starlette(engine, outside=outside).get(f"/{name}").text

    assert "Experiments: 5 questions, 2 exposures" in html
    assert rows(html)["experiment button"][-1] == "yes"
    assert html.index("abm-panel") > html.index("<body>")
    if name == "page":
        assert html.endswith("</details></body></html>")


def test_starlettes_panel_stands_behind_a_part_of_a_page(engine: Engine) -> None:
    """As scripts load it."""
    assert starlette(engine).get("/fragment").text.startswith("<p>no end")


@pytest.mark.parametrize("name", ["text", "failing", "unchanged"])
def test_what_is_no_page_has_no_panel(engine: Engine, name: str) -> None:
    """Nor has the page of an error."""
    assert "abm-panel" not in starlette(engine).get(f"/{name}").text


def test_outside_of_debug_mode_there_is_no_panel(engine: Engine) -> None:
    """The page is as without it, byte by byte; so is the answer to HEAD."""
    assert starlette(engine, debug=False).get("/page").text == HTML
    head = starlette(engine).head("/page")
    assert head.headers["content-length"] == str(len(HTML))
