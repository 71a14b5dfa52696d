"""The Django middleware, for WSGI and ASGI, sync and async views."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase

from abmiddleware.client import ExperimentClient
from abmiddleware.facts import PURPOSES, RequestFacts
from abmiddleware.web import finish
from abmiddleware_django import conf

Request = TypeVar("Request", bound=HttpRequest)


class DjangoFacts(RequestFacts):
    """What the core may ask of a Django request."""

    __slots__ = ("request",)

    #: The request, as attribute functions get it.
    request: HttpRequest

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def cookie_header(self) -> str:
        """Return the `Cookie` header."""
        header: str = self.request.META.get("HTTP_COOKIE", "")
        return header

    def header(self, name: str) -> str:
        """Return a header by its name in lower case, or ""."""
        header: str = self.request.META.get(_meta_key(name), "")
        return header

    def tells_purpose(self) -> bool:
        """Tell whether one of `PURPOSES` is there."""
        return not self.request.META.keys().isdisjoint(_PURPOSES)

    def is_secure(self) -> bool:
        """Tell whether the request came over https, as Django sees it."""
        return self.request.is_secure()

    def method(self) -> str:
        """Return the HTTP method."""
        return self.request.method or ""

    def path(self) -> str:
        """Return the path of the URL."""
        return self.request.path

    def query(self) -> str:
        """Return the query of the URL."""
        return cast(str, self.request.META.get("QUERY_STRING", ""))

    def url(self) -> str:
        """Return the URL of the page, as Django sees it; "" for a host that it refuses."""
        try:
            return self.request.build_absolute_uri()
        except DisallowedHost:
            return ""

    def knows_users(self) -> bool:
        """Tell whether Django's middleware for authentication is there."""
        return hasattr(self.request, "user")

    def user_id(self) -> object:
        """Return the key of who is logged in."""
        request = cast(Any, self.request)
        return _key_of(getattr(request, "_acached_user", None) or getattr(request, "user", None))

    def must_await_user(self) -> bool:
        """Tell whether reading the user would hold up an event loop."""
        request = self.request
        if hasattr(request, "_cached_user") or hasattr(request, "_acached_user"):
            return False
        return hasattr(request, "auser") and _is_in_event_loop()

    async def auser_id(self) -> object:
        """Return the key of who is logged in."""
        return _key_of(await cast(Any, self.request).auser())

    def keep_private(self) -> None:
        """Keep Django's cache middleware and `@cache_page` from storing the response.

        They sit between the view and this middleware, so its headers come too late for them. The
        attribute is the one by which Django's own middleware tells itself not to store.
        """
        self.request._cache_update_cache = False  # type: ignore[attr-defined]


@lru_cache(maxsize=256)
def _meta_key(name: str) -> str:
    """Return what Django calls a header."""
    return f"HTTP_{name.replace('-', '_').upper()}"


_PURPOSES: Final = frozenset(map(_meta_key, PURPOSES))


def _key_of(user: Any) -> object:
    return user.pk if user is not None and user.is_authenticated else None


def _is_in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class ExperimentsHttpRequest(HttpRequest):
    """A request that has `experiments`; annotate views with it."""

    experiments: ExperimentClient


class ExperimentsMiddleware:
    """Offers `request.experiments` in every view, and finishes the response.

    Put it behind the middleware for sessions, authentication and `UpdateCacheMiddleware`.
    """

    sync_capable = True
    async_capable = True

    def __init__(
        self,
        get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]],
    ) -> None:
        conf.engine()  # a wrong setting stops the server when it starts
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self.__acall__(request)
        client = _attach(request)
        try:
            return _finish(
                client, _redirected(client) or cast(HttpResponseBase, self.get_response(request))
            )
        finally:
            client.response_starts()

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        client = _attach(request)
        try:
            if client.must_look_ahead():
                # Who may ask for a variation is a question for the database.
                await sync_to_async(client.look_ahead)()
            response = _redirected(client)
            if response is None:
                response = await cast("Awaitable[HttpResponseBase]", self.get_response(request))
            return _finish(client, response)
        finally:
            client.response_starts()


def attach(request: Request) -> Request:
    """Give a request `experiments` as the middleware does, and return it.

    For tests that call a view with a request of `RequestFactory`, which no middleware has seen:

        response = checkout(attach(RequestFactory().get("/checkout")))
    """
    _attach(request).write_at_once()
    return request


def _attach(request: HttpRequest) -> ExperimentClient:
    client = conf.engine().request_client(DjangoFacts(request))
    cast(ExperimentsHttpRequest, request).experiments = client
    return client


def _redirected(client: ExperimentClient) -> HttpResponseBase | None:
    """Answer with the redirect of an experiment, if the middleware does so."""
    if not conf.engine().redirects or (target := client.redirect()) is None:
        return None
    return HttpResponseRedirect(target)


def _finish(client: ExperimentClient, response: HttpResponseBase) -> HttpResponseBase:
    if client.response_starts():
        headers = response.headers
        told = finish(client, headers.get("Vary", ""), headers.get("Cache-Control", ""))
        if told.vary:
            headers["Vary"] = told.vary
        if told.cache_control:
            headers["Cache-Control"] = told.cache_control
        for cookie in told.cookies:
            response.set_cookie(**cast("dict[str, Any]", cookie.options()))
    return response
