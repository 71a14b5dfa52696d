"""Redirects through a client: who is sent where, and what is recorded of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from abmiddleware import ConfigurationError, Engine, Experiment, ExperimentClient, MemorySink
from abmiddleware.evaluation.document import Document
from abmiddleware.evaluation.payload import read_payload
from abmiddleware.sources import SourceStatus
from abmiddleware.sticky import MemoryStickyStore
from tests import request_facts
from tests.recorded import of_units

PAGE = "http://shop.example/old?a=1&b=2"


class Payload:
    """A source of one payload, as it would come of GrowthBook's API."""

    def __init__(self, payload: object, name: str = "payload") -> None:
        self.name = name
        self.document: Document | None = read_payload(payload)

    def open(self, changed: Callable[[], None]) -> None:
        """Do nothing: it is there."""

    def look(self) -> None:
        """Do nothing: it does not change."""

    def status(self) -> SourceStatus:
        return SourceStatus(name=self.name, ready=self.document is not None)

    def close(self, timeout: float = 5.0) -> None:
        """Do nothing."""


class Page(request_facts.Page):
    """The facts of a request by the visitor `u1`."""

    def __init__(self, url: str = PAGE, method: str = "GET") -> None:
        super().__init__(url, method, cookie="ab_id=AbCdEfGhIjKlMnOpQrStUg.19000")


def redirect_to(target: str | None, key: str = "redirect", **fields: Any) -> dict[str, Any]:
    """Return a redirect of everybody on `/old`; without a target all stay."""
    treated = {"weights": [0, 1] if target else [1, 0]}
    return {
        "key": key,
        "variations": [{}, {"urlRedirect": target or "http://shop.example/never"}],
        "urlPatterns": [{"type": "simple", "pattern": "/old", "include": True}],
        **treated,
        **fields,
    }


def engine_of(sink: MemorySink, *experiments: dict[str, Any], **options: Any) -> Engine:
    return Engine(sink=sink, sources=[Payload({"experiments": list(experiments)})], **options)


def sent(sink: MemorySink, *experiments: dict[str, Any], **options: Any) -> str | None:
    return engine_of(sink, *experiments, **options).request_client(Page()).redirect()


def exposed(sink: MemorySink) -> list[tuple[str, str]]:
    return [(each.experiment_key, each.variation_key) for each in sink.exposures]


def flushed(client: ExperimentClient) -> str | None:
    target = client.redirect()
    client.response_starts()
    return target


@pytest.mark.parametrize(
    ("fields", "target"),
    [
        pytest.param({}, "http://shop.example/new?b=9", id="as-written"),
        pytest.param(
            {"persistQueryString": True}, "http://shop.example/new?b=9&a=1", id="with-the-query"
        ),
    ],
)
def test_a_visitor_is_sent_to_the_target(sink: MemorySink, fields: Any, target: str) -> None:
    """The variation's URL, with the page's query if the experiment says so; recorded once."""
    engine = engine_of(sink, redirect_to("http://shop.example/new?b=9", **fields))
    client = engine.request_client(Page())

    assert [client.redirect(), flushed(client)] == [target, target]
    assert exposed(sink) == [("redirect", "1")]
    assert sink.exposures[0].unit_id == "AbCdEfGhIjKlMnOpQrStUg"


def test_the_control_stays_and_counts(sink: MemorySink) -> None:
    """Who is in the control is not redirected, is recorded, and ends the search."""
    engine = engine_of(
        sink, redirect_to(None, "first"), redirect_to("http://shop.example/new", "second")
    )

    assert flushed(engine.request_client(Page())) is None
    assert exposed(sink) == [("first", "0")]


def test_who_is_out_is_asked_about_the_next(sink: MemorySink) -> None:
    """An experiment that leaves the visitor out leaves them to the one behind it."""
    engine = engine_of(
        sink,
        redirect_to("http://shop.example/a", "first", coverage=0),
        redirect_to("http://shop.example/b", "manual", manual=True),
        redirect_to("http://shop.example/c", "elsewhere", urlPatterns=[]),
        redirect_to("http://shop.example/d", "draft", status="draft"),
        redirect_to("http://shop.example/e", "last"),
    )

    assert flushed(engine.request_client(Page())) == "http://shop.example/e"
    assert exposed(sink) == [("last", "1")]


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS", ""], ids=lambda name: name or "none")
def test_only_pages_are_redirected(sink: MemorySink, method: str) -> None:
    """A form or a WebSocket goes where it was sent, and is not recorded."""
    engine = engine_of(sink, redirect_to("http://shop.example/new"))
    client = engine.request_client(Page(method=method))

    assert flushed(client) is None
    assert sink.records == []


def test_a_script_is_not_redirected(sink: MemorySink) -> None:
    """Without a request there is nobody to send."""
    engine = engine_of(sink, redirect_to("http://shop.example/new"))

    assert engine.client(id="u1", url=PAGE).redirect() is None
    assert sink.records == []


