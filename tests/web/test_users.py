"""Who is logged in, as Flask-Login and Starlette know it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, request
from flask_login import LoginManager, UserMixin, login_user
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser, SimpleUser
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from abmiddleware import Engine, Experiment, MemorySink
from abmiddleware_fastapi import ExperimentsMiddleware
from abmiddleware_flask import Experiments

MEMBERS = Experiment("members", ["old", "new"], hash_attribute="user_id", hash_version=2)


def expected(user_id: str) -> str:
    """Return the variation that a user has anywhere else."""
    return str(Engine([MEMBERS], sink=MemorySink()).client(user_id=user_id).run(MEMBERS).value)


def test_an_experiment_of_users_that_nothing_knows_is_told(
    sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """Once; where something knows users, nobody being logged in is no mistake."""

    def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(request.scope["experiments"].run(MEMBERS).value))

    app = Starlette(routes=[Route("/", page)])
    app.add_middleware(ExperimentsMiddleware, engine=Engine([MEMBERS], sink=sink))
    for _ in range(2):
        assert TestClient(app).get("/").text == "old"

    assert caplog.text.count("'members' is randomised by 'user_id', which nothing gave") == 1


class Member(UserMixin):  # type: ignore[misc]  # it has no types
    def __init__(self, name: str) -> None:
        self.id = name


def test_flask_login_knows_who_it_is(sink: MemorySink) -> None:
    """Its `current_user`; who is not logged in is outside, as all are without it."""
    app = Flask("shop", static_folder=None)
    app.secret_key = "tests"  # noqa: S105  # protects nothing
    Experiments(app, engine=Engine([MEMBERS], sink=sink))
    LoginManager(app).user_loader(Member)

    @app.get("/login/<name>")
    def log_in(name: str) -> str:
        login_user(Member(name))
        return ""

    @app.get("/")
    def index() -> str:
        return str(request.experiments.run(MEMBERS).value)  # type: ignore[attr-defined]

    client = app.test_client()
    assert client.get("/").text == "old"
    assert sink.records == []
    for name in ("ada", "bob", "cyd"):
        client.get(f"/login/{name}")
        assert client.get("/").text == expected(name)
    assert [one.unit_id for one in sink.exposures] == ["ada", "bob", "cyd"]


class Nameless(BaseUser):
    """A user without an identity, as a team may write it."""

    @property
    def is_authenticated(self) -> bool:
        return True


class Backend(AuthenticationBackend):
    """Believes a header."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, Any] | None:
        if name := conn.headers.get("x-user"):
            return AuthCredentials(), SimpleUser(name)
        return (AuthCredentials(), Nameless()) if "x-nameless" in conn.headers else None


@pytest.mark.parametrize("order", ["around", "within"])
def test_starlette_knows_who_it_is(sink: MemorySink, order: str) -> None:
    """The `identity` of its user, wherever the middleware for authentication stands."""

    async def index(request: Request) -> PlainTextResponse:
        experiments = request.state.experiments
        return PlainTextResponse(str((await experiments.arun(MEMBERS)).value))

    ours = Middleware(ExperimentsMiddleware, engine=Engine([MEMBERS], sink=sink))
    theirs = Middleware(AuthenticationMiddleware, backend=Backend())
    app = Starlette(
        routes=[Route("/", index)],
        middleware=[ours, theirs] if order == "around" else [theirs, ours],
    )
    client = TestClient(app)

    assert client.get("/").text == "old"
    assert client.get("/", headers={"x-nameless": "yes"}).text == "old"
    assert sink.records == []
    for name in ("ada", "bob", "cyd"):
        assert client.get("/", headers={"x-user": name}).text == expected(name)
    assert [one.unit_id for one in sink.exposures] == ["ada", "bob", "cyd"]
