"""Decorated handlers of every framework, sync and async, through its own client."""

from __future__ import annotations

import logging

import pytest

from abmiddleware import Engine, Experiment, MemorySink
from tests.recorded import of_units
from tests.web.conftest import HANDLERS, MakeSite
from tests.web.sites.site import Site

pytestmark = pytest.mark.parametrize("make_site", HANDLERS, indirect=True)

PATHS = [
    "decorated",
    "decorated-by-key",
    "dispatched",
    "dispatched-by-key",
    "class-method",
    "class-dispatched",
]
#: The third variation has no handler.
THREE = Experiment("three", ["a", "b", "c"], hash_version=2)


def texts(site: Site, path: str, visitors: int = 30) -> set[str]:
    return {site.visitor().get(path).text for _ in range(visitors)}


def has(site: Site, path: str) -> bool:
    """Tell whether a framework has such handlers: FastAPI's are functions."""
    return site.visitor().send("HEAD", f"/{path}").status != 404


@pytest.mark.parametrize("path", PATHS)
def test_a_handler_serves_the_visitors_variation(site: Site, sink: MemorySink, path: str) -> None:
    """A visitor keeps the variation, each visit is exposed once, and nobody else is served it."""
    if path.startswith("class") and not has(site, path):
        path = "decorated"
    visitor = site.visitor()
    responses = [visitor.get(f"/{path}") for _ in range(3)]
    ids = {each.unit_id for each in sink.exposures}

    assert {response.status for response in responses} == {200}
    assert len({response.text for response in responses}) == 1
    assert {response.header("cache-control") for response in responses} == {"private"}
    assert ids == {(visitor.cookie("ab_id") or "").split(".")[0]}
    assert len(sink.exposures) == 3
    index = {"control": 0, "one-click": 1}[responses[0].text]
    assert {each.variation_id for each in sink.exposures} == {index}
    assert texts(site, f"/{path}") == {"control", "one-click"}


@pytest.mark.parametrize("path", ["decorated", "dispatched"])
def test_head_leaves_no_record(site: Site, sink: MemorySink, path: str) -> None:
    """HEAD is answered as GET is, and counts for nothing."""
    visitor = site.visitor()
    response = visitor.send("HEAD", f"/{path}")

    assert response.status == 200
    assert visitor.cookie("ab_id")
    assert of_units(sink) == []


@pytest.mark.parametrize("path", ["decorated-unknown", "dispatched-unknown", "dispatched-partly"])
def test_a_mistake_is_an_error_in_tests(make_site: MakeSite, path: str) -> None:
    """In debug and under pytest an unknown key raises, and a variation without a handler."""
    assert make_site(Engine([THREE], sink=MemorySink())).visitor().get(f"/{path}").status == 500


@pytest.mark.parametrize(
    ("path", "text"), [("decorated-unknown", "default"), ("dispatched-unknown", "control")]
)
def test_an_unknown_key_serves_the_control_in_production(
    make_site: MakeSite, sink: MemorySink, path: str, text: str
) -> None:
    """What no configuration knows serves the handler's own default, or the control's handler."""
    site = make_site(Engine([THREE], sink=sink, strict=False))

    assert texts(site, f"/{path}", 3) == {text}
    assert sink.records == []


def test_a_variation_without_a_handler_serves_the_control_in_production(
    make_site: MakeSite, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """Who is in it meets the control and is not exposed; the log says so once."""
    site = make_site(Engine([THREE], sink=sink, strict=False))
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        shown = texts(site, "/dispatched-partly")

    assert shown == {"control", "one-click"}
    assert {each.variation_id for each in sink.exposures} == {0, 1}
    assert 0 < len(sink.exposures) < 30
    assert caplog.text.count("variation 'c' has none") == 1