def test_a_loop_is_no_redirect(sink: MemorySink) -> None:
    """A target that the experiment runs on would send the visitor round and round."""
    assert sent(sink, redirect_to("http://shop.example/old?x=1")) is None


def test_a_page_that_is_not_targeted_stays(sink: MemorySink) -> None:
    """Elsewhere nothing is decided, nothing recorded, and the page may be cached."""
    page = Page("http://shop.example/other")
    client = engine_of(sink, redirect_to("http://shop.example/new")).request_client(page)

    assert client.redirect() is None
    assert not client.response_starts()
    assert (sink.records, page.is_private, client.cookies()) == ([], False, [])


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example/",
        "https://evil.example/new",
        "http://shop.example@evil.example/",
        "http://shop.example.evil.example/",
        "http://shop.example:8080/",
    ],
)
def test_another_host_is_refused(
    sink: MemorySink, caplog: pytest.LogCaptureFixture, target: str
) -> None:
    """A configuration cannot send visitors anywhere; the log says how to allow a host."""
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        assert sent(sink, redirect_to(target)) is None

    assert "redirect_hosts" in caplog.text


@pytest.mark.parametrize("target", ["/new", "new", "//shop.example/new", "?variation=1"])
def test_a_relative_target_is_told(
    sink: MemorySink, caplog: pytest.LogCaptureFixture, target: str
) -> None:
    """Such an experiment does not run, by the specification; the log says why, and only once."""
    engine = engine_of(sink, redirect_to(target))
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        assert [engine.request_client(Page()).redirect() for _ in range(3)] == [None] * 3

    assert caplog.text.count(f"it redirects to {target!r}, which must be a whole URL") == 1
    assert sink.records == []


def test_who_is_not_sent_is_not_recorded(sink: MemorySink) -> None:
    """A visitor who was refused the variation did not meet it."""
    client = engine_of(sink, redirect_to("http://evil.example/")).request_client(Page())

    assert flushed(client) is None
    assert sink.records == []


@pytest.mark.parametrize("host", ["other.example", "OTHER.example"])
def test_a_host_that_is_named_is_allowed(sink: MemorySink, host: str) -> None:
    """`redirect_hosts` names the hosts beside the page's own."""
    target = "https://other.example/new"

    assert sent(sink, redirect_to(target), redirect_hosts=[host]) == target


@pytest.mark.parametrize(
    ("fields", "is_private"),
    [
        pytest.param({"hashAttribute": "company"}, True, id="company"),
        pytest.param({"condition": {"country": "NL"}}, True, id="condition"),
        pytest.param({"coverage": 0}, True, id="coverage"),
        pytest.param({}, True, id="visitor"),
        pytest.param({"urlPatterns": [{"type": "simple", "pattern": "/x"}]}, False, id="page"),
    ],
)
def test_a_page_that_somebody_is_sent_away_from_is_private(
    sink: MemorySink, fields: Any, is_private: bool
) -> None:
    """Where a redirect asks who somebody is, no cache may serve the page to others."""
    engine = engine_of(
        sink,
        redirect_to("http://shop.example/new", **fields),
        attributes={"company": lambda _: "acme"},
    )
    page = Page()
    client = engine.request_client(page)
    client.redirect()

    assert client.response_starts() is is_private
    assert page.is_private is is_private


def test_a_redirect_of_a_company_is_recorded(sink: MemorySink) -> None:
    """A redirect by another unit than the visitor counts for that one."""
    engine = engine_of(
        sink,
        redirect_to("http://shop.example/new", hashAttribute="company"),
        attributes={"company": lambda _: "acme"},
    )

    assert flushed(engine.request_client(Page())) == "http://shop.example/new"
    assert [(each.unit_type, each.unit_id) for each in sink.exposures] == [("company", "acme")]


@pytest.mark.parametrize("order", ["redirect-first", "run-first"])
def test_a_run_of_the_same_is_exposed_once(sink: MemorySink, order: str) -> None:
    """A view that asks for the experiment that redirected adds no second exposure."""
    client = engine_of(sink, redirect_to("http://shop.example/new")).request_client(Page())
    steps: list[Callable[[], object]] = [client.redirect, lambda: client.run("redirect")]
    for step in steps if order == "redirect-first" else reversed(steps):
        step()
    client.response_starts()

    assert exposed(sink) == [("redirect", "1")]
    assert client.run("redirect").in_experiment


def test_the_first_source_serves_a_redirect(sink: MemorySink) -> None:
    """Of two sources with one key only the first's redirect runs, also for who is out of it."""
    sources = [
        Payload({"experiments": [redirect_to("http://shop.example/a", coverage=0)]}, "first"),
        Payload({"experiments": [redirect_to("http://shop.example/b")]}, "second"),
    ]
    client = Engine(sink=sink, sources=sources).request_client(Page())

    assert flushed(client) is None
    assert sink.records == []


