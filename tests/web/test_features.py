"""Features in every framework, through its own client."""

from __future__ import annotations

from typing import Any

import pytest

from abmiddleware import Engine, Experiment, Feature, MemorySink, Prerequisite, Rule
from tests.web.conftest import MakeSite
from tests.web.sites.site import Site

TEST = Experiment("menu-test", ["old", "new"], hash_version=2)
MENU = Feature(
    "new-menu", "none", rules=[Rule(key="menu-test", variations=["old", "new"], hash_version=2)]
)
CHILD = Feature("child", 0, rules=[Rule(force=1, prerequisites=[Prerequisite("new-menu")])])
DEFINITIONS: list[Any] = [TEST, MENU, CHILD]


@pytest.fixture
def engine(sink: MemorySink) -> Engine:
    return Engine(DEFINITIONS, sink=sink)


def test_a_visitor_keeps_a_features_value(site: Site, sink: MemorySink) -> None:
    """A visitor who comes again meets the same value, and every request exposes once."""
    visitor = site.visitor()
    texts = [visitor.get("/flag").text for _ in range(4)]

    assert len(set(texts)) == 1
    assert {site.visitor().get("/flag").text for _ in range(30)} == {"old", "new"}
    assert [each.feature_key for each in sink.exposures[:4]] == ["new-menu"] * 4
    assert {each.unit_id for each in sink.exposures[:4]} == {
        (visitor.cookie("ab_id") or "").split(".")[0]
    }


def test_a_response_with_a_feature_is_the_visitors_own(site: Site) -> None:
    """The first response sets the cookie, and all keep caches from handing them on."""
    visitor = site.visitor()
    first, second = visitor.get("/flag"), visitor.get("/flag")

    assert [len(response.cookies) for response in (first, second)] == [1, 0]
    for response in (first, second):
        assert (response.header("vary"), response.header("cache-control")) == ("Cookie", "private")


def test_many_features_of_one_test_expose_once(site: Site, sink: MemorySink) -> None:
    """Features, prerequisites and a run that meet one experiment in a request expose it once."""
    visitor = site.visitor()
    texts = {visitor.get("/flags").text for _ in range(3)}

    assert len(texts) == 1
    assert texts <= {"[True, True, True] old", "[True, True, True] new"}
    assert [each.experiment_key for each in sink.exposures] == ["menu-test"] * 3


def test_fifty_threads_of_a_view_expose_once(site: Site, sink: MemorySink) -> None:
    """A view that asks from fifty threads gives one value and one exposure."""
    visitor = site.visitor()
    for _ in range(2):
        assert visitor.get("/flag-threads").text in ("old", "new")

    assert len(sink.exposures) == 2
    assert {each.unit_id for each in sink.exposures} == {
        (visitor.cookie("ab_id") or "").split(".")[0]
    }


def test_an_unknown_feature_breaks_no_page_in_production(
    make_site: MakeSite, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """The view gets its default, and the log one line."""
    site = make_site(Engine(sink=sink, strict=False))
    texts = {site.visitor().get("/flag").text for _ in range(3)}

    assert texts == {"default"}
    assert caplog.text.count("'new-menu' is configured") == 1
