"""Decorated views of Django: functions and classes, sync and async."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.utils.decorators import method_decorator
from django.views import View
from jinja2 import Environment

from abmiddleware_django import experiment, variations
from abmiddleware_django.middleware import ExperimentsHttpRequest
from abmiddleware_django.templates import add_template_globals
from tests.web.sites.kinds import Handler, Kind, coroutine
from tests.web.views import BUTTON, TEMPLATES

#: Where tags differ from Jinja's global.
OWN_TEMPLATES = {
    **TEMPLATES,
    "quiet": "nothing {{ 'asked' }}",
    "shown": "{% load experiments %}{% variation 'checkout-button' %}",
    "often": (
        "{% load experiments %}{% variation 'checkout-button' as kept %}{{ kept }} {{ decorated }} "
        "{% ifvariation 'checkout-button' 'one-click' %}one-click{% else %}control"
        "{% endifvariation %} {{ asked }}"
    ),
    "markup": "{% load experiments %}{% variation 'markup' %}",
    "unknown": "{% load experiments %}[{% variation 'checkout-buton' %}]",
    "macro": (
        "{% load experiments %}{% for _ in 'abc' %}{% variation 'checkout-button' %} {% endfor %}"
    ),
}


def environment(**options: Any) -> Environment:
    """Return the environment of Django's templates of Jinja."""
    made = Environment(**options)  # noqa: S701  # Django says that it escapes
    add_template_globals(made)
    return made


def rendered(kind: Kind, engine: str, sources: dict[str, str]) -> dict[str, Handler]:
    """Return the views that render templates of an engine, by path."""

    def render(name: str, request: HttpRequest, **context: object) -> str:
        return str(engines[engine].from_string(sources[name]).render(context, request))

    def page(name: str) -> Handler:
        return kind(lambda request: HttpResponse(render(name, request)))

    def often(request: HttpRequest, variation: str) -> HttpResponse:
        asked = cast(ExperimentsHttpRequest, request).experiments.run("checkout-button").value
        return HttpResponse(render("often", request, decorated=variation, asked=asked))

    def stream(request: HttpRequest) -> StreamingHttpResponse:
        cast(ExperimentsHttpRequest, request).experiments.ensure_identity()
        parts = (f"{render('shown', request)} " for _ in range(3))
        return StreamingHttpResponse(_parts(parts) if kind is coroutine else parts)

    return {
        **{f"template-{name}": page(name) for name in sources if name != "often"},
        "template-often": experiment(BUTTON)(kind(often)),
        "template-stream": kind(stream),
    }


async def _parts(parts: Iterable[str]) -> AsyncIterator[str]:
    for part in parts:
        yield part


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
        **rendered(kind, "django", OWN_TEMPLATES),
    }
    views |= {f"jinja-{path}": view for path, view in rendered(kind, "jinja2", TEMPLATES).items()}
    return views
