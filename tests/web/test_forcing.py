"""Variations that a team's tests give to everybody, in every framework."""

from __future__ import annotations

import pytest

from abmiddleware import Engine, MemorySink
from abmiddleware.testing import capture, force
from tests.web.conftest import ASYNC_FRAMEWORKS, MakeSite
from tests.web.sites.site import Site
from tests.web.views import BUTTON, EXPERIMENTS


def shows(site: Site, view: str, variation: str) -> None:
    """See that everybody has a variation on a page, and that a test sees what is recorded of it."""
    with force("checkout-button", variation), capture() as records:
        pages = [site.visitor().get(f"/{view}").text.removeprefix("begin ") for _ in range(4)]

    assert {page.replace(variation, "") for page in pages} == {""}
    assert [one.value for one in map(BUTTON.plan.parts.arms.__getitem__, keys(records))] == [
        variation
    ] * 4
    assert all(one.forced for one in records.exposures)


def keys(records: MemorySink) -> list[int]:
    return [int(one.variation_key) for one in records.exposures]


@pytest.mark.parametrize("view", ["run", "run-by-key", "threads", "stream"])
@pytest.mark.parametrize("variation", ["control", "one-click"])
def test_every_page_shows_it(site: Site, sink: MemorySink, view: str, variation: str) -> None:
    """From threads and streams, too; nothing reaches the engine's own sink."""
    shows(site, view, variation)
    assert sink.records == []


@pytest.mark.parametrize("view", ["gather", "arun"])
@pytest.mark.parametrize("make_site", ASYNC_FRAMEWORKS, indirect=True)
def test_coroutines_and_tasks_show_it(site: Site, view: str) -> None:
    """As any other view."""
    shows(site, view, "one-click")


def test_what_counts_and_what_does_not_is_as_without(site: Site, sink: MemorySink) -> None:
    """A page for a bot is not recorded; the cookie of a newcomer is set."""
    with force("checkout-button", "one-click"), capture() as records:
        response = site.visitor().get("/run")
        site.visitor().get("/run", headers={"user-agent": "bingbot/2.0"})

    assert [cookie.split("=")[0] for cookie in response.cookies] == ["ab_id"]
    assert len(records.exposures) == 1


def test_an_engine_that_a_test_makes_itself_is_reached(make_site: MakeSite) -> None:
    """Made within, as an application factory does."""
    with force("checkout-button", "one-click"), capture() as records:
        site = make_site(Engine(EXPERIMENTS, sink=MemorySink()))
        assert site.visitor().get("/run").text == "one-click"

    assert len(records.exposures) == 1
