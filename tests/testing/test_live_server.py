"""A live server in a thread of the tests is reached, as a browser's tests have one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import uvicorn
from fastapi import FastAPI

from abmiddleware import Engine, Experiment, MemorySink
from abmiddleware.testing import capture, force
from abmiddleware_fastapi import Experiments, ExperimentsMiddleware

BUTTON = Experiment("button", ["red", "green"], coverage=0.0, hash_version=2)


def application() -> FastAPI:
    app = FastAPI()
    app.add_middleware(ExperimentsMiddleware, engine=Engine([BUTTON], sink=MemorySink()))

    @app.get("/in-the-loop")
    async def in_the_loop(experiments: Experiments) -> str:
        return experiments.run(BUTTON).value

    @app.get("/in-a-thread")
    def in_a_thread(experiments: Experiments) -> str:
        return experiments.run(BUTTON).value

    return app


@contextmanager
def live(app: FastAPI) -> Iterator[str]:
    """Serve an application in a thread; give its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def page(address: str) -> str:
    return httpx2.get(address).text


def test_a_live_server_shows_what_a_test_says() -> None:
    """In its event loop and in the threads that it calls views in."""
    with live(application()) as address:
        for view in ("in-the-loop", "in-a-thread"):
            with force("button", "green"), capture() as records:
                assert page(f"{address}/{view}") == '"green"'
            assert len(records.exposures) == 1
            assert page(f"{address}/{view}") == '"red"'
