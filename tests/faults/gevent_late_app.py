"""The application of `app.py`, imported and used before gevent patches the standard library."""

from __future__ import annotations

from tests.faults.app import app, engine

with engine.client(id="early") as client:
    client.run("button")
    client.track("seen", number=-1)

from gevent import monkey  # noqa: E402

monkey.patch_all()

__all__ = ["app"]
