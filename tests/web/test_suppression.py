"""Requests that are answered, and do not count, in every framework."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from abmiddleware import Engine, MemorySink, Suppression, has_gpc
from tests.recorded import of_units
from tests.web.conftest import MakeSite
from tests.web.sites.site import Site, Visitor
from tests.web.views import EXPERIMENTS

CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
PHONE = "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 Chrome/120.0 Mobile"


def known(site: Site, sink: MemorySink) -> tuple[Visitor, str]:
    """Return a visitor who was there before, and the variation that they met."""
    visitor = site.visitor()
    shown = visitor.get("/run").text
    sink.clear()
    return visitor, shown


def test_who_was_there_meets_the_same_variation_uncounted(
    site: Site, engine: Engine, sink: MemorySink, uncounted: dict[str, str]
) -> None:
    """A page that is loaded ahead, or by a bot, shows what it would show to its visitor."""
    for _ in range(4):
        visitor, shown = known(site, sink)
        assert visitor.get("/run", headers=uncounted).text == shown

    assert sink.records == []
    assert engine.health().suppressed == {
        "excluded" if "user-agent" in uncounted else "prefetch": 4
    }


@pytest.fixture(
    params=[
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-moz", "prefetch"),
        ("x-purpose", "preview"),
        ("user-agent", CRAWLER),
    ],
    ids=["prefetch", "prerender", "purpose", "x-moz", "preview", "bot"],
)
def uncounted(request: pytest.FixtureRequest) -> dict[str, str]:
    """A header of requests that do not count."""
    return dict([request.param])


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_what_shows_nothing_is_not_counted(
    site: Site, engine: Engine, sink: MemorySink, method: str
) -> None:
    """A request for headers gets what a GET would, a new visitor's id too, and is not recorded."""
    visitor = site.visitor()
    response = visitor.send(method, "/run")

    assert (response.status, len(response.cookies)) == (200, 1)
    assert of_units(sink) == []
    assert engine.health().suppressed == {"method": 1}
    visitor.get("/run")
    assert sink.exposures[0].unit_id == (visitor.cookie("ab_id") or "").split(".")[0]


def test_a_bot_gets_the_control_and_no_cookie(site: Site, sink: MemorySink) -> None:
    """One that brings no cookie never does, so it would meet another variation each time."""
    responses = [site.visitor().get("/run", headers={"user-agent": CRAWLER}) for _ in range(8)]

    assert {response.text for response in responses} == {"control"}
    assert all(response.cookies == [] for response in responses)
    assert of_units(sink) == []


def test_bots_are_counted_by_experiment(site: Site, engine: Engine, sink: MemorySink) -> None:
    """Those that bring no cookie, too; the sums of a minute are written in one record."""
    for _ in range(8):
        site.visitor().get("/run", headers={"user-agent": CRAWLER})
    engine.close()
    told = [record for record in sink.records if isinstance(record, Suppression)]

    assert {(one.experiment_key, one.phase, one.reason) for one in told} == {
        ("checkout-button", 0, "excluded")
    }
    assert [one.count for one in told] == [1, 7]


def test_what_a_bot_does_is_no_error(site: Site, engine: Engine, sink: MemorySink) -> None:
    """An outcome of nobody is suppressed, also where a slip would raise."""
    response = site.visitor().get("/buy", headers={"user-agent": CRAWLER})

    assert (response.status, response.text) == (200, "bought")
    assert sink.records == []
    assert engine.health().suppressed == {"excluded": 1}
    assert engine.health().lost == {}


def test_people_are_no_bots(site: Site, sink: MemorySink) -> None:
    """A telephone that is called CUBOT is one."""
    site.visitor().get("/run", headers={"user-agent": PHONE})

    assert len(sink.exposures) == 1


Predicate = Callable[[Any], object]


def inner(request: Any) -> object:
    return request.headers.get("x-inner")


def fails(request: Any) -> object:
    raise KeyError(request.headers["x-inner"])


def test_a_team_says_who_is_excluded(make_site: MakeSite, sink: MemorySink) -> None:
    """A predicate of the team's takes the place of the ready one; bots count then."""
    site = make_site(Engine(EXPERIMENTS, sink=sink, exclude=inner))
    site.visitor().get("/run", headers={"x-inner": "1"})
    assert of_units(sink) == []

    site.visitor().get("/run", headers={"user-agent": CRAWLER})
    assert len(sink.exposures) == 1


