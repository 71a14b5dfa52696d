"""Answers that last: a stream, events, a WebSocket. A file that changes holds what they say."""

from __future__ import annotations

import asyncio
import gc
import json
import os
from collections.abc import AsyncIterator
from weakref import WeakSet

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from abmiddleware import Engine
from abmiddleware.client import ExperimentClient
from abmiddleware.snapshot import Snapshot
from abmiddleware.sources import File
from abmiddleware_fastapi import ExperimentsMiddleware, experiments_from

engine = Engine(sources=[File(os.environ["EXPERIMENTS_FILE"])], strict=False)

#: The snapshots that answers under way were given, as far as they are still there.
pinned: WeakSet[Snapshot] = WeakSet()


async def told(client: ExperimentClient) -> AsyncIterator[str]:
    """Run an experiment at the third moment, and say again and again what holds."""
    pinned.add(engine.snapshot)
    flag = client.value("flag", None)
    yield json.dumps({"flag": flag})
    await asyncio.sleep(0.05)
    yield json.dumps({"unit_id": client.run("button").hash_value})
    number = 0
    while True:
        await asyncio.sleep(0.05)
        number += 1
        yield json.dumps({"flag": client.value("flag", None), "other": client.value("other", None)})


async def stream(request: Request) -> StreamingResponse:
    """Answer with lines."""
    client = experiments_from(request)
    client.ensure_identity()
    return StreamingResponse((line + "\n" async for line in told(client)), media_type="text/plain")


async def events(request: Request) -> StreamingResponse:
    """Answer with server-sent events."""
    client = experiments_from(request)
    client.ensure_identity()
    lines = (f"data: {line}\n\n" async for line in told(client))
    return StreamingResponse(lines, media_type="text/event-stream")


async def websocket(socket: WebSocket) -> None:
    """Answer with messages."""
    client = experiments_from(socket)
    client.ensure_identity()
    await socket.accept()
    async for line in told(client):
        await socket.send_text(line)


async def held(_: Request) -> JSONResponse:
    """Tell how many snapshots are held beside the current one."""
    gc.collect()
    return JSONResponse(sum(1 for one in pinned if one is not engine.snapshot))


async def now(request: Request) -> JSONResponse:
    """Tell what a request gets that begins now."""
    return JSONResponse(experiments_from(request).value("flag", None))


app = Starlette(
    routes=[
        Route("/stream", stream),
        Route("/events", events),
        WebSocketRoute("/websocket", websocket),
        Route("/held", held),
        Route("/now", now),
    ],
    middleware=[Middleware(ExperimentsMiddleware, engine=engine)],
)