def test_code_comes_before_the_redirects_of_a_source(sink: MemorySink) -> None:
    """An experiment in code has the key; a source's redirect of that key does not run."""
    off = Experiment("redirect", [1, 2], active=False)
    source = Payload({"experiments": [redirect_to("http://shop.example/new")]})
    client = Engine([off], sink=sink, sources=[source]).request_client(Page())

    assert flushed(client) is None


@pytest.mark.parametrize(
    "options",
    [pytest.param({"enabled": False}, id="disabled"), pytest.param({"qa_mode": True}, id="qa")],
)
def test_options_stop_redirects(sink: MemorySink, options: Any) -> None:
    """Switched off or in QA mode, nobody is sent anywhere."""
    assert sent(sink, redirect_to("http://shop.example/new"), **options) is None
    assert sink.records == []


def test_a_forced_redirect_is_not_recorded(sink: MemorySink) -> None:
    """For QA a variation can be forced: the redirect happens, and does not count."""
    engine = engine_of(sink, redirect_to(None, coverage=0), forced_variations={"redirect": 1})

    assert flushed(engine.request_client(Page())) == "http://shop.example/never"
    assert of_units(sink) == []


def test_a_redirect_is_sticky(sink: MemorySink) -> None:
    """Who was sent stays so when the weights change."""
    store, meta = MemoryStickyStore(), [{"key": "stay"}, {"key": "go"}]
    for weights in ([0, 1], [1, 0]):
        engine = engine_of(
            sink, redirect_to("http://shop.example/new", weights=weights, meta=meta), sticky=store
        )
        assert flushed(engine.request_client(Page())) == "http://shop.example/new"

    assert exposed(sink) == [("redirect", "go")] * 2


@pytest.mark.parametrize(
    "experiment",
    [
        pytest.param(redirect_to("/relative"), id="relative"),
        pytest.param(redirect_to("javascript:alert(1)"), id="script"),
        pytest.param(redirect_to("http://"), id="no-host"),
        pytest.param(redirect_to("http://shop.example/a\r\nX: y"), id="line-break"),
        pytest.param(
            {**redirect_to("http://shop.example/new"), "variations": [{}, {"urlRedirect": 5}]},
            id="number",
        ),
        pytest.param({**redirect_to("http://shop.example/new"), "variations": [{}]}, id="one"),
        pytest.param({**redirect_to("http://shop.example/new"), "urlPatterns": 5}, id="patterns"),
        pytest.param({"key": "redirect", "variations": None}, id="no-variations"),
        pytest.param({"key": "visual", "variations": [{}, {"js": "x"}]}, id="visual"),
    ],
)
def test_a_redirect_that_cannot_be_is_none(
    sink: MemorySink, caplog: pytest.LogCaptureFixture, experiment: Any
) -> None:
    """What no server may send a browser to leaves the page as it is."""
    assert sent(sink, experiment) is None
    assert "the evaluation raised" not in caplog.text


@pytest.mark.parametrize("url", ["", "no url", "http://", "http://[", "http://a b/old"])
def test_a_page_without_a_good_url_stays(sink: MemorySink, url: str) -> None:
    """A request whose host the framework refuses breaks nothing."""
    client = engine_of(sink, redirect_to("http://shop.example/new")).request_client(Page(url))

    assert flushed(client) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"redirects": 1}, "redirects: is 1, must be True or False", id="flag"),
        pytest.param({"redirect_hosts": "a.example"}, "must be a list", id="text"),
        pytest.param({"redirect_hosts": [5]}, "redirect_hosts[0]: is 5", id="number"),
        pytest.param(
            {"redirect_hosts": ["https://a.example/"]},
            "redirect_hosts[0]: is 'https://a.example/', must be a host, such as",
            id="url",
        ),
        pytest.param({"redirect_hosts": ["*.a.example"]}, "must be a host, such as", id="wild"),
    ],
)
def test_wrong_options_are_told(options: Any, message: str) -> None:
    """A mistake in the options is told when the engine is made."""
    with pytest.raises(ConfigurationError) as caught:
        Engine(sink=MemorySink(), **options)

    assert message in str(caught.value)


def test_a_redirect_is_one_of_the_requests_answers(sink: MemorySink) -> None:
    """It goes where the experiment's variation said before, whoever was identified since."""
    visitor_of: dict[str, Any] = {"hashAttribute": "uid", "weights": [0.5, 0.5], "hashVersion": 2}
    engine = engine_of(sink, redirect_to("http://shop.example/new", **visitor_of))
    for number in range(20):
        sink.clear()
        client = engine.request_client(Page())
        client.identify(uid=f"u{number}")
        was = client.run("redirect").variation_id
        client.identify(uid=f"other{number}")

        assert (client.redirect() is None) is (was == 0)
        assert client.redirect() == client.redirect()
        assert client.assignments["redirect"].variation_id == was
        client.response_starts()
        assert [each.variation_id for each in sink.exposures] == [was]


def test_a_redirect_is_among_the_assignments(sink: MemorySink) -> None:
    client = engine_of(sink, redirect_to("http://shop.example/new")).request_client(Page())

    assert client.redirect()
    assert client.assignments["redirect"].variation_id == 1
