"""Who is logged in to a Django site may matter, in sync and async views, and is read only then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

from abmiddleware import ConfigurationError, Engine, Experiment, MemorySink
from abmiddleware_django import conf
from tests.recorded import of_units
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


MEMBERS = Experiment("members", ["old", "new"], hash_attribute="user_id", hash_version=2)


@pytest.fixture
def sink(sink: MemorySink) -> Iterator[MemorySink]:
    options = {
        "EXPERIMENTS": [*EXPERIMENTS, MEMBERS],
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
    assert of_units(sink) == []

    others = [get(kind, link, person("bob")) for _ in range(20)] + [get(kind, link)]
    assert set(others) == {"control", "one-click"}
    assert len(sink.exposures) == len(others)


def expected(user: Any) -> str:
    """Return the variation that a user has anywhere else."""
    return str(Engine([MEMBERS], sink=MemorySink()).client(user_id=user.pk).run(MEMBERS).value)


def test_an_experiment_of_users_asks_django_who_they_are(kind: str, sink: MemorySink) -> None:
    """By `run`, and in a coroutine by `arun`; who is not logged in is outside."""
    path = "/run-members" if kind == "sync" else "/arun-members"
    users = [person(f"user {number}") for number in range(6)]

    assert [get(kind, path, user) for user in users] == [expected(user) for user in users]
    assert [one.unit_id for one in sink.exposures] == [str(user.pk) for user in users]
    assert get(kind, path) == "old"
    assert len(sink.exposures) == 6


def test_a_coroutine_that_does_not_await_is_told_to(sink: MemorySink) -> None:
    """In tests and in debug mode by an error; in production by the log, and the control."""
    with pytest.raises(ConfigurationError, match=r"await experiments.arun\(...\) or afeature"):
        async_to_sync(raising)(person("ada"))

    assert sink.records == []


async def raising(user: Any) -> None:
    browser = AsyncClient()
    await browser.aforce_login(user)
    await browser.get("/async/run-members")


def test_what_is_for_everybody_reads_neither_session_nor_user(
    kind: str, sink: MemorySink, django_assert_num_queries: Any
) -> None:
    """A page with an experiment of visitors costs no query."""
    client = Client()
    client.force_login(person("ada"))
    with django_assert_num_queries(0):
        if kind == "sync":
            client.get("/sync/run")
        else:
            browser = AsyncClient()
            browser.cookies = client.cookies
            async_to_sync(browser.get)("/async/arun")

    assert len(sink.exposures) == 1


def test_who_is_logged_in_is_recorded_where_a_team_wants_it(kind: str, sink: MemorySink) -> None:
    """Beside the visitor, also of a coroutine."""
    user = person("ada")
    options = {"EXPERIMENTS": EXPERIMENTS, "SINK": sink, "RECORD_ATTRIBUTES": ["user_id"]}
    with project(options):
        get(kind, "/run" if kind == "sync" else "/arun", user)

    assert [one.attributes for one in sink.exposures] == [{"user_id": user.pk}]
