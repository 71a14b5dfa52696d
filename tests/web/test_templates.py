"""Templates of every framework, sync and async, through its own client."""

from __future__ import annotations

import pytest

from abmiddleware import Engine, MemorySink
from tests.recorded import of_units
from tests.web.conftest import HANDLERS, MakeSite
from tests.web.sites.site import Site
from tests.web.views import BUTTON, EXPERIMENTS, MARKUP

VALUES = {"control", "one-click"}

#: The templates of each framework; Django has those of Jinja besides its own.
KINDS = [(site, "/template") for site in HANDLERS]
KINDS += [(site, "/jinja-template") for site in HANDLERS if site.startswith("django")]

pytestmark = pytest.mark.parametrize(
    ("make_site", "prefix"),
    KINDS,
    indirect=["make_site"],
    ids=[f"{site}{prefix.replace('/', '-')}" for site, prefix in KINDS],
)


@pytest.mark.parametrize("name", ["shown", "macro", "stream"])
def test_a_template_shows_the_variation(
    site: Site, sink: MemorySink, prefix: str, name: str
) -> None:
    """A visitor keeps the variation that the page shows, and each visit is exposed once."""
    visitor = site.visitor()
    texts = {visitor.get(f"{prefix}-{name}").text for _ in range(3)}
    ids = {each.unit_id for each in sink.exposures}

    assert len(texts) == 1
    assert len({*texts.pop().split()} & VALUES) == 1
    assert ids == {(visitor.cookie("ab_id") or "").split(".")[0]}
    assert len(sink.exposures) == 3
    everybody = [site.visitor().get(f"{prefix}-{name}").text for _ in range(30)]
    assert {word for text in everybody for word in text.split()} == VALUES


def test_a_page_that_shows_it_is_the_visitors_own(site: Site, prefix: str) -> None:
    """A template that asks while it is rendered sets the cookie and keeps caches out."""
    response = site.visitor().get(f"{prefix}-shown")

    assert len(response.cookies) == 1
    assert (response.header("vary"), response.header("cache-control")) == ("Cookie", "private")


def test_decorator_template_and_view_expose_once(site: Site, sink: MemorySink, prefix: str) -> None:
    """All that ask for one experiment in a request get one answer, which counts once."""
    for number in range(1, 6):
        words = site.visitor().get(f"{prefix}-often").text.split()

        assert len(words) == 4
        assert len(set(words)) == 1
        assert words[0] in VALUES
        assert len(sink.exposures) == number


@pytest.mark.parametrize("name", ["shown", "often"])
def test_head_leaves_no_record(site: Site, sink: MemorySink, prefix: str, name: str) -> None:
    """HEAD renders the page, and counts for nothing."""
    visitor = site.visitor()

    assert visitor.send("HEAD", f"{prefix}-{name}").status == 200
    assert visitor.cookie("ab_id")
    assert of_units(sink) == []


@pytest.mark.parametrize("with_cookie", [False, True], ids=["newcomer", "returning"])
def test_a_template_that_asks_nothing_is_byte_identical(
    make_site: MakeSite, engine: Engine, prefix: str, with_cookie: bool
) -> None:
    """With tags, globals and context processors in place, such a page stays good for caches."""
    headers = {"cookie": "ab_id=AbCdEfGhIjKlMnOpQrStUg.19000"} if with_cookie else None
    ours = make_site(engine).visitor().get(f"{prefix}-quiet", headers=headers)
    bare = make_site(None).visitor().get(f"{prefix}-quiet", headers=headers)

    assert ours == bare
    assert ours.text == "nothing asked"


def test_values_are_escaped(make_site: MakeSite, prefix: str) -> None:
    """A value is shown as any of a template's is: its markup does nothing."""
    site = make_site(Engine([MARKUP], sink=MemorySink()))

    assert {site.visitor().get(f"{prefix}-markup").text for _ in range(30)} == {
        "&lt;b&gt;old&lt;/b&gt;",
        "&lt;i&gt;new&lt;/i&gt;",
    }


def test_an_unknown_key_is_an_error_in_tests(site: Site, prefix: str) -> None:
    """In debug and under pytest the page fails, and tells the nearest keys."""
    assert site.visitor().get(f"{prefix}-unknown").status == 500


def test_an_unknown_key_shows_nothing_in_production(
    make_site: MakeSite, sink: MemorySink, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In production the page is served without, and the log says so once."""
    site = make_site(Engine(EXPERIMENTS, sink=sink, strict=False))

    assert {site.visitor().get(f"{prefix}-unknown").text for _ in range(3)} == {"[]"}
    assert caplog.text.count("did you mean 'checkout-button'?") == 1
    assert BUTTON.key in caplog.text
