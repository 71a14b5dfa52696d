"""Serves distinct visitors, and prints how it grew: `visitors.py FRAMEWORK JOURNAL FROM TO`.

It prints three lines of JSON: what the process holds after `FROM` visitors, after `TO` of them, and
how many exposures the journal counts.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from abmiddleware import Engine, Experiment, Journal
from abmiddleware.identity import Visitor

FRAMEWORK, JOURNAL, FROM, TO = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

journal = Journal(JOURNAL)
engine = Engine(
    [Experiment("button", ["control", "green"])],
    sink=journal,
    attributes={"host": lambda request: request.headers.get("host")},
    record_attributes=["host"],
)


def cookie() -> str:
    """Return the cookie of a visitor who was never seen."""
    return f"ab_id={Visitor.issue().value()}"


def script() -> Callable[[int], None]:
    """Serve customers of a script."""

    def serve(number: int) -> None:
        with engine.client(id=f"customer {number}") as client:
            client.run("button")
            client.track("seen", number=number)

    return serve


def starlette() -> Callable[[int], None]:
    """Serve requests of Starlette."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from abmiddleware_fastapi import ExperimentsMiddleware, experiments_from

    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse(experiments_from(request).run("button").value)

    app = Starlette(
        routes=[Route("/", page)], middleware=[Middleware(ExperimentsMiddleware, engine=engine)]
    )
    loop = asyncio.new_event_loop()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Any) -> None:
        pass

    def serve(number: int) -> None:
        headers = [(b"host", b"a.test")]
        if number % 10:  # the tenth has no cookie yet
            headers.append((b"cookie", cookie().encode()))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 5),
            "server": ("127.0.0.1", 80),
        }
        loop.run_until_complete(app(scope, receive, send))

    return serve


def flask() -> Callable[[int], None]:
    """Serve requests of Flask."""
    from flask import Flask

    from abmiddleware_flask import Experiments, experiments

    app = Flask("visitors")
    Experiments(app, engine=engine)
    app.add_url_rule("/", view_func=lambda: experiments.run("button").value)
    return by_wsgi(app.wsgi_app)


def django() -> Callable[[int], None]:
    """Serve requests of Django."""
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path

    settings.configure(
        ALLOWED_HOSTS=["*"],
        EXPERIMENTS={"ENGINE": engine},
        MIDDLEWARE=["abmiddleware_django.middleware.ExperimentsMiddleware"],
        ROOT_URLCONF=(path("", lambda request: HttpResponse(request.experiments.run("button"))),),
    )
    return by_wsgi(get_wsgi_application())


def by_wsgi(app: Callable[..., Any]) -> Callable[[int], None]:
    """Serve requests of WSGI."""

    def serve(number: int) -> None:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/",
            "SERVER_NAME": "a.test",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": open(os.devnull, "rb"),  # noqa: SIM115  # closed by the end of the request
        }
        if number % 10:
            environ["HTTP_COOKIE"] = cookie()
        body = app(environ, lambda *_: None)
        list(body)
        body.close()
        environ["wsgi.input"].close()

    return serve


def held() -> Mapping[str, int]:
    """Return what this process holds."""
    journal.close()  # a machine that is busy looks like a slow disk, for which records wait
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "kib": pages * os.sysconf("SC_PAGE_SIZE") // 1024,
        "objects": len(gc.get_objects()),
        "threads": threading.active_count(),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
    }


def main() -> None:
    """Serve, and tell."""
    serve = {"script": script, "starlette": starlette, "flask": flask, "django": django}[
        FRAMEWORK
    ]()
    for number in range(FROM):
        serve(number)
    print(json.dumps(held()))  # noqa: T201
    for number in range(FROM, TO):
        serve(number)
    print(json.dumps(held()))  # noqa: T201
    print(journal.written)  # noqa: T201


if __name__ == "__main__":
    main()
