"""What every request tells by itself, the same in every framework."""

from __future__ import annotations

from typing import Any

import pytest

from abmiddleware import Engine, IdHeader, MemorySink
from tests.web.conftest import MakeSite
from tests.web.sites.site import Site
from tests.web.views import BUTTON, EXPERIMENTS

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.1 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36 Edg/130.0.2849.80"
)
NAMES = [
    *("url", "path", "host", "method", "query", "utm_source", "utmSource", "utm_campaign"),
    *("language", "country", "browser", "device_type", "deviceType", "browser_name"),
    *("browser_version", "os", "os_version", "device"),
]


def told(make_site: MakeSite, path: str, headers: dict[str, str], **options: Any) -> dict[str, Any]:
    """Return the attributes that an exposure on a page is recorded with."""
    sink = MemorySink()
    engine = Engine(EXPERIMENTS, sink=sink, record_attributes=NAMES, **options)
    assert make_site(engine).visitor().get(path, headers=headers).status == 200
    (exposure,) = sink.exposures
    return exposure.attributes


def test_a_page_tells_where_it_is_and_where_its_visitor_came_from(make_site: MakeSite) -> None:
    """As the browser's SDK of GrowthBook has it, with its names beside ours."""
    found = told(make_site, "/run?utm_source=a%20b&utm_campaign=x&utm_source=c&q=%FF", {})

    assert found["query"] == "?utm_source=a%20b&utm_campaign=x&utm_source=c&q=%FF"
    assert found["path"].endswith("/run")
    assert found["url"] == f"http://{found['host']}{found['path']}{found['query']}"
    assert found["method"] == "GET"
    assert (found["utm_source"], found["utmSource"], found["utm_campaign"]) == ("a b", "a b", "x")


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (IPHONE, ["safari", "mobile", "Mobile Safari", "17.1", "iOS", "17.1", "iPhone"]),
        (EDGE, ["edge", "desktop", "Edge", "130.0.2849", "Windows", "10", None]),
        ("shop-app/3 okhttp/4.9", ["unknown", "desktop", "okhttp", "4.9", None, None, None]),
        ("x" * 9000, ["unknown", "desktop", None, None, None, None, None]),
    ],
    ids=["iphone", "edge", "app", "nonsense"],
)
def test_a_browser_tells_what_it_is(make_site: MakeSite, agent: str, expected: list[Any]) -> None:
    """Its kind as GrowthBook's SDK sees it, its version and system as ua-parser does."""
    found = told(make_site, "/run", {"user-agent": agent})

    names = ["browser", "deviceType", "browser_name", "browser_version", "os", "os_version"]
    assert [found[name] for name in [*names, "device"]][: len(expected)] == expected
    assert found["device_type"] == found["deviceType"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de-AT"),
        ("en;q=0.2, nl;q=0.9", "nl"),
        ("*", None),
        ("", None),
        ("en;q=0", None),
        (";;q=,,x y;q=1;2", None),
        ("en;q=9e9,fr;q=0.1", "fr"),
    ],
)
def test_the_language_is_what_the_browser_wants_most(
    make_site: MakeSite, header: str, language: str | None
) -> None:
    """A header that is none tells none."""
    assert told(make_site, "/run", {"accept-language": header})["language"] == language


@pytest.mark.parametrize(
    ("header", "country"), [("nl", "NL"), ("XX", None), ("T1", None), ("", None), ("NLD", None)]
)
def test_a_cdn_tells_the_country(make_site: MakeSite, header: str, country: str | None) -> None:
    """By the header that the team names, and by no other."""
    headers = {"cf-ipcountry": header, "x-country": "DE"}

    assert told(make_site, "/run", headers, country_header="CF-IPCountry")["country"] == country
    assert told(make_site, "/run", headers)["country"] is None


def test_what_a_team_gives_comes_first(make_site: MakeSite) -> None:
    """By a function of its own, as always."""
    attributes = {"language": lambda _: "eo", "country": lambda _: "NL"}

    assert told(make_site, "/run", {}, attributes=attributes)["language"] == "eo"
    assert told(make_site, "/run", {}, attributes=attributes)["country"] == "NL"


def is_gateway(request: Any) -> object:
    return request.headers.get("x-gateway") == "secret"


@pytest.fixture
def gateway(make_site: MakeSite, sink: MemorySink) -> Site:
    """A site behind a gateway that knows its visitors."""
    header = IdHeader("X-Device-Id", trusted=is_gateway)
    return make_site(Engine(EXPERIMENTS, sink=sink, id_header=header))


def test_a_gateway_tells_who_visits(gateway: Site, sink: MemorySink) -> None:
    """And no cookie is set, nor read."""
    headers = {"x-device-id": "d-1", "x-gateway": "secret"}
    visitor = gateway.visitor()
    responses = [visitor.get("/run", headers=headers) for _ in range(2)]
    visitor.get("/buy", headers=headers)

    assert [response.cookies for response in responses] == [[], []]
    assert [one.unit_id for one in sink.exposures] == ["d-1", "d-1"]
    assert sink.outcomes[0].unit_ids == {"id": "d-1"}
    expected = Engine(EXPERIMENTS, sink=MemorySink()).client(id="d-1").run(BUTTON).value
    assert {response.text for response in responses} == {expected}


@pytest.mark.parametrize(
    "headers",
    [
        {"x-device-id": "d-1"},
        {"x-device-id": "d-1", "x-gateway": "guess"},
        {"x-device-id": "", "x-gateway": "secret"},
        {"x-device-id": "undefined", "x-gateway": "secret"},
        {"x-device-id": "a b", "x-gateway": "secret"},
        {"x-device-id": "d" * 129, "x-gateway": "secret"},
    ],
    ids=["nobody", "guess", "empty", "undefined", "space", "long"],
)
def test_nobody_else_does(gateway: Site, sink: MemorySink, headers: dict[str, str]) -> None:
    """A header of anybody's is no id, nor is one that is none; the cookie is."""
    response = gateway.visitor().get("/run", headers=headers)

    assert len(response.cookies) == 1
    assert len(sink.exposures[0].unit_id) == 22
