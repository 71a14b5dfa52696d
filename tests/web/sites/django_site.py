"""The suite's views under Django, by WSGI with sync views and by ASGI with async ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, cast

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import AsyncClient, Client
from django.urls import path

from abmiddleware_django.middleware import ExperimentsHttpRequest
from tests.web.sites import django_handlers
from tests.web.sites.kinds import coroutine, function
from tests.web.sites.site import Response, Site, Visitor
from tests.web.views import ASYNC_VIEWS, BARE, VIEWS, Reply


class DjangoVisitor:
    def __init__(self) -> None:
        self._client = Client(raise_request_exception=False)

    def get(
        self, path: str, *, headers: dict[str, str] | None = None, secure: bool = False
    ) -> Response:
        response = self._client.get(f"/sync{path}", headers=headers, secure=secure)
        return _told(cast(HttpResponseBase, response), b"".join(response))

    def post(self, path: str) -> Response:
        response = self._client.post(f"/sync{path}")
        return _told(cast(HttpResponseBase, response), b"".join(response))

    def send(self, method: str, path: str) -> Response:
        response = self._client.generic(method, f"/sync{path}")
        return _told(cast(HttpResponseBase, response), b"".join(response))

    def cookie(self, name: str) -> str | None:
        morsel = self._client.cookies.get(name)
        return morsel.value if morsel else None

    def set_cookie(self, name: str, value: str) -> None:
        self._client.cookies[name] = value


class AsyncDjangoVisitor:
    def __init__(self) -> None:
        self._client = AsyncClient(raise_request_exception=False)

    def get(
        self, path: str, *, headers: dict[str, str] | None = None, secure: bool = False
    ) -> Response:
        return async_to_sync(self._get)(path, headers, secure)

    def post(self, path: str) -> Response:
        response = async_to_sync(self._client.post)(f"/async{path}")
        return _told(cast(HttpResponse, response), cast(HttpResponse, response).content)

    def send(self, method: str, path: str) -> Response:
        response = async_to_sync(self._send)(method, f"/async{path}")
        return _told(response, response.content)

    async def _send(self, method: str, path: str) -> HttpResponse:
        return cast(HttpResponse, await self._client.generic(method, path))

    async def _get(self, path: str, headers: dict[str, str] | None, secure: bool) -> Response:
        response = cast(
            HttpResponseBase,
            await self._client.get(f"/async{path}", headers=headers, secure=secure),
        )
        if isinstance(response, StreamingHttpResponse):
            return _told(response, b"".join([part async for part in response]))
        return _told(response, cast(HttpResponse, response).content)

    def cookie(self, name: str) -> str | None:
        morsel = self._client.cookies.get(name)
        return morsel.value if morsel else None

    def set_cookie(self, name: str, value: str) -> None:
        self._client.cookies[name] = value


def _told(response: HttpResponseBase, body: bytes) -> Response:
    pairs = [(name.lower(), value) for name, value in response.headers.items()]
    pairs += [("set-cookie", morsel.OutputString()) for morsel in response.cookies.values()]
    return Response(response.status_code, pairs, body.decode())


class DjangoSite:
    """The application that the settings describe; the suite overrides these."""

    def __init__(self, make: Callable[[], Visitor]) -> None:
        self._make = make

    def visitor(self) -> Visitor:
        return self._make()


def build_wsgi() -> Site:
    return DjangoSite(DjangoVisitor)


def build_asgi() -> Site:
    return DjangoSite(AsyncDjangoVisitor)


def _sync(view: Callable[[Any], Reply]) -> Callable[[HttpRequest], HttpResponseBase]:
    def endpoint(request: HttpRequest) -> HttpResponseBase:
        reply = view(None if view in BARE.values() else _experiments(request))
        if isinstance(reply.body, str):
            return HttpResponse(reply.body, headers=reply.headers)
        return StreamingHttpResponse(reply.body, headers=reply.headers)

    return endpoint


def _async(
    view: Callable[[Any], Any],
) -> Any:
    async def endpoint(request: HttpRequest) -> HttpResponseBase:
        reply = view(None if view in BARE.values() else _experiments(request))
        reply = reply if isinstance(reply, Reply) else await reply
        if isinstance(reply.body, str):
            return HttpResponse(reply.body, headers=reply.headers)
        return StreamingHttpResponse(_parts(reply.body), headers=reply.headers)

    return endpoint


def _experiments(request: HttpRequest) -> Any:
    return cast(ExperimentsHttpRequest, request).experiments


async def _parts(body: Iterable[str]) -> AsyncIterator[str]:
    for part in body:
        yield part


urlpatterns = [
    *(path(f"sync/{name}", _sync(view)) for name, view in {**VIEWS, **BARE}.items()),
    *(path(f"sync/{name}", view) for name, view in django_handlers.handlers(function).items()),
    *(path(f"async/{name}", view) for name, view in django_handlers.handlers(coroutine).items()),
    *(
        path(f"async/{name}", _async(view))
        for name, view in {**VIEWS, **BARE, **ASYNC_VIEWS}.items()
    ),
]
