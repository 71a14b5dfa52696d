"""A Django project that has django-debug-toolbar; it prints what its pages and panels hold."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import django
from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path

from abmiddleware import Engine, MemorySink
from tests.web.panel_shop import DEFINITIONS, HTML, ask

OURS = "abmiddleware_django.middleware.ExperimentsMiddleware"
TOOLBAR = "debug_toolbar.middleware.DebugToolbarMiddleware"


def shop(request: HttpRequest) -> HttpResponse:
    """Ask, and return a page."""
    if hasattr(request, "experiments"):
        ask(request.experiments)
    return HttpResponse(HTML)


async def ashop(request: HttpRequest) -> HttpResponse:
    """Do as `shop`."""
    return shop(request)


urlpatterns: list[Any] = [path("shop", shop), path("ashop", ashop)]


def set_up() -> None:
    """Set Django up."""
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DEBUG=True,
        SECRET_KEY="tests",  # noqa: S106  # protects nothing
        EXPERIMENTS={"ENGINE": Engine(DEFINITIONS, sink=MemorySink())},
        INSTALLED_APPS=["django.contrib.staticfiles", "debug_toolbar", "abmiddleware_django"],
        STATIC_URL="static/",
        ROOT_URLCONF=sys.modules[__name__],
        MIDDLEWARE=[TOOLBAR, OURS],
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
        ],
        DEBUG_TOOLBAR_PANELS=["abmiddleware_django.panels.ExperimentsPanel"],
        DEBUG_TOOLBAR_CONFIG={"SHOW_TOOLBAR_CALLBACK": lambda _: True},
    )
    django.setup()
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns.extend(debug_toolbar_urls())


def seen(page: str) -> dict[str, str]:
    """Return a page, and what its panel shows to who looks at it."""
    (request_id,) = set(re.findall(r'data-request-id="([^"]+)"', page))
    asked = {"request_id": request_id, "panel_id": "ExperimentsPanel"}
    return {
        "page": page,
        "panel": Client().get("/__debug__/render_panel/", asked).json()["content"],
    }


def main() -> None:
    """Print it."""
    set_up()
    response: Any = async_to_sync(AsyncClient().get)("/ashop")
    told = {
        "sync": seen(Client().get("/shop").content.decode()),
        "async": seen(response.content.decode()),
    }
    with override_settings(MIDDLEWARE=[TOOLBAR]):
        told["without"] = seen(Client().get("/shop").content.decode())
    print(json.dumps(told))  # noqa: T201  # it is what it is for


if __name__ == "__main__":
    main()