@pytest.mark.parametrize("path", ["/run", "/"])
def test_exempt_paths_are_not_counted(make_site: MakeSite, sink: MemorySink, path: str) -> None:
    """A path is itself alone, and with a slash at the end all below it."""
    exempt = [path] if path == "/" else [f"{prefix}{path}" for prefix in ("", "/sync", "/async")]
    engine = Engine(EXPERIMENTS, sink=sink, exempt_paths=exempt)
    visitor = make_site(engine).visitor()
    first = visitor.get("/run")

    assert len(first.cookies) == 1
    assert of_units(sink) == []
    assert engine.health().suppressed == {"exempt_path": 1}
    visitor.get("/run-often")
    assert len(sink.exposures) == (0 if path == "/" else 1)


def test_prefetched_pages_count_where_a_team_says_so(make_site: MakeSite, sink: MemorySink) -> None:
    """A page that is shown without a second request would else never count."""
    site = make_site(Engine(EXPERIMENTS, sink=sink, count_prefetch=True))
    site.visitor().get("/run", headers={"sec-purpose": "prefetch"})

    assert len(sink.exposures) == 1


def consents(request: Any) -> object:
    return request.headers.get("x-consent") == "yes"


@pytest.mark.parametrize("view", ["run", "run-all", "log-in", "buy", "stream", "threads"])
def test_without_consent_nothing_is_kept(make_site: MakeSite, sink: MemorySink, view: str) -> None:
    """No cookie is read or set, every experiment serves its control, and nothing is recorded."""
    engine = Engine(
        EXPERIMENTS, sink=sink, consent=consents, attributes={"company": lambda _: "acme"}
    )
    site = make_site(engine)
    visitors = [site.visitor() for _ in range(6)]
    for visitor in visitors:
        visitor.get("/run", headers={"x-consent": "yes"})
    kept = [visitor.cookie("ab_id") for visitor in visitors]
    sink.clear()
    responses = [
        visitor.get(f"/{view}") for visitor in [*visitors, *(site.visitor() for _ in "ab")]
    ]

    assert {response.status for response in responses} == {200}
    assert all("one-click" not in response.text for response in responses)
    assert all("30-days" not in response.text for response in responses)
    assert all(response.cookies == [] for response in responses)
    assert sink.records == []
    assert [visitor.cookie("ab_id") for visitor in visitors] == kept


def test_a_page_without_consent_is_nobody_elses(make_site: MakeSite, sink: MemorySink) -> None:
    """A cache must not serve the control to those who gave consent."""
    site = make_site(Engine(EXPERIMENTS, sink=sink, consent=consents))
    response = site.visitor().get("/run")

    assert response.header("cache-control") == "private"
    assert "Cookie" in response.header("vary")


def test_consent_that_is_given_later_counts_from_then(
    make_site: MakeSite, sink: MemorySink
) -> None:
    """The next request is as a newcomer's."""
    visitor = make_site(Engine(EXPERIMENTS, sink=sink, consent=consents)).visitor()
    visitor.get("/run")
    response = visitor.get("/run", headers={"x-consent": "yes"})

    assert len(response.cookies) == 1
    assert len(sink.exposures) == 1


def test_global_privacy_control_may_be_asked_for(make_site: MakeSite, sink: MemorySink) -> None:
    """The ready predicate reads the browser's header in every framework."""
    engine = Engine(EXPERIMENTS, sink=sink, consent=lambda request: not has_gpc(request))
    site = make_site(engine)
    site.visitor().get("/run", headers={"sec-gpc": "1"})
    assert sink.records == []

    site.visitor().get("/run")
    assert len(sink.exposures) == 1


def test_a_predicate_that_fails_breaks_no_page(
    make_site: MakeSite, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """Consent that cannot be asked for is none; who cannot be excluded counts."""
    site = make_site(Engine(EXPERIMENTS, sink=sink, consent=fails))
    assert site.visitor().get("/run").text == "control"
    assert sink.records == []
    assert "consent counts as false: its function raised" in caplog.text

    site = make_site(Engine(EXPERIMENTS, sink=sink, exclude=fails))
    assert site.visitor().get("/run").status == 200
    assert len(sink.exposures) == 1


@pytest.mark.parametrize("text", ["", "null", "undefined", "None", "AnonymousUser"])
def test_the_text_of_a_missing_id_is_none(
    make_site: MakeSite, sink: MemorySink, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    """Else all whose id is missing would be one visitor, with one variation."""
    attributes = {"id": lambda request: request.headers.get("x-visitor")}
    site = make_site(Engine(EXPERIMENTS, sink=sink, attributes=attributes))
    assert site.visitor().get("/run", headers={"x-visitor": text}).text == "control"
    assert sink.records == []
    assert f"attribute 'id' counts as missing: {text!r}" in caplog.text

    site.visitor().get("/run", headers={"x-visitor": "u1"})
    assert [exposure.unit_id for exposure in sink.exposures] == ["u1"]
