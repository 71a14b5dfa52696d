"""Redirects that the middleware answers with, in every framework."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from abmiddleware import Engine, MemorySink
from tests.test_redirects import Payload
from tests.web.conftest import MakeSite
from tests.web.sites.site import Response, Site

#: Where these tests send visitors; frameworks' clients have different hosts of their own.
HOSTS = ("shop.example",)


def engine_of(sink: MemorySink, target: str, *, weights: Any = (0, 1), **options: Any) -> Engine:
    """Return an engine that sends everybody on `/quiet` to a target."""
    experiment = {
        "key": "new-shop",
        "variations": [{}, {"urlRedirect": target}],
        "weights": list(weights),
        "urlPatterns": [{"type": "regex", "pattern": "/quiet", "include": True}],
        "persistQueryString": True,
        **options.pop("fields", {}),
    }
    options = {"redirect_hosts": HOSTS, **options}
    source = Payload({"experiments": [experiment]})
    return Engine(sink=sink, sources=[source], redirects=True, **options)


@pytest.fixture
def engine(sink: MemorySink) -> Engine:
    return engine_of(sink, "http://shop.example/new?x=1")


def get(site: Site, path: str = "/quiet?a=1&x=2") -> Response:
    return site.visitor().get(path)


def test_a_visitor_is_sent_to_the_target(site: Site, sink: MemorySink) -> None:
    """The answer is a 302 to the variation's URL, with the page's query, and is recorded."""
    response = get(site)

    assert (response.status, response.header("location")) == (
        302,
        "http://shop.example/new?x=1&a=1",
    )
    assert [(each.experiment_key, each.variation_key) for each in sink.exposures] == [
        ("new-shop", "1")
    ]


def test_the_redirect_is_the_visitors_own(site: Site, sink: MemorySink) -> None:
    """It sets the visitor's cookie, and no cache may hand it to others."""
    response = get(site)
    (cookie,) = response.cookies

    assert cookie.startswith(f"ab_id={sink.exposures[0].unit_id}.")
    assert (response.header("vary"), response.header("cache-control")) == ("Cookie", "private")


def test_a_visitor_who_comes_again_is_sent_again(make_site: MakeSite, sink: MemorySink) -> None:
    """The cookie of the redirect keeps the visitor in the variation."""
    site = make_site(engine_of(sink, "http://shop.example/new", weights=(0.5, 0.5)))
    for _ in range(10):
        visitor = site.visitor()
        first = visitor.get("/quiet")
        sink.clear()
        again = visitor.get("/quiet")

        assert again.status == first.status
        assert again.cookies == []
        assert sink.exposures[0].unit_id == (visitor.cookie("ab_id") or "").split(".")[0]


def test_the_control_sees_the_page(make_site: MakeSite, sink: MemorySink) -> None:
    """Who is in the control gets the view's page, is recorded, and no cache may hand it on."""
    response = get(make_site(engine_of(sink, "http://shop.example/new", weights=(1, 0))))

    assert (response.status, response.text) == (200, "nothing asked")
    assert (response.header("vary"), response.header("cache-control")) == ("Cookie", "private")
    assert len(response.cookies) == 1
    assert [each.variation_key for each in sink.exposures] == ["0"]


def test_another_page_is_untouched(make_site: MakeSite, engine: Engine, sink: MemorySink) -> None:
    """Elsewhere the response is the one of an application without redirects."""
    assert get(make_site(engine), "/bare") == get(make_site(None), "/bare")
    assert sink.records == []


def test_a_form_is_not_redirected(site: Site, sink: MemorySink) -> None:
    """What a browser posts is not thrown away."""
    response = site.visitor().post("/quiet")

    assert response.status != 302
    assert sink.records == []


def test_another_host_is_refused(
    make_site: MakeSite, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """Visitors stay on the page's own host; the log says how another one is allowed."""
    locations = []
    for host in ("localhost", "testserver", "evil.example"):  # one of the first two is its own
        site = make_site(engine_of(sink, f"http://{host}/new", redirect_hosts=()))
        with caplog.at_level(logging.WARNING, "abmiddleware"):
            locations.append(get(site, "/quiet").header("location"))

    assert sorted(map(bool, locations)) == [False, False, True]
    assert locations[2] == ""
    assert "redirect_hosts" in caplog.text


def test_a_loop_is_guarded(make_site: MakeSite, sink: MemorySink) -> None:
    """A target that the experiment runs on leaves the visitor where they are."""
    assert get(make_site(engine_of(sink, "http://shop.example/quiet/b"))).status == 200


def test_letters_of_other_scripts_arrive_encoded(make_site: MakeSite, sink: MemorySink) -> None:
    """A header holds no letter beyond ASCII; the query arrives as it came."""
    site = make_site(engine_of(sink, "http://shop.example/caf\u00e9?q=%C3%A9#top"))
    location = get(site, "/quiet?n=%E2%82%AC").header("location")

    assert location == "http://shop.example/caf%C3%A9?q=%C3%A9&n=%E2%82%AC#top"


def test_a_long_query_breaks_no_page(site: Site) -> None:
    """A page that is served with a query is served or redirected with it, but no error."""
    assert get(site, f"/quiet?a={'x' * 20_000}").status in (200, 302)


@pytest.mark.parametrize("host", ["a b", "a:x", "[", "a@b", ""], ids=ascii)
def test_a_strange_host_breaks_no_page(make_site: MakeSite, sink: MemorySink, host: str) -> None:
    """Whatever host a client claims, the response is the one without redirects."""
    headers = {"host": host}
    with_us = make_site(engine_of(sink, "http://shop.example/new", weights=(0, 1)))
    ours = with_us.visitor().get("/bare", headers=headers).status
    bare = make_site(None).visitor().get("/bare", headers=headers).status

    assert ours == bare


def test_a_view_may_ask_itself(make_site: MakeSite, sink: MemorySink) -> None:
    """Without `redirects=True` the middleware sends nobody anywhere."""
    engine = engine_of(sink, "http://shop.example/new")
    engine.redirects = False

    assert get(make_site(engine)).status == 200
    assert sink.records == []
