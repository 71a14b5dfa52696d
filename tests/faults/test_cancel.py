"""A request that is cancelled, at whatever step, has recorded what it ran, once."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, StreamingHttpResponse
from django.test import override_settings
from django.urls import path
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from abmiddleware import Engine, Experiment, MemorySink
from abmiddleware_django import conf
from abmiddleware_fastapi import ExperimentsMiddleware, experiments_from
from tests.faults.conftest import Tell

EXPERIMENTS: list[Experiment[Any]] = [
    Experiment(key, ["control", "green"]) for key in ("first", "second", "third")
]

#: What the code of the request under way ran, in words.
ran: list[str] = []
#: How many requests got as far as their end.
ended: list[None] = []


async def work(client: Any) -> AsyncIterator[str]:
    """Ask in the view, in the stream and behind it; a step is wherever it waits."""
    for key in ("first", "second"):
        await asyncio.sleep(0)
        client.run(key)
        ran.append(key)
        await asyncio.sleep(0)

    async def stream() -> AsyncIterator[str]:
        for number in range(3):
            yield f"part {number}"
            await asyncio.sleep(0)
            client.run("third")
            ran.append("third")
            client.track(f"part {number}")
            ran.append(f"part {number}")

    return stream()


async def behind(client: Any) -> None:
    """Go on when the response is out."""
    await asyncio.sleep(0)
    client.track("behind")
    ran.append("behind")
    await asyncio.sleep(0)
    ended.append(None)


async def page(request: Request) -> StreamingResponse:
    """Answer under Starlette and FastAPI."""
    client = experiments_from(request)
    return StreamingResponse(await work(client), background=BackgroundTask(behind, client))


async def django_page(request: HttpRequest) -> StreamingHttpResponse:
    """Answer under Django."""
    client = request.experiments  # type: ignore[attr-defined]
    response = StreamingHttpResponse(await work(client))

    async def parts(stream: Any) -> AsyncIterator[bytes]:
        async for part in stream:
            yield part
        await behind(client)

    response.streaming_content = parts(response.streaming_content)
    return response


urlpatterns = [path("", django_page)]


def starlette_app(engine: Engine) -> Any:
    app = Starlette(routes=[Route("/", page)])
    app.add_middleware(ExperimentsMiddleware, engine=engine)
    return app


def fastapi_app(engine: Engine) -> Any:
    app = FastAPI()
    app.add_api_route("/", page, response_model=None)
    app.add_middleware(ExperimentsMiddleware, engine=engine)
    return app


def django_app(engine: Engine) -> Any:
    return ASGIHandler()


APPS: dict[str, Callable[[Engine], Any]] = {
    "starlette": starlette_app,
    "fastapi": fastapi_app,
    "django": django_app,
}


async def request(app: Any, ends_at: int | None = None) -> bool:
    """Send a request, cancel it after so many steps, and tell whether it was cancelled.

    Raises:
        CancelledError: never: it must come out of the application, and ends here.
    """
    received, gone = 0, asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal received
        received += 1
        if received > 1:
            await gone.wait()
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Any) -> None:
        await asyncio.sleep(0)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"testserver")],
        "client": ("127.0.0.1", 5),
        "server": ("127.0.0.1", 80),
    }
    call: Awaitable[None] = app(scope, receive, send)
    task = asyncio.ensure_future(call)
    for _ in range(10_000 if ends_at is None else ends_at):
        if task.done():
            break
        await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return True
    finally:
        gone.set()
    return False


def recorded(sink: MemorySink) -> Counter[str]:
    return Counter(
        [*(one.experiment_key for one in sink.exposures), *(one.event for one in sink.outcomes)]
    )


# Django leaves its copy of the body to the garbage collector.
@pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")
@pytest.mark.parametrize("name", APPS)
async def test_a_request_cancelled_at_any_step_has_recorded_what_it_ran(
    sink: MemorySink, name: str, tell: Tell
) -> None:
    """Whatever step the server cancels at, what ran is recorded once, and the error comes out."""
    engine = Engine(EXPERIMENTS, sink=sink)
    troubles: list[Any] = []

    def note(_: object, trouble: Any) -> None:
        # Django leaves the task behind that waits for the browser to go.
        if "listen_for_disconnect" not in repr(trouble):
            troubles.append(trouble)

    asyncio.get_running_loop().set_exception_handler(note)
    overrides = override_settings(
        EXPERIMENTS={"ENGINE": engine},
        MIDDLEWARE=["abmiddleware_django.middleware.ExperimentsMiddleware"],
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
    )
    with overrides:
        app = APPS[name](engine)
        steps, cancelled = 0, 0
        ended.clear()
        while not ended:
            ran.clear()
            sink.clear()
            was_cancelled = await request(app, steps)
            for _ in range(20):  # tasks of the framework that outlive the request
                await asyncio.sleep(0)
            assert was_cancelled or ended
            cancelled += was_cancelled
            assert recorded(sink) == Counter(dict.fromkeys(ran, 1)), f"cancelled at step {steps}"
            steps += 1
    conf.engine.cache_clear()
    gc.collect()

    assert troubles == []
    assert cancelled >= 5
    tell(f"cancelled at each of {cancelled} steps: 0 lost, 0 repeated")
