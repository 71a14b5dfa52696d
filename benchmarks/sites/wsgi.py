"""Drives WSGI applications by hand."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from time import process_time
from typing import Any

from benchmarks.sites.site import COOKIE, Setting, Variant

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def environ(path: str, cookie: str) -> Environ:
    """Return a request, as a server hands it to an application."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "shop.test",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "shop.test",
        "HTTP_COOKIE": f"{COOKIE}={cookie}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


class WsgiSite:
    """A WSGI application in all variants."""

    def __init__(
        self, name: str, apps: Mapping[Variant, WsgiApp], setting: Setting | None = None
    ) -> None:
        self.name = name
        self._apps = apps
        self._setting: Setting = setting or (lambda _: nullcontext())

    def bodies(self, variant: Variant, cookies: Sequence[str]) -> list[bytes]:
        """Serve a request for each cookie and return what came.

        Raises:
            RuntimeError: a response was none of 200.
        """
        statuses: list[str] = []
        with self._setting(variant):
            bodies = [
                _body(self._apps[variant], environ(variant.path, cookie), statuses)
                for cookie in cookies
            ]
        if any(not status.startswith("200") for status in statuses):
            raise RuntimeError(f"{self.name}, {variant}: a response is not 200")
        return bodies

    def seconds(self, variant: Variant, cookies: Sequence[str]) -> float:
        """Serve a request for each cookie and return the CPU seconds that it took."""
        environs = [environ(variant.path, cookie) for cookie in cookies]
        statuses: list[str] = []
        app = self._apps[variant]
        with self._setting(variant):
            self.bodies(variant, cookies[:3])  # warms up
            began = process_time()
            for request in environs:
                _body(app, request, statuses)
            return process_time() - began


def _body(app: WsgiApp, request: Environ, statuses: list[str]) -> bytes:
    def start_response(status: str, _: Any, __: Any = None) -> None:
        statuses.append(status)

    parts = app(request, start_response)
    try:
        return b"".join(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
