"""Who is logged in to a Django site may matter, in sync and async views, and is read only then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

from abmiddleware import MemorySink
from abmiddleware_django import conf
from tests.web.django_users import person, project
from tests.web.views import EXPERIMENTS

#: Views read it in threads of their own.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    """Whether views and middleware are coroutines."""
    return str(request.param)


def get(kind: str, path: str, user: Any = None) -> str:
    """Return a page as a user sees it."""
    if kind == "sync":
        client = Client()
        if user is not None:
            client.force_login(user)
        return client.get(f"/sync{path}").content.decode()

    async def ask() -> str:
        browser = AsyncClient()
        if user is not None:
            await browser.aforce_login(user)
        response: Any = await browser.get(f"/async{path}")
        return str(response.content.decode())

    return async_to_sync(ask)()


@pytest.fixture
def sink(sink: MemorySink) -> Iterator[MemorySink]:
    options = {
        "EXPERIMENTS": EXPERIMENTS,
        "SINK": sink,
        "OVERRIDES": {"SECRET": "s" * 32, "ALLOW": "abmiddleware.is_staff"},
    }
    with project(options):
        yield sink
    conf.engine.cache_clear()


@pytest.mark.parametrize("wish", ["control", "one-click"])
def test_staff_sees_the_variation_of_its_choice(kind: str, sink: MemorySink, wish: str) -> None:
    """Whoever else opens the link sees their own, and counts."""
    link = f"/run?ab_override=checkout-button:{wish}"
    assert get(kind, link, person("ada", is_staff=True)) == wish
    assert sink.records == []

    others = [get(kind, link, person("bob")) for _ in range(20)] + [get(kind, link)]
    assert set(others) == {"control", "one-click"}
    assert len(sink.exposures) == len(others)
