"""No cache hands a visitor what belongs to another one, in any framework."""

from __future__ import annotations

import pytest
from flask import Flask, request
from flask_caching import Cache

from abmiddleware import Engine, MemorySink
from abmiddleware_flask import Experiments, is_for_everybody
from tests.web.conftest import MakeSite
from tests.web.shared_cache import SharedCache
from tests.web.sites.site import Site
from tests.web.test_redirects import engine_of
from tests.web.views import BUTTON


def expected(unit: str) -> str:
    """Return the variation of a visitor, as it is anywhere else."""
    return str(Engine([BUTTON], sink=MemorySink()).client(id=unit).run(BUTTON).value)


@pytest.mark.parametrize("view", ["run", "unstored", "run-often"])
def test_a_cdn_serves_everybody_their_own(site: Site, sink: MemorySink, view: str) -> None:
    """Their own variation and cookie, when they come and when they come again; each one counts."""
    cache = SharedCache(site)
    visitors = [site.visitor() for _ in range(16)]
    for _ in range(2):
        for visitor in visitors:
            response = cache.get(visitor, f"/{view}")
            unit = (visitor.cookie("ab_id") or "").split(".")[0]
            shown = expected(unit)
            assert response.text == (shown[0] * 3 if view == "run-often" else shown)

    assert len({visitor.cookie("ab_id") for visitor in visitors}) == 16
    assert len(sink.exposures) == 32
    assert cache.hits == 0


def test_a_cdn_keeps_what_asks_nothing(site: Site) -> None:
    """A page without experiments is as cacheable as it was."""
    cache = SharedCache(site)
    for _ in range(10):
        cache.get(site.visitor(), "/quiet")

    assert cache.hits == 9


def test_a_page_that_its_view_calls_public_hands_out_no_id(site: Site) -> None:
    """Everybody sees what the first one saw, as the view says, and nobody becomes the first one."""
    cache = SharedCache(site)
    visitors = [site.visitor() for _ in range(8)]
    for visitor in visitors:
        cache.get(visitor, "/public")

    assert {visitor.cookie("ab_id") for visitor in visitors} == {None}


def test_a_redirect_of_an_experiment_is_kept_for_nobody_else(
    make_site: MakeSite, sink: MemorySink
) -> None:
    """Nor is the page that it leads away from."""
    target = "http://testserver/elsewhere"
    options = {"weights": (0.5, 0.5), "redirect_hosts": ["testserver"]}
    cache = SharedCache(make_site(engine_of(sink, target, **options)))
    answers = [cache.get(cache.site.visitor(), "/quiet?a=1&x=2").status for _ in range(24)]

    assert set(answers) == {200, 302}
    assert cache.hits == 0


def test_flask_caching_keeps_what_is_for_everybody(sink: MemorySink) -> None:
    """By its `response_filter`; it sits between the view and us, so that no header reaches it."""
    app = Flask("shop", static_folder=None)
    Experiments(app, engine=Engine([BUTTON], sink=sink))
    cache = Cache(app, config={"CACHE_TYPE": "SimpleCache"})
    calls: list[str] = []

    @app.get("/cart")
    @cache.cached(timeout=60, response_filter=is_for_everybody)
    def cart() -> str:
        calls.append("cart")
        return str(request.experiments.run(BUTTON).value)  # type: ignore[attr-defined]

    @app.get("/imprint")
    @cache.cached(timeout=60, response_filter=is_for_everybody)
    def imprint() -> str:
        calls.append("imprint")
        return "shop"

    for _ in range(12):
        client = app.test_client()
        response = client.get("/cart")
        cookie = client.get_cookie("ab_id")
        assert cookie is not None
        assert response.text == expected(cookie.value.split(".")[0])
        assert client.get("/imprint").text == "shop"

    assert calls.count("cart") == 12
    assert calls.count("imprint") == 1
    assert len(sink.exposures) == 12
