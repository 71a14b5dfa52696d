"""The application of `app.py`, imported and used before gevent patches the standard library."""

from __future__ import annotations

from tests.faults.app import app, engine

engine.client(id="early").peek("button")

from gevent import monkey  # type: ignore[import-untyped]  # noqa: E402

monkey.patch_all()

__all__ = ["app"]
