"""The team's own people see the variation of their choice, in every framework, and never count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from abmiddleware import Engine, Feature, MemorySink, Overrides
from abmiddleware.sticky import MemoryStickyStore
from tests.recorded import of_units
from tests.web.conftest import MakeSite
from tests.web.sites.site import Response, Site, Visitor
from tests.web.views import BUTTON, COMPANY, EXPERIMENTS

SECRET = "a secret of at least thirty-two characters"  # noqa: S105
OTHER = "another one of at least thirty-two characters"


def is_tester(request: Any) -> object:
    return request.headers.get("x-tester") == "yes"


TESTER = {"x-tester": "yes"}
OVERRIDES = Overrides(SECRET, allow=is_tester)


@pytest.fixture
def site(make_site: MakeSite, sink: MemorySink) -> Site:
    return make_site(Engine(EXPERIMENTS, sink=sink, overrides=OVERRIDES))


@pytest.fixture(params=["control", "one-click"])
def wish(request: pytest.FixtureRequest) -> str:
    """Each variation, of which a visitor has one anyway."""
    return str(request.param)


def signed(wish: str, **scope: Any) -> str:
    return OVERRIDES.token({"checkout-button": wish}, **scope)


def shown_to(visitor: Visitor, path: str = "/run", **headers: str) -> str:
    return visitor.get(
        path, headers={name.replace("_", "-"): headers[name] for name in headers}
    ).text


def undisturbed(make_site: MakeSite, ask: Callable[[Visitor], Response]) -> bool:
    """Tell whether of many visitors some get each variation, whatever they ask for."""
    site = make_site(Engine(EXPERIMENTS, sink=MemorySink(), overrides=OVERRIDES))
    return len({ask(site.visitor()).text for _ in range(40)}) == 2


def test_a_signed_link_shows_its_variation_for_the_whole_visit(
    site: Site, sink: MemorySink, wish: str
) -> None:
    """The pages that follow show it too, until a link ends it; none of them counts."""
    visitor = site.visitor()
    usual = shown_to(visitor)
    sink.clear()

    assert shown_to(visitor, f"/run?page=2&ab_override={signed(wish)}") == wish
    assert [shown_to(visitor) for _ in range(3)] == [wish] * 3
    assert of_units(sink) == []

    assert shown_to(visitor, "/run?ab_override=") == usual
    assert shown_to(visitor) == usual
    assert len(sink.exposures) == 2


def test_a_link_to_a_page_without_experiments_is_kept_for_the_others(site: Site, wish: str) -> None:
    """Nobody knows which page of a site asks."""
    visitor = site.visitor()
    response = visitor.get(f"/quiet?ab_override={signed(wish)}")

    assert [cookie.split("=")[0] for cookie in response.cookies] == ["ab_override"]
    assert response.header("cache-control") == "private"
    assert shown_to(visitor) == wish


def test_a_header_counts_for_its_request_alone(site: Site, sink: MemorySink, wish: str) -> None:
    """As a test of an API sends it."""
    visitor = site.visitor()
    response = visitor.get("/run", headers={"ab-override": signed(wish)})

    assert response.text == wish
    assert not [cookie for cookie in response.cookies if cookie.startswith("ab_override")]
    assert of_units(sink) == []
    shown_to(visitor)
    assert len(sink.exposures) == 1


def test_who_is_allowed_writes_their_own(site: Site, sink: MemorySink, wish: str) -> None:
    """By keys and variations in the URL; the cookie of it is worth nothing to anybody else."""
    visitor = site.visitor()
    link = f"/run-all?ab_override=checkout-button:{wish},terms:30-days"
    assert shown_to(visitor, link, x_tester="yes") == f"{wish} 30-days off"
    assert shown_to(visitor, x_tester="yes") == wish
    assert of_units(sink) == []

    assert "30-days" not in shown_to(visitor, "/run-all")
    assert len(sink.exposures) == 1


def test_nobody_else_writes_their_own(make_site: MakeSite) -> None:
    """By URL, header and cookie."""
    plain = "checkout-button:one-click"

    def by_cookie(visitor: Visitor) -> Response:
        visitor.set_cookie("ab_override", "checkout-button%3Aone-click")
        return visitor.get("/run")

    assert undisturbed(make_site, lambda visitor: visitor.get(f"/run?ab_override={plain}"))
    assert undisturbed(
        make_site, lambda visitor: visitor.get("/run", headers={"ab-override": plain})
    )
    assert undisturbed(make_site, by_cookie)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (Overrides(OTHER).token({"checkout-button": "one-click"}), "not signed here"),
        (signed("one-click")[:-3] + "AAA", "not signed here"),
        (signed("one-click", host="shop.example"), "for the host shop.example"),
        (signed("one-click", path="/other"), "for the path /other"),
        ("nonsense", "not signed here"),
        ("a:b:,", "must be like checkout-button:one-click"),
        ("x" * 2001, "more than 2000 characters"),
        ("%00%ff", "not signed here"),
    ],
    ids=["other secret", "changed", "host", "path", "nonsense", "form", "long", "bytes"],
)
def test_what_is_no_override_changes_nothing(
    make_site: MakeSite, caplog: pytest.LogCaptureFixture, text: str, why: str
) -> None:
    """The page is as usual, and the log says why."""
    assert undisturbed(make_site, lambda visitor: visitor.get(f"/run?ab_override={text}"))
    assert why in caplog.text


def test_an_override_ends_at_its_time(
    site: Site, sink: MemorySink, wish: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for a browser that keeps the cookie, and the cookie lasts no longer."""
    visitor = site.visitor()
    link = f"/run?ab_override={signed(wish, lifetime=600)}"
    cookie = next(one for one in visitor.get(link).cookies if one.startswith("ab_override"))
    age = next(part for part in cookie.split("; ") if part.lower().startswith("max-age"))
    assert 590 <= int(age.split("=")[1]) <= 601

    monkeypatch.setattr("abmiddleware.overrides.now", lambda: 4e9)
    shown_to(visitor, link)
    assert len(sink.exposures) == 1


