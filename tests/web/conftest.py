"""One site for each framework, driven by that framework's own client."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import override_settings

from abmiddleware import Engine, MemorySink
from abmiddleware_django import conf
from tests.web.sites import (
    django_site,
    flask_handlers,
    flask_site,
    starlette_handlers,
    starlette_site,
)
from tests.web.sites.kinds import coroutine, function
from tests.web.sites.site import Site
from tests.web.views import EXPERIMENTS

#: Makes the site under test; without an engine it is the bare application.
MakeSite = Callable[[Engine | None], Site]

FRAMEWORKS = ["django-wsgi", "django-asgi", "flask", "starlette", "fastapi", "fastapi-threads"]
ASYNC_FRAMEWORKS = ["django-asgi", "starlette", "fastapi"]
#: Sites whose handlers are decorated and render templates, of both kinds in each framework.
HANDLERS = [
    "django-wsgi",
    "django-asgi",
    "flask-functions",
    "flask-coroutines",
    "starlette-functions",
    "starlette-coroutines",
    "fastapi-functions",
    "fastapi-coroutines",
]
BUILD_HANDLERS = {
    "flask": flask_handlers.build,
    "starlette": starlette_handlers.build_starlette,
    "fastapi": starlette_handlers.build_fastapi,
}
KINDS = {"functions": function, "coroutines": coroutine}


@pytest.fixture
def engine(sink: MemorySink) -> Engine:
    return Engine(
        EXPERIMENTS,
        sink=sink,
        attributes={"company": lambda request: request.headers.get("x-company")},
    )


@pytest.fixture(params=FRAMEWORKS)
def make_site(request: pytest.FixtureRequest) -> Iterator[MakeSite]:
    overrides: list[override_settings] = []

    def make(engine: Engine | None) -> Site:
        match request.param:
            case "flask":
                return flask_site.build(engine)
            case "starlette":
                return starlette_site.build_starlette(engine)
            case "fastapi":
                return starlette_site.build_fastapi(engine)
            case "fastapi-threads":
                return starlette_site.build_fastapi_threads(engine)
        framework, _, kind = request.param.partition("-")
        if framework != "django":
            return BUILD_HANDLERS[framework](KINDS[kind], engine)
        override = override_settings(
            EXPERIMENTS={"ENGINE": engine},
            MIDDLEWARE=[] if engine is None else [MIDDLEWARE],
        )
        override.enable()
        overrides.append(override)
        return (
            django_site.build_wsgi() if request.param == "django-wsgi" else django_site.build_asgi()
        )

    yield make
    for override in reversed(overrides):
        override.disable()
    conf.engine.cache_clear()


MIDDLEWARE = "abmiddleware_django.middleware.ExperimentsMiddleware"


@pytest.fixture
def site(make_site: MakeSite, engine: Engine) -> Site:
    return make_site(engine)
