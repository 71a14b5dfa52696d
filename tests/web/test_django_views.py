"""Decorated views that only Django has: its classes, and those of REST framework."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from abmiddleware import ConfigurationError, Engine, MemorySink
from abmiddleware_django import conf, experiment, variations
from tests.web.conftest import MIDDLEWARE, MakeSite
from tests.web.views import BUTTON, EXPERIMENTS

SETTINGS: dict[str, Any] = {"ROOT_URLCONF": __name__, "MIDDLEWARE": [MIDDLEWARE]}


def shown(request: Request, variation: str) -> Response:
    assert isinstance(request, Request)
    return Response(variation)


def control(request: Request) -> Response:
    return Response("control")


def one_click(request: Request) -> Response:
    return Response("one-click")


class Method(APIView):  # type: ignore[misc]  # it has no types
    @experiment(BUTTON)
    def get(self, request: Request, variation: str) -> Response:
        return Response(variation)


@method_decorator(experiment("checkout-button"), name="dispatch")
class Decorated(APIView):  # type: ignore[misc]  # it has no types
    def get(self, request: Request, variation: str) -> Response:
        return Response(variation)


class Many(ViewSet):  # type: ignore[misc]  # it has no types
    def _list_at_once(self, request: Request) -> Response:
        return Response("one-click")

    @variations(BUTTON, one_click=_list_at_once)
    def list(self, request: Request) -> Response:
        return Response("control")


@method_decorator(experiment(BUTTON), name="dispatch")
class Plain(View):
    def get(self, request: HttpRequest, number: int, variation: str) -> HttpResponse:
        return HttpResponse(f'"{variation}"' if number == 7 else "")


GET: Callable[[Any], Any] = api_view(["GET"])
urlpatterns = [
    path("inside", GET(experiment(BUTTON)(shown))),
    path("outside", experiment(BUTTON)(GET(shown))),
    path("inside-dispatched", GET(variations(BUTTON, one_click=one_click)(control))),
    path("outside-dispatched", variations(BUTTON, one_click=GET(one_click))(GET(control))),
    path("method", Method.as_view()),
    path("decorated", Decorated.as_view()),
    path("viewset", Many.as_view({"get": "list"})),
    path("plain/<int:number>", Plain.as_view()),
]


@pytest.mark.parametrize(
    "path",
    [
        "inside",
        "outside",
        "inside-dispatched",
        "outside-dispatched",
        "method",
        "decorated",
        "viewset",
        "plain/7",
    ],
)
def test_a_view_of_rest_framework_serves_the_variation(path: str) -> None:
    """Under and outside of `api_view`, on classes and their methods: one answer, one exposure."""
    sink = MemorySink()
    engine = Engine(EXPERIMENTS, sink=sink)
    with override_settings(**SETTINGS, EXPERIMENTS={"ENGINE": engine}):
        visitor = Client()
        texts = [visitor.get(f"/{path}").content for _ in range(3)]
        everybody = {Client().get(f"/{path}").content for _ in range(30)}
        visitor.head(f"/{path}")

    assert len(set(texts)) == 1
    assert everybody == {b'"control"', b'"one-click"'}
    assert len(sink.exposures) == 33
    expected = {b'"control"': 0, b'"one-click"': 1}[texts[0]]
    assert [each.variation_id for each in sink.exposures[:3]] == [expected] * 3
    conf.engine.cache_clear()


@pytest.mark.parametrize("make_site", ["django-wsgi", "django-asgi"], indirect=True)
@pytest.mark.parametrize("path", ["class-decorated", "class-as-view"])
def test_a_class_serves_the_variation(make_site: MakeSite, sink: MemorySink, path: str) -> None:
    """A decorated class based view exposes once, also where two decorators ask for the same."""
    site = make_site(Engine(EXPERIMENTS, sink=sink))
    served = {site.visitor().get(f"/{path}").text for _ in range(30)}

    assert served == {"control", "one-click"}
    assert len(sink.exposures) == 30


def test_without_the_middleware_the_error_tells_the_mend() -> None:
    """A request that did not pass the middleware has no experiments."""
    with pytest.raises(ConfigurationError, match="MIDDLEWARE must have 'abmiddleware_django"):
        experiment(BUTTON)(lambda request, variation: None)(RequestFactory().get("/"))
