"""The page under Django, by WSGI with sync views and by ASGI with async ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, cast

import django
from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test.utils import override_settings
from django.urls import path
from django.utils.decorators import sync_and_async_middleware

from abmiddleware_django.middleware import ExperimentsHttpRequest
from benchmarks.sites.asgi import AsgiApp, AsgiSite
from benchmarks.sites.site import BODY, KEY, PLAIN, USED, Engines, Variant
from benchmarks.sites.wsgi import WsgiApp, WsgiSite

OURS = "abmiddleware_django.middleware.ExperimentsMiddleware"
EMPTY = "benchmarks.sites.django_site.empty_middleware"


def plain(_: HttpRequest) -> HttpResponse:
    """Ask for nothing."""
    return HttpResponse(BODY)


def used(request: ExperimentsHttpRequest) -> HttpResponse:
    """Run an experiment."""
    return HttpResponse(request.experiments.run(KEY).value)


async def async_plain(request: HttpRequest) -> HttpResponse:
    """Ask for nothing."""
    return plain(request)


async def async_used(request: ExperimentsHttpRequest) -> HttpResponse:
    """Run an experiment."""
    return used(request)


class Pages:
    """The URLs of one kind of views, as `ROOT_URLCONF` may name."""

    def __init__(self, plain_view: Callable[..., Any], used_view: Callable[..., Any]) -> None:
        self.urlpatterns = [path(PLAIN[1:], plain_view), path(USED[1:], used_view)]


SYNC_PAGES = Pages(plain, used)
ASYNC_PAGES = Pages(async_plain, async_used)


@sync_and_async_middleware
def empty_middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]],
) -> Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]:
    """Do nothing, as a function."""
    if iscoroutinefunction(get_response):

        async def passed(request: HttpRequest) -> HttpResponseBase:
            return await cast("Awaitable[HttpResponseBase]", get_response(request))

        return passed
    return lambda request: get_response(request)


def wsgi_site(engines: Engines) -> WsgiSite:
    """Return the site by WSGI."""
    _set_up()
    apps = {variant: cast(WsgiApp, _handler(WSGIHandler, variant)) for variant in Variant}
    return WsgiSite("Django WSGI", apps, partial(_setting, engines, SYNC_PAGES))


def asgi_site(engines: Engines) -> AsgiSite:
    """Return the site by ASGI."""
    _set_up()
    apps = {variant: cast(AsgiApp, _handler(ASGIHandler, variant)) for variant in Variant}
    return AsgiSite("Django ASGI", apps, partial(_setting, engines, ASYNC_PAGES))


def _set_up() -> None:
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["shop.test"],
            INSTALLED_APPS=["abmiddleware_django"],
            SECRET_KEY="benchmarks",  # noqa: S106  # protects nothing
        )
        django.setup()


def _handler(kind: Callable[[], object], variant: Variant) -> object:
    middleware = {Variant.BARE: [], Variant.BARE_AGAIN: [], Variant.EMPTY: [EMPTY]}
    with override_settings(MIDDLEWARE=middleware.get(variant, [OURS])):
        return kind()


def _setting(engines: Engines, pages: Pages, variant: Variant) -> AbstractContextManager[object]:
    options = {"ENGINE": engines[variant]} if variant in engines else {}
    return override_settings(ROOT_URLCONF=pages, EXPERIMENTS=options)
