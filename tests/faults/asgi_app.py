"""The page of `app.py` under Starlette, for servers of ASGI that are hurt."""

from __future__ import annotations

import asyncio
import os

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from abmiddleware_fastapi import ExperimentsMiddleware, experiments_from
from tests.faults.app import SERVER, engine


async def page(request: Request) -> JSONResponse:
    """Run the experiment and tell the visitor's id, as its cookie has it."""
    experiments = experiments_from(request)
    button = experiments.run("button")
    experiments.track("seen", number=request.query_params["number"])
    await asyncio.sleep(0.002)  # some work, in which a worker may be killed
    flag = experiments.value("flag", None) if SERVER else None
    return JSONResponse({"unit_id": button.hash_value, "pid": os.getpid(), "flag": flag})


app = Starlette(
    routes=[Route("/", page)],
    middleware=[Middleware(ExperimentsMiddleware, engine=engine)],
)
