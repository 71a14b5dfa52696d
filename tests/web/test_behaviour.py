"""What every framework does alike, through its own client."""

from __future__ import annotations

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from abmiddleware import Engine, Exposure, JournalReader, Link, MemorySink, Outcome
from abmiddleware.exposures.records import ExposureRow, Record
from tests.web.conftest import ASYNC_FRAMEWORKS, MakeSite
from tests.web.sites.site import Site
from tests.web.views import BUTTON, COMPANY, EXPERIMENTS

COOKIE = re.compile(r"ab_id=([A-Za-z0-9_-]{22}\.\d+)(?:;|$)")


def attributes(cookie: str) -> set[str]:
    return {part.strip().lower() for part in cookie.split(";")[1:]}


def test_the_variation_is_stable(site: Site) -> None:
    """A visitor who comes again meets the same variation."""
    visitor = site.visitor()
    texts = {visitor.get("/run").text for _ in range(5)}

    assert len(texts) == 1
    assert texts <= {"control", "one-click"}


def test_visitors_are_split(site: Site) -> None:
    """Different visitors meet different variations."""
    texts = {site.visitor().get("/run").text for _ in range(30)}

    assert texts == {"control", "one-click"}


def test_first_and_second_request_have_one_id(site: Site, sink: MemorySink) -> None:
    """The id that the first request hashes is the one that the browser brings to the second."""
    visitor = site.visitor()
    first, second = visitor.get("/run"), visitor.get("/run")
    ids = {exposure.unit_id for exposure in sink.exposures}

    assert first.text == second.text
    assert len(sink.exposures) == 2
    assert ids == {(visitor.cookie("ab_id") or "").split(".")[0]}


def test_the_cookie_is_set_only_when_new(site: Site) -> None:
    """The first response that used an experiment sets the cookie, the next does not."""
    visitor = site.visitor()
    first, second = visitor.get("/run"), visitor.get("/run")

    assert len(first.cookies) == 1
    assert COOKIE.match(first.cookies[0])
    assert second.cookies == []


def test_the_cookie_is_hardened(site: Site) -> None:
    """The cookie is HttpOnly, SameSite=Lax, for the whole site and for 365 days."""
    cookie = site.visitor().get("/run").cookies[0]

    assert {"httponly", "samesite=lax", "path=/", "max-age=31536000"} <= attributes(cookie)
    assert "secure" not in attributes(cookie)


def test_the_cookie_is_secure_over_https(site: Site) -> None:
    """Over https the cookie is Secure."""
    assert "secure" in attributes(site.visitor().get("/run", secure=True).cookies[0])


@pytest.mark.parametrize(
    "value",
    ["", "null", "undefined", "1", "x" * 5000, "a.b.c", "%00%ff", "A" * 22, "A" * 22 + ".x", '"a"'],
)
def test_a_bad_cookie_is_replaced(site: Site, sink: MemorySink, value: str) -> None:
    """A cookie that is not in our form counts as none: the visitor gets an id of their own."""
    response = site.visitor().get("/run", headers={"cookie": f"ab_id={value}"})

    assert response.status == 200
    assert COOKIE.match(response.cookies[0])
    assert sink.exposures[0].unit_id not in value


def test_an_old_cookie_is_renewed_with_its_id(site: Site, sink: MemorySink) -> None:
    """A cookie that has lived for a third of its time is set anew, for the same visitor."""
    visitor = site.visitor()
    visitor.set_cookie("ab_id", "AbCdEfGhIjKlMnOpQrStUg.19000")
    response = visitor.get("/run")

    assert response.cookies[0].startswith("ab_id=AbCdEfGhIjKlMnOpQrStUg.")
    assert ".19000" not in response.cookies[0]
    assert sink.exposures[0].unit_id == "AbCdEfGhIjKlMnOpQrStUg"


@pytest.mark.parametrize(
    "view", ["run", "run-by-key", "run-nobody", "peek", "run-and-stream", "stream"]
)
def test_a_response_that_asked_varies_by_cookie(site: Site, view: str) -> None:
    """A response that depends on who asks is for nobody else, whatever they were assigned."""
    visitor = site.visitor()
    for _ in range(2):
        response = visitor.get(f"/{view}")

        assert response.header("vary") == "Cookie"
        assert response.header("cache-control") == "private"


