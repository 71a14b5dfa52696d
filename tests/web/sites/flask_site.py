"""The suite's views under Flask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from abmiddleware import Engine
from abmiddleware_flask import Experiments
from tests.web.sites.site import Response, Site, Visitor
from tests.web.views import BARE, VIEWS, Reply

METHODS = ["GET", "HEAD", "OPTIONS"]


class FlaskVisitor:
    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def get(
        self, path: str, *, headers: dict[str, str] | None = None, secure: bool = False
    ) -> Response:
        base_url = "https://localhost" if secure else "http://localhost"
        response = self._client.get(path, headers=headers, base_url=base_url)
        return _told(response)

    def post(self, path: str) -> Response:
        return _told(self._client.post(path))

    def send(self, method: str, path: str) -> Response:
        return _told(self._client.open(path, method=method))

    def cookie(self, name: str) -> str | None:
        cookie = self._client.get_cookie(name)
        return cookie.value if cookie else None

    def set_cookie(self, name: str, value: str) -> None:
        self._client.set_cookie(name, value)


def _told(response: TestResponse) -> Response:
    pairs = [(name.lower(), value) for name, value in response.headers]
    return Response(response.status_code, pairs, response.get_data(as_text=True))


class FlaskSite:
    def __init__(self, app: flask.Flask) -> None:
        self.app = app

    def visitor(self) -> Visitor:
        return FlaskVisitor(self.app.test_client())


def build(engine: Engine | None) -> Site:
    app = flask.Flask(__name__)
    if engine is not None:
        Experiments(app, engine=engine)
    for name, view in {**VIEWS, **BARE}.items():
        rule = app.add_url_rule
        rule(f"/{name}", name, _endpoint(view), methods=METHODS, provide_automatic_options=False)
    return FlaskSite(app)


def _endpoint(view: Callable[[Any], Reply]) -> Callable[[], flask.Response]:
    def endpoint() -> flask.Response:
        client = None if view in BARE.values() else cast(Any, flask.request).experiments
        reply = view(client)
        if not isinstance(reply.body, str):
            body = flask.stream_with_context(iter(reply.body))
            return flask.Response(body, headers=reply.headers)
        return flask.Response(reply.body, headers=reply.headers)

    return endpoint
