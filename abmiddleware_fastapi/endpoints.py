"""Endpoints that an application may route to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from abmiddleware import Engine


def health_endpoint(engine: Engine) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that tells how this process' engine is doing, as JSON.

    It is for a monitoring system, not for visitors:

        app.add_route("/internal/experiments/health", health_endpoint(engine))
    """

    async def health(request: Request) -> Response:
        headers = {"cache-control": "no-store"}
        return Response(engine.health().json(), media_type="application/json", headers=headers)

    return health
