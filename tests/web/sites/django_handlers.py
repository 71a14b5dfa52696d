"""Decorated views of Django: functions and classes, sync and async."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View

from abmiddleware_django import experiment, variations
from tests.web.sites.kinds import Handler, Kind
from tests.web.views import BUTTON


def handlers(kind: Kind) -> dict[str, Handler]:
    """Return the decorated views of one kind, by path."""

    @kind
    def shown(request: HttpRequest, variation: object = "default") -> HttpResponse:
        return HttpResponse(str(variation))

    @kind
    def control(request: HttpRequest) -> HttpResponse:
        return HttpResponse("control")

    @kind
    def one_click(request: HttpRequest) -> HttpResponse:
        return HttpResponse("one-click")

    class Method(View):
        @experiment(BUTTON)
        @kind
        def get(self, request: HttpRequest, variation: object) -> HttpResponse:
            return HttpResponse(str(variation))

    class Decorated(View):
        @method_decorator(experiment("checkout-button"))
        @kind
        def get(self, request: HttpRequest, variation: object) -> HttpResponse:
            return HttpResponse(str(variation))

    @method_decorator(variations("checkout-button", one_click=one_click), name="get")
    class Dispatched(View):
        @kind
        def get(self, request: HttpRequest) -> HttpResponse:
            return HttpResponse("control")

    views: dict[str, Any] = {
        "decorated": experiment(BUTTON)(shown),
        "decorated-by-key": experiment("checkout-button")(shown),
        "decorated-unknown": experiment("checkout-buton")(shown),
        "dispatched": variations(BUTTON, one_click=one_click)(control),
        "dispatched-by-key": variations("checkout-button", one_click=one_click)(control),
        "dispatched-unknown": variations("checkout-buton", one_click=one_click)(control),
        "dispatched-partly": variations("three", b=one_click)(control),
        "class-method": Method.as_view(),
        "class-decorated": Decorated.as_view(),
        "class-dispatched": Dispatched.as_view(),
        "class-as-view": experiment(BUTTON)(Decorated.as_view()),
    }
    return views
