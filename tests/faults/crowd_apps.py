"""One page in every framework that says whom it took the visitor for, after much going to and fro.

It asks from the view, from another thread and from a task, at moments that differ. What its number
ends in decides what happens besides: `0` raises behind the questions, all else works on when the
response is out. Of the visitor it knows the cookie, and the account by a header.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import flask
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from fastapi import BackgroundTasks, FastAPI
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from abmiddleware import Engine, Experiment
from abmiddleware.client import ExperimentClient
from abmiddleware_fastapi import ExperimentsMiddleware, experiments_from
from abmiddleware_flask import Experiments

EXPERIMENTS: list[Experiment[Any]] = [
    Experiment("button", ["control", "green"]),
    Experiment("colour", ["red", "green", "blue"], seed="another"),
    Experiment("plan", ["one", "two", "three", "four"], hash_attribute="account"),
]

engine = Engine(
    EXPERIMENTS,
    attributes={"account": lambda request: request.headers.get("x-account")},
    record_attributes=["account"],
    strict=False,
)

pool = ThreadPoolExecutor(8)


def dawdle() -> float:
    """Return some seconds, often none."""
    return random.choice([0, 0, 0.0005, 0.003])  # noqa: S311  # any will do


def answer(client: ExperimentClient, number: str) -> dict[str, object]:
    """Return what a page says.

    Raises:
        RuntimeError: for some numbers.
    """
    told = client.assignments
    client.track("asked", number=int(number))
    if number.endswith("0"):
        raise RuntimeError(number)
    return {
        "number": int(number),
        "id": told["button"].hash_value,
        "account": told["plan"].hash_value,
        **{key: told[key].value for key in ("button", "colour", "plan")},
    }


def after(client: ExperimentClient, number: str) -> None:
    """Go on when the response is out."""
    time.sleep(dawdle())
    client.track("went on", number=int(number))


def ask(client: ExperimentClient) -> None:
    """Ask in this thread and in two others, with pauses."""
    time.sleep(dawdle())
    client.run("button")
    asked = pool.submit(client.run, "colour")
    thread = threading.Thread(target=client.run, args=("plan",))
    thread.start()
    time.sleep(dawdle())
    thread.join()
    asked.result()


async def aask(client: ExperimentClient) -> None:
    """Ask in this task, in another and in a thread, with pauses."""

    async def in_a_task() -> None:
        await asyncio.sleep(dawdle())
        client.run("plan")

    await asyncio.sleep(dawdle())
    client.run("button")
    await asyncio.gather(asyncio.create_task(in_a_task()), asyncio.to_thread(client.run, "colour"))
    await asyncio.sleep(dawdle())


async def aafter(client: ExperimentClient, number: str) -> None:
    """Go on when the response is out, in a task of a task."""
    await asyncio.create_task(asyncio.to_thread(after, client, number))


async def starlette_page(request: Request) -> JSONResponse:
    """Answer under Starlette."""
    client, number = experiments_from(request), request.query_params["number"]
    await aask(client)
    return JSONResponse(answer(client, number), background=BackgroundTask(aafter, client, number))


starlette_app = Starlette(routes=[Route("/", starlette_page)])
starlette_app.add_middleware(ExperimentsMiddleware, engine=engine)

fastapi_app = FastAPI()
fastapi_app.add_middleware(ExperimentsMiddleware, engine=engine)


def fastapi_page(request: Any, number: str, tasks: Any) -> dict[str, object]:
    """Answer under FastAPI, in its thread pool."""
    client = request.experiments
    ask(client)
    tasks.add_task(after, client, number)
    return answer(client, number)


# FastAPI reads annotations at run time, and this module's are text.
fastapi_page.__annotations__ = {"request": Request, "number": str, "tasks": BackgroundTasks}
fastapi_app.get("/")(fastapi_page)

flask_app = flask.Flask(__name__)
Experiments(flask_app, engine=engine)


@flask_app.get("/")
def flask_page() -> dict[str, object]:
    """Answer under Flask."""
    client = cast(Any, flask.request).experiments
    number = flask.request.args["number"]
    ask(client)
    pool.submit(after, client, number)
    return answer(client, number)


def django_page(request: HttpRequest) -> JsonResponse:
    """Answer under Django's WSGI."""
    client = cast(Any, request).experiments
    number = request.GET["number"]
    ask(client)
    pool.submit(after, client, number)
    return JsonResponse(answer(client, number))


async def django_apage(request: HttpRequest) -> JsonResponse:
    """Answer under Django's ASGI."""
    client = cast(Any, request).experiments
    number = request.GET["number"]
    await aask(client)
    pool.submit(after, client, number)
    return JsonResponse(answer(client, number))


urlpatterns = [path("", django_page), path("async", django_apage)]


def configure() -> None:
    """Set Django up."""
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            EXPERIMENTS={"ENGINE": engine},
            MIDDLEWARE=["abmiddleware_django.middleware.ExperimentsMiddleware"],
            ROOT_URLCONF=__name__,
        )


def django_wsgi() -> Any:
    """Return Django's application for WSGI."""
    configure()
    return get_wsgi_application()


def django_asgi() -> Any:
    """Return Django's application for ASGI."""
    configure()
    return get_asgi_application()
