"""Sticky buckets in a visitor's cookie, in every framework."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from abmiddleware import Engine, Experiment, MemorySink, VariationMeta
from abmiddleware.sticky import CookieStickyStore
from tests.sticky.places import SECRET
from tests.web.conftest import ASYNC_FRAMEWORKS, MakeSite
from tests.web.sites.site import Site, Visitor
from tests.web.views import EXPERIMENTS

META = [VariationMeta("old"), VariationMeta("new")]
TREATED, CONTROL = [0, 1], [1, 0]


def engine_of(sink: MemorySink, weights: Sequence[float], secret: str = SECRET) -> Engine:
    """Return the engine of a process whose configuration has these weights."""
    button = Experiment("checkout-button", ["control", "one-click"], weights=weights, meta=META)
    return Engine([button], sink=sink, sticky=CookieStickyStore(secret))


def moved(visitor: Visitor, site: Site) -> Visitor:
    """Return a visitor of another site with the cookies of this one."""
    other = site.visitor()
    for name in ("ab_id", "ab_sticky"):
        if value := visitor.cookie(name):
            other.set_cookie(name, value)
    return other


def names(cookies: list[str]) -> list[str]:
    return [cookie.split("=")[0] for cookie in cookies]


def test_a_visitor_keeps_the_variation(make_site: MakeSite, sink: MemorySink) -> None:
    """When the weights change, who was there stays; who comes new gets the new ones."""
    visitor = make_site(engine_of(sink, TREATED)).visitor()
    assert visitor.get("/run-by-key").text == "one-click"
    changed = make_site(engine_of(sink, CONTROL))
    stays = moved(visitor, changed)

    assert [stays.get("/run-by-key").text for _ in range(2)] == ["one-click"] * 2
    assert changed.visitor().get("/run-by-key").text == "control"
    assert [each.variation_key for each in sink.exposures] == ["new", "new", "new", "old"]


@pytest.mark.parametrize("make_site", ASYNC_FRAMEWORKS, indirect=True)
def test_tasks_keep_the_variation(make_site: MakeSite, sink: MemorySink) -> None:
    """`arun`, from twenty tasks at once, does the same."""
    visitor = make_site(engine_of(sink, TREATED)).visitor()
    first = visitor.get("/arun")
    stays = moved(visitor, make_site(engine_of(sink, CONTROL)))

    assert (first.text, stays.get("/arun").text) == ("one-click", "one-click")
    assert sorted(names(first.cookies)) == ["ab_id", "ab_sticky"]
    assert len(sink.exposures) == 2


def test_the_cookie_is_set_once(make_site: MakeSite, sink: MemorySink) -> None:
    """The first response sets both cookies, the next none."""
    visitor = make_site(engine_of(sink, TREATED)).visitor()
    responses = [visitor.get("/run-by-key") for _ in range(3)]

    assert [sorted(names(response.cookies)) for response in responses] == [
        ["ab_id", "ab_sticky"],
        [],
        [],
    ]
    assert {response.header("cache-control") for response in responses} == {"private"}


def test_the_cookie_is_hardened(make_site: MakeSite, sink: MemorySink) -> None:
    """It is HttpOnly, SameSite=Lax, for 180 days, and Secure over https."""
    visitor = make_site(engine_of(sink, TREATED)).visitor()
    cookies = visitor.get("/run-by-key", secure=True).cookies
    (cookie,) = (each.lower() for each in cookies if each.startswith("ab_sticky="))
    attributes = {part.strip() for part in cookie.split(";")[1:]}

    assert {"httponly", "samesite=lax", "path=/", "secure", "max-age=15552000"} <= attributes


@pytest.mark.parametrize("change", ["signature", "content", "nonsense", "of-another", "secret"])
def test_a_tampered_cookie_counts_for_nothing(
    make_site: MakeSite, sink: MemorySink, change: str
) -> None:
    """A cookie that we did not make for this visitor is as if there were none."""
    site = make_site(engine_of(sink, TREATED))
    visitor, other = site.visitor(), site.visitor()
    for each in (visitor, other):
        each.get("/run-by-key")
    value = visitor.cookie("ab_sticky") or ""
    changes = {
        "signature": value[:-1] + ("A" if value[-1] != "A" else "B"),
        "content": ("A" if value[0] != "A" else "B") + value[1:],
        "nonsense": "x" * 200,
        "of-another": other.cookie("ab_sticky") or "",
    }
    secret = SECRET if change != "secret" else SECRET[::-1]
    changed = make_site(engine_of(sink, CONTROL, secret))
    cheat = moved(visitor, changed)
    if change in changes:
        cheat.set_cookie("ab_sticky", changes[change])
    response = cheat.get("/run-by-key")

    assert (response.status, response.text) == (200, "control")
    assert names(response.cookies) == ["ab_sticky"]


def test_a_public_response_sets_no_cookie(make_site: MakeSite, sink: MemorySink) -> None:
    """A response that a cache may hand out carries nobody's buckets."""
    engine = Engine(EXPERIMENTS, sink=sink, sticky=CookieStickyStore(SECRET))
    response = make_site(engine).visitor().get("/public")

    assert response.text in ("control", "one-click")
    assert response.cookies == []


def test_a_peek_sets_no_sticky_cookie(make_site: MakeSite, sink: MemorySink) -> None:
    """An assignment that took no effect is not kept."""
    engine = Engine(EXPERIMENTS, sink=sink, sticky=CookieStickyStore(SECRET))
    visitor = make_site(engine).visitor()

    assert names(visitor.get("/peek").cookies) == ["ab_id"]
    assert names(visitor.get("/peek-and-expose").cookies) == ["ab_sticky"]


def test_a_response_that_asked_nothing_is_untouched(make_site: MakeSite, sink: MemorySink) -> None:
    """A sticky cookie that nobody reads changes no response."""
    visitor = make_site(engine_of(sink, TREATED)).visitor()
    visitor.get("/run-by-key")

    assert visitor.get("/bare") == make_site(None).visitor().get("/bare")


def test_a_script_has_no_cookie(sink: MemorySink) -> None:
    """Outside of a request a cookie store keeps nothing, and nothing fails."""
    engine = engine_of(sink, TREATED)

    assert engine.client(id="u1").run("checkout-button").value == "one-click"
    assert engine.health().sticky_failures == {}