@pytest.mark.parametrize("view", ["bare", "quiet-stream"])
@pytest.mark.parametrize("with_cookie", [False, True], ids=["newcomer", "returning"])
def test_a_response_that_asked_nothing_is_byte_identical(
    make_site: MakeSite, engine: Engine, view: str, with_cookie: bool
) -> None:
    """Without a question the response is the one of an application without the middleware."""
    headers = {"cookie": "ab_id=AbCdEfGhIjKlMnOpQrStUg.19000"} if with_cookie else None
    ours = make_site(engine).visitor().get(f"/{view}", headers=headers)
    bare = make_site(None).visitor().get(f"/{view}", headers=headers)

    assert ours == bare


def test_touching_the_client_asks_nothing(site: Site, sink: MemorySink) -> None:
    """A view that only holds the client sets no cookie and no header."""
    response = site.visitor().get("/quiet")

    assert response.cookies == []
    assert response.header("vary") == ""
    assert response.header("cache-control") == ""
    assert sink.records == []


def test_a_public_response_stays_public(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """A view that says `public` keeps its word, but hands no visitor's id to a cache."""
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        response = site.visitor().get("/public")

    assert response.header("cache-control") == "public, max-age=60"
    assert response.header("vary") == "Cookie"
    assert response.cookies == []
    assert "shared caches may serve it" in caplog.text


def test_an_age_alone_gets_private(site: Site) -> None:
    """A view that only gives an age keeps it, in the visitor's own cache."""
    assert site.visitor().get("/aged").header("cache-control") == "max-age=60, private"


def test_what_the_view_said_is_kept(site: Site) -> None:
    """`no-store` is not weakened, and `Vary` keeps what it names."""
    response = site.visitor().get("/unstored")

    assert response.header("cache-control") == "no-store"
    assert response.header("vary") == "Accept-Language, Cookie"


@pytest.mark.parametrize("view", ["run", "run-often", "threads", "peek-and-expose"])
def test_one_exposure_per_request(site: Site, sink: MemorySink, view: str) -> None:
    """However often one request asks, even from 50 threads, it exposes once with one answer."""
    visitor = site.visitor()
    response = visitor.get(f"/{view}")
    values = set(response.text.split()) if view != "run-often" else set(response.text)

    assert response.status == 200
    assert len(values) == 1
    assert [exposure.experiment_key for exposure in sink.exposures] == ["checkout-button"]
    assert sink.exposures[0].unit_id == (visitor.cookie("ab_id") or "").split(".")[0]


@pytest.mark.parametrize("make_site", ASYNC_FRAMEWORKS, indirect=True)
def test_one_exposure_from_fifty_tasks(site: Site, sink: MemorySink) -> None:
    """Fifty tasks of one request get one answer and expose once."""
    response = site.visitor().get("/gather")

    assert response.text in ("control", "one-click")
    assert len(sink.exposures) == 1


def test_a_peek_exposes_nothing(site: Site, sink: MemorySink) -> None:
    """Peeking assigns the variation that a run gives, and records nothing."""
    visitor = site.visitor()
    peeked = visitor.get("/peek").text

    assert sink.records == []
    assert peeked == visitor.get("/run").text


def test_who_is_left_out_is_not_exposed(site: Site, sink: MemorySink) -> None:
    """A visitor whom coverage leaves out gets the control and no exposure."""
    assert site.visitor().get("/run-nobody").text == "off"
    assert sink.records == []


def test_the_exposure_survives_an_exception(site: Site, sink: MemorySink) -> None:
    """A view that fails after it ran an experiment still has exposed."""
    response = site.visitor().get("/raises")

    assert response.status == 500
    assert len(sink.exposures) == 1


@pytest.mark.parametrize("view", ["stream", "run-and-stream"])
def test_a_streaming_response_is_recorded(site: Site, sink: MemorySink, view: str) -> None:
    """An experiment that runs in a streamed body is exposed once, for the visitor's own id."""
    visitor = site.visitor()
    response = visitor.get(f"/{view}")

    assert len(set(response.text.removeprefix("begin ").replace("lo", "l o").split())) <= 2
    assert len(sink.exposures) == 1
    assert sink.exposures[0].unit_id == (visitor.cookie("ab_id") or "").split(".")[0]


def test_a_stream_without_identity_warns(
    site: Site, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """An id that is issued when the headers are gone cannot be kept: the log says the mend."""
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        response = site.visitor().get("/late")

    assert response.text in ("control", "one-click")
    assert response.cookies == []
    assert "ensure_identity()" in caplog.text


def test_two_visitors_at_once_keep_apart(site: Site) -> None:
    """Two requests in flight at one time each see their own id and variation."""
    visitors = [site.visitor(), site.visitor()]
    with ThreadPoolExecutor(2) as pool:
        replies = list(pool.map(lambda visitor: visitor.get("/meet").text.split(), visitors))

    for visitor, (first, again, unit) in zip(visitors, replies, strict=True):
        assert first == again == visitor.get("/run").text
        assert unit == (visitor.cookie("ab_id") or "").split(".")[0]
    assert replies[0][2] != replies[1][2]


def test_an_attribute_of_the_request_is_the_unit(site: Site, sink: MemorySink) -> None:
    """An experiment by company gives all visitors of a company one variation, and no cookie."""
    headers = {"x-company": "acme"}
    responses = [site.visitor().get("/run-company", headers=headers) for _ in range(5)]

    assert len({response.text for response in responses}) == 1
    assert {exposure.unit_id for exposure in sink.exposures} == {"acme"}
    assert all(response.cookies == [] for response in responses)


def test_without_the_attribute_nobody_is_in(site: Site, sink: MemorySink) -> None:
    """A visitor without a company gets the control of an experiment by company."""
    assert site.visitor().get("/run-company").text == "now"
    assert sink.records == []


def test_an_outcome_carries_the_ids_of_all_units(site: Site, sink: MemorySink) -> None:
    """A purchase counts for the experiments by visitor and for those by company."""
    visitor = site.visitor()
    visitor.get("/run")
    visitor.get("/buy", headers={"x-company": "acme"})
    outcome = sink.outcomes[0]

    assert (outcome.event, outcome.value) == ("purchase", 42.5)
    assert outcome.properties == {"currency": "EUR"}
    assert outcome.unit_ids == {"id": sink.exposures[0].unit_id, "company": "acme"}


def test_an_outcome_first_gives_an_id(site: Site, sink: MemorySink) -> None:
    """A newcomer whose first request is an outcome keeps the id that it was recorded for."""
    visitor = site.visitor()
    response = visitor.get("/buy")

    assert len(response.cookies) == 1
    assert response.header("cache-control") == "private"
    assert sink.outcomes[0].unit_ids["id"] == (visitor.cookie("ab_id") or "").split(".")[0]


def test_a_login_links_and_does_not_flip(site: Site, sink: MemorySink) -> None:
    """A login keeps the variation, and records visitor and user together once."""
    before, after = site.visitor().get("/log-in").text.split()
    kinds = [type(record) for record in sink.records]
    link = sink.records[-1]

    assert before == after
    assert kinds == [Exposure, Link]
    assert isinstance(link, Link)
    assert (link.id_a, link.id_b) == (sink.exposures[0].unit_id, "7")


class BrokenSink:
    def write(self, records: object, /) -> None:
        raise OSError("the sink is broken")


def test_a_broken_sink_breaks_no_page(
    make_site: MakeSite, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the sink does, the page is served, and the loss is counted and logged."""
    engine = Engine(EXPERIMENTS, sink=BrokenSink())
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        response = make_site(engine).visitor().get("/run")

    assert response.status == 200
    assert response.text in ("control", "one-click")
    assert engine.lost == {"sink failed": 1}
    assert "the sink is broken" in caplog.text


def test_an_unknown_key_is_an_error_in_tests(site: Site) -> None:
    """In debug and under pytest a key that nothing knows raises."""
    assert site.visitor().get("/unknown").status == 500


def test_an_unknown_key_breaks_no_page_in_production(
    make_site: MakeSite, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """In production it is outside of the experiment, and logged once with the nearest keys."""
    site = make_site(Engine(EXPERIMENTS, sink=sink, strict=False))
    visitor = site.visitor()
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        responses = [visitor.get("/unknown") for _ in range(3)]

    assert {response.text for response in responses} == {"None"}
    assert responses[0].cookies == []
    assert caplog.text.count("did you mean 'checkout-button'?") == 1
    assert sink.records == []


def test_the_journal_holds_it_before_the_response_ends(make_site: MakeSite, tmp_path: Path) -> None:
    """When the response is there, its exposures are on disk, in one write of all of them."""
    journal = tmp_path / "journal.jsonl"
    site = make_site(
        Engine(
            [BUTTON, COMPANY],
            journal=journal,
            attributes={"company": lambda request: request.headers.get("x-company")},
        )
    )
    visitor = site.visitor()
    visitor.get("/run-all", headers={"x-company": "acme"})
    rows: list[Record | object] = list(JournalReader(journal))
    units = [(row.experiment_key, row.unit_id) for row in rows if isinstance(row, ExposureRow)]
    visitor_id = (visitor.cookie("ab_id") or "").split(".")[0]

    assert units == [("checkout-button", visitor_id), ("terms", "acme")]
    assert journal.read_bytes().count(b"\n\n") == 0
    assert not any(isinstance(row, Outcome) for row in rows)