def test_an_override_is_for_its_paths(site: Site, sink: MemorySink) -> None:
    """With a slash at the end a path has all below it."""
    paths = {f"{prefix}/run-all" for prefix in ("", "/sync", "/async")}
    for path in paths:
        site.visitor().get("/run-all", headers={"ab-override": signed("one-click", path=path)})
    assert len(sink.exposures) == len(paths) - 1

    sink.clear()
    assert shown_to(site.visitor(), ab_override=signed("one-click", path="/")) == "one-click"
    assert sink.records == []


def test_an_override_is_for_its_host(site: Site) -> None:
    """Whatever the port."""
    headers = [signed("one-click", host=host) for host in ("testserver", "localhost")]
    seen = [{shown_to(site.visitor(), ab_override=header) for _ in range(20)} for header in headers]

    assert sorted(map(len, seen)) == [1, 2]
    assert {"one-click"} in seen


def test_a_variation_that_is_not_there_is_told(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """The page shows the control."""
    assert shown_to(site.visitor(), ab_override=signed("two-clicks")) == "control"
    assert (
        "it has no such variation as it is forced into, only 'control', 'one-click'" in caplog.text
    )


def test_no_consent_and_no_bot_keeps_people_from_looking(
    make_site: MakeSite, sink: MemorySink, wish: str
) -> None:
    """Who looks is nobody whose consent matters, and may drive a browser by a program."""
    engine = Engine(EXPERIMENTS, sink=sink, overrides=OVERRIDES, consent=lambda _: False)
    site = make_site(engine)
    link = f"/run-all?ab_override={signed(wish)}"

    assert shown_to(site.visitor(), link, user_agent="HeadlessChrome/130") == f"{wish} now off"
    assert of_units(sink) == []


def test_outcomes_of_who_looks_are_nobodys(site: Site, sink: MemorySink) -> None:
    """A purchase that tests the shop is none of the shop's."""
    assert shown_to(site.visitor(), "/buy", ab_override=signed("control")) == "bought"
    assert sink.records == []


def test_an_override_is_not_sticky(make_site: MakeSite, sink: MemorySink, wish: str) -> None:
    """A visitor is as before when it is over."""
    store = MemoryStickyStore()
    engine = Engine(EXPERIMENTS, sink=sink, overrides=OVERRIDES, sticky=store)
    visitor = make_site(engine).visitor()
    usual = shown_to(visitor)
    shown_to(visitor, ab_override=signed(wish))

    assert shown_to(visitor) == usual


def test_features_take_values(make_site: MakeSite, sink: MemorySink) -> None:
    """A key that names a feature takes JSON, or a plain text."""
    engine = Engine([*EXPERIMENTS, Feature("new-menu", "off")], sink=sink, overrides=OVERRIDES)
    site = make_site(engine)

    assert (
        shown_to(site.visitor(), "/flag", ab_override=OVERRIDES.token({"new-menu": "on"})) == "on"
    )


def test_a_page_that_nobody_overrides_is_as_without(site: Site, sink: MemorySink) -> None:
    """It sets no cookie, and may be cached."""
    response = site.visitor().get("/quiet")

    assert response.cookies == []
    assert response.header("cache-control") == ""
    assert sink.records == []


def test_the_experiments_are_what_they_were() -> None:
    """The tests above rely on two variations in each."""
    assert [len(one.variations) for one in (BUTTON, COMPANY)] == [2, 2]
