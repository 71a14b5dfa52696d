"""Streams that break in every way known: values stay, and the stream is opened again."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from msgspec.structs import replace

from abmiddleware.sources import Deadlines
from abmiddleware.sources.holding import Holding
from abmiddleware.sources.refresher import Life
from tests.sources.server import (
    STREAM_HEAD,
    Connection,
    Handler,
    Server,
    accept_and_close,
    event,
    flag,
    hang,
    payload,
    raw,
    reset,
    sequence,
    status,
    stream,
    streaming,
    truncated,
)
from tests.sources.support import PATIENT, QUICK, watching

DEEP = b"[" * 100_000 + b"]" * 100_000
#: What a server can do wrong with a connection to its stream, or with an event.
FAULTS: dict[str, Handler] = {
    "500": status(500),
    "503": status(503),
    "401": status(401),
    "404": status(404),
    "204": status(204),
    "reset": reset,
    "invalid UTF-8": stream(event(b'{"features":{"flag":{"defaultValue":"\xff"}}}')),
    "truncated": truncated,
    "truncated JSON": stream(event(b'{"features":{"flag":')),
    "HTML": raw(b"<html></html>", content_type="text/html"),
    "HTML in an event": stream(event(b"<html></html>")),
    "wrong shape": stream(event(b'{"features":["flag"]}')),
    "list": stream(event(b"[1,2,3]")),
    "empty": stream(event(b"")),
    "100,000 deep": stream(event(DEEP)),
    "accept and close": accept_and_close,
    "open and close": stream(hold=False),
    "hang": hang,
    "silent": stream(),
    "half a line": stream(b"event: feat"),
    "cut in an event": stream(event(flag(7))[:-1], hold=False),
    "cut in a chunk": stream(
        b"100\r\n" + event(flag(7))[:-1],
        hold=False,
        head=STREAM_HEAD.replace(b"\r\n\r\n", b"\r\ntransfer-encoding: chunked\r\n\r\n"),
    ),
    "too large": stream(b"data: " + b"x" * (10 * 1024 * 1024 + 1)),
    "compressed": stream(
        head=STREAM_HEAD.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n")
    ),
}
BRIEF = Deadlines(connect=1, read=0.2, total=0.4, silence=0.2)
#: So rare that nothing comes by it in a test.
RARELY: dict[str, Any] = {"poll_seconds": 60}


def beating(*pieces: bytes) -> Handler:
    """Open a stream that sends pieces, and comments from then on."""

    def handle(connection: Connection) -> None:
        connection.send(STREAM_HEAD + b"".join(pieces))
        while not connection.over.wait(0.02):
            connection.send(b":\n\n")

    return handle


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_changes_nothing_and_passes(server: Server, fault: Handler) -> None:
    """The value stays during the fault, and the stream brings the new one after it."""
    server.api = streaming(flag(1))
    server.sub = fault
    with watching(server, deadlines=BRIEF, **RARELY) as watched:
        watched.sees(1)
        watched.keeps(1, until=lambda: len(server.asked("sub")) >= 3)
        server.sub = stream(event(flag(2)))
        watched.sees(2)
        assert watched.source.status().origin == "stream"
        assert len(server.asked("api")) == 1
    assert watched.values == [1, 2]


def test_a_stream_that_breaks_is_opened_again(server: Server) -> None:
    """A proxy that is restarted brings the next value without a poll."""
    server.api = streaming(flag(1))
    server.sub = stream(event(flag(2)))
    with watching(server, **RARELY) as watched:
        watched.sees(2)
        server.down()
        watched.keeps(2, until=lambda: not watched.source.status().streaming)
        server.sub = stream(event(flag(3)))
        server.up()
        watched.sees(3)
        assert watched.source.status().streaming
        assert not watched.source.status().last_error


def test_a_start_while_the_server_is_down_comes_to_stream(server: Server) -> None:
    """Polls go on until one answers; then the stream is opened."""
    server.api, server.sub = streaming(flag(1)), stream(event(flag(2)))
    server.down()
    with watching(server) as watched:
        watched.until(lambda: watched.source.status().failures >= 2)
        server.up()
        watched.sees(2)


@pytest.mark.parametrize(
    ("handler", "may_stream"),
    [(payload(flag(1)), True), (streaming(flag(1)), False)],
    ids=["not offered", "not wanted"],
)
def test_no_stream_unless_offered_and_wanted(
    server: Server, handler: Handler, may_stream: bool
) -> None:
    """The stream is left alone where the server or the operator has none."""
    server.api, server.sub = handler, stream(event(flag(2)))
    with watching(server, stream=may_stream) as watched:
        watched.until(lambda: len(server.asked("api")) >= 3)
        assert watched.value == 1
    assert not server.asked("sub")


@pytest.mark.parametrize("fault", [accept_and_close, stream(hold=False)], ids=["bare", "after 200"])
def test_a_server_that_closes_at_once_is_not_stormed(server: Server, fault: Handler) -> None:
    """Connections are at least `first` apart, whether the server answered before or not."""
    server.api, server.sub = streaming(flag(1)), fault
    with watching(server, retry=replace(QUICK, first=0.1, most=5.0), **RARELY) as watched:
        watched.until(lambda: len(server.asked("sub")) >= 5)
    times = [request.at for request in server.asked("sub")]
    assert times[-1] - times[0] >= 0.1 * (len(times) - 1) * 0.9
    assert len(server.asked("api")) == 1


def test_unknown_events_are_ignored_and_not_read(server: Server) -> None:
    """Neither another event nor its data, which is no JSON, ends the stream."""
    pieces = (b": hello\n\n", event(b"no JSON", "ping"), event(b"\xff", "deploy"), b"data: x\n\n")
    server.api, server.sub = streaming(flag(1)), stream(*pieces, event(flag(2)))
    with watching(server, **RARELY) as watched:
        watched.sees(2)
    assert len(server.asked("sub")) == 1


def test_an_update_is_fetched_past_the_cache(server: Server) -> None:
    """`features-updated` says that something changed: it is fetched at once, and really."""
    server.api = sequence([streaming(flag(1), etag='"1"'), streaming(flag(2), etag='"2"')])
    server.sub = stream(event(b"", "features-updated"), event(b"", "features-updated"))
    with watching(server, **RARELY) as watched:
        watched.sees(2)
        first, second, *others = server.asked("api")
    assert second.headers["cache-control"] == "no-cache"
    assert "if-none-match" not in second.headers
    assert len(others) <= 1  # both events in one chunk are one reason to fetch
    assert "cache-control" not in first.headers


def test_polls_go_on_rarely_beside_a_stream(server: Server) -> None:
    """What a stream fails to tell is found by a poll, five times as rare as without a stream."""
    server.api = streaming(flag(1))
    server.sub = beating()
    with watching(server) as watched:
        watched.until(lambda: watched.source.status().streaming)
        server.api = streaming(flag(2))
        watched.sees(2)
        count = len(server.asked("api"))
        watched.until(lambda: len(server.asked("api")) >= count + 2)
        times = [request.at for request in server.asked("api")][count - 1 :]
    assert len(server.asked("sub")) == 1
    assert times[1] - times[0] > 0.35


def test_comments_keep_a_stream_open_and_the_configuration_fresh(server: Server) -> None:
    """A stream that only sends comments is not silent."""
    server.api, server.sub = streaming(flag(1)), beating()
    with watching(server, deadlines=Deadlines(silence=0.4), **RARELY) as watched:
        watched.until(lambda: watched.source.status().streaming)
        began = monotonic()
        watched.until(lambda: monotonic() - began > 1)
        assert (watched.source.status().age_seconds or 9) < 0.4
    assert len(server.asked("sub")) == 1


def test_a_cached_answer_does_not_undo_a_push(server: Server) -> None:
    """A poll that a cache answers with an older configuration changes nothing for a while."""
    old = flag(1, dateUpdated="2026-11-22T10:00:00.000Z")
    server.api = streaming(old)
    server.sub = beating(event(flag(2, dateUpdated="2026-11-22T10:00:05.000Z")))
    with watching(server) as watched:
        watched.sees(2)
        count = len(server.asked("api"))
        watched.keeps(2, until=lambda: len(server.asked("api")) >= count + 2)
        server.api = streaming(flag(3, dateUpdated="2026-11-22T10:00:09.000Z"))
        watched.sees(3)


def test_an_older_answer_a_minute_after_a_push_is_no_cached_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody has restored it; until then it is taken for what a cache has kept."""
    passed = [1000.0]
    monkeypatch.setattr("abmiddleware.sources.holding.monotonic", lambda: passed[0])
    holding = Holding("test", None, None)
    newer = json.dumps(flag(2, dateUpdated="2026-01-02T00:00:00Z")).encode()
    older = json.dumps(flag(1, dateUpdated="2026-01-01T00:00:00Z")).encode()
    assert holding.take(newer, "stream")
    passed[0] += 59
    assert not holding.take(older, "poll")
    assert holding.held.updated == "2026-01-02T00:00:00Z"
    passed[0] += 2
    assert holding.take(older, "poll")
    assert holding.held.updated == "2026-01-01T00:00:00Z"


def test_a_push_of_one_section_leaves_the_others(server: Server) -> None:
    """Only sections that are present replace what is held."""
    server.api = streaming(flag(1, savedGroups={"staff": ["1"]}))
    server.sub = stream(event({"features": {"flag": {"defaultValue": 2}}}))
    with watching(server, **RARELY) as watched:
        watched.sees(2)
        document = watched.source.document
    assert document is not None
    assert document.saved_groups == {"staff": ["1"]}


def test_a_stream_may_come_from_another_host(server: Server) -> None:
    """`streaming_host` is asked for the stream only."""
    with Server() as other:
        server.api, other.sub = streaming(flag(1)), stream(event(flag(2)))
        with watching(server, streaming_host=f"{other.url}/", **RARELY) as watched:
            watched.sees(2)
        assert [one.path for one in other.requests] == ["/sub/sdk-abc123"]
        assert [one.path for one in server.requests] == ["/api/features/sdk-abc123"]


def test_a_bad_event_is_told_in_the_log(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody hears that what was pushed could not be used, and why."""
    server.api, server.sub = streaming(flag(1)), stream(event(b"[]"))
    with watching(server, **RARELY) as watched:
        watched.until(lambda: "is opened anew" in caplog.text)
        assert "payload: is []" in watched.source.status().last_error
    assert all(one.levelno == logging.WARNING for one in caplog.records)


@pytest.mark.parametrize("code", [302, 304, 503])
def test_a_stream_that_is_refused_for_a_while_is_asked_for_again_soon(
    server: Server, code: int
) -> None:
    """A redirect to nowhere, an 'unchanged' and an overload are no reason to wait for minutes."""
    server.api = streaming(flag(1))
    server.sub = sequence([status(code), status(code), stream(event(flag(2)))])
    with watching(server, retry=replace(QUICK, refused=60.0), **RARELY) as watched:
        watched.sees(2)


def test_a_stream_that_was_open_for_long_begins_anew(server: Server) -> None:
    """After a minute of health the first failure is the first, however many came before."""
    server.api = streaming(flag(1))
    server.sub = sequence([status(500)] * 6 + [beating()])
    with watching(server, retry=replace(QUICK, healthy=0.2), **RARELY) as watched:
        watched.until(lambda: watched.source.status().streaming)
        assert watched.source._stream._failures_in_row == 6
        began = monotonic()
        watched.until(lambda: monotonic() - began > 0.4)
        server.cut()
        watched.until(lambda: watched.source._stream._failures_in_row == 1)


def test_a_closed_source_has_no_stream(server: Server) -> None:
    """The status tells it at once."""
    server.api, server.sub = streaming(flag(1)), beating()
    with watching(server, **RARELY) as watched:
        watched.until(lambda: watched.source.status().streaming)
        watched.source.close()
        assert not watched.source.status().streaming


def test_a_stream_that_sends_something_is_not_given_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sign of life puts off its deadline, however long the stream is open."""
    monkeypatch.setattr("abmiddleware.sources.refresher._GRACE", 0.05)
    monkeypatch.setattr("abmiddleware.sources.refresher._BETWEEN", 0.01)
    server.api, server.sub = streaming(flag(1)), beating()
    with watching(server, deadlines=replace(PATIENT, silence=0.4), **RARELY) as watched:
        watched.until(lambda: watched.source.status().streaming)
        end = monotonic() + 1.2
        watched.until(lambda: monotonic() > end)
        assert watched.source.status().streaming
    assert len(server.asked("sub")) == 1


def test_news_of_a_stream_are_expected_within_a_third_of_the_silence_it_may_keep(
    server: Server,
) -> None:
    """Where polls would come more often: it is no alarm that nothing is said between two."""
    server.api, server.sub = streaming(flag(1)), beating()
    with watching(server, deadlines=replace(PATIENT, silence=60)) as watched:
        assert watched.source.status().interval_seconds == 0.1
        watched.until(lambda: watched.source.status().streaming)
        assert watched.source.status().interval_seconds == 20
        server.down()
        watched.until(lambda: watched.source.status().interval_seconds == 0.1)


@pytest.mark.parametrize(
    "piece",
    [event(flag(2)), b":\n" * 1000, b"event: odd\n\n" * 1000],
    ids=["same", "comment", "odd"],
)
def test_a_stream_that_sends_without_end_leaves_time_to_requests(
    server: Server, monkeypatch: pytest.MonkeyPatch, piece: bytes
) -> None:
    """Its thread rests for three quarters of the time, whatever comes."""
    rests: list[float] = []

    def flood(connection: Connection) -> None:
        connection.send(STREAM_HEAD)
        while not connection.over.is_set():
            connection.send(piece)

    server.api, server.sub = streaming(flag(1)), flood
    with watching(server, **RARELY) as watched:
        watched.until(lambda: watched.source.status().streaming)
        wait = Life.wait

        def rest(life: Life, seconds: float) -> None:
            rests.append(seconds)
            wait(life, seconds)

        monkeypatch.setattr(Life, "wait", rest)
        watched.until(lambda: sum(rests) > 0.2)
        assert watched.source.status().streaming
    assert len(server.asked("sub")) == 1


def test_polls_go_on_beside_a_stream_that_says_nothing(server: Server) -> None:
    """A half-open connection hides no change: the polls beside it find it, and it stays open."""
    server.api = streaming(flag(1))
    server.sub = stream(b": hi\n\n")
    with watching(server, deadlines=replace(PATIENT, silence=60)) as watched:
        watched.until(lambda: watched.source.status().streaming)
        count = len(server.asked("api"))
        watched.until(lambda: len(server.asked("api")) >= count + 2)
        server.api = streaming(flag(2))
        watched.sees(2)
        assert watched.source.status().streaming
    assert len(server.asked("sub")) == 1


def test_what_comes_while_a_poll_is_made_is_not_lost(server: Server) -> None:
    """An event that is sent in many pieces, with polls in between, is taken whole."""

    def handle(connection: Connection) -> None:
        connection.send(STREAM_HEAD)
        for byte in event(flag(2)):
            connection.over.wait(0.02)
            connection.send(bytes([byte]))
        hang(connection)

    server.api, server.sub = sequence([streaming(flag(1)), status(503)]), handle
    with watching(server) as watched:
        watched.sees(2)
    assert len(server.asked("sub")) == 1
    assert len(server.asked("api")) > 2


def test_a_stream_may_begin_with_silence(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline of an answer does not cut a stream that is open but has sent nothing yet."""
    monkeypatch.setattr("abmiddleware.sources.refresher._GRACE", 0.05)
    monkeypatch.setattr("abmiddleware.sources.refresher._BETWEEN", 0.01)
    speak = threading.Event()

    def handle(connection: Connection) -> None:
        connection.send(STREAM_HEAD)
        speak.wait(10)
        connection.send(event(flag(2)))
        hang(connection)

    server.api, server.sub = streaming(flag(1)), handle
    deadlines = Deadlines(connect=0.3, read=0.3, total=0.3, silence=9)
    with watching(server, deadlines=deadlines, **RARELY) as watched:
        watched.until(lambda: watched.source.status().streaming)
        began = monotonic()
        watched.keeps(1, until=lambda: monotonic() - began > 0.7)
        speak.set()
        watched.sees(2)
    assert len(server.asked("sub")) == 1


def storming(connection: Connection) -> None:
    """Tell all the time that something has changed."""
    connection.send(STREAM_HEAD)
    while not connection.over.wait(0.005):
        connection.send(event(b"", "features-updated"))


@pytest.mark.parametrize(
    "refusal", [status(429, retry_after="300"), status(401)], ids=["Retry-After", "401"]
)
def test_events_do_not_hasten_what_a_failure_put_off(server: Server, refusal: Handler) -> None:
    """A server that wants to be left alone is, whatever its stream tells."""
    server.api = sequence([streaming(flag(1)), refusal])
    server.sub = storming
    with watching(server, retry=replace(QUICK, refused=60.0), **RARELY) as watched:
        watched.until(lambda: watched.source.status().failures)
        began = monotonic()
        watched.keeps(1, until=lambda: monotonic() - began > 0.4)
        assert watched.source.status().streaming
    assert len(server.asked("api")) == 2


def test_events_make_no_storm_of_polls(server: Server) -> None:
    """However many events come, polls are `first` apart."""
    server.api, server.sub = streaming(flag(1)), storming
    with watching(server, retry=replace(QUICK, first=0.1), **RARELY) as watched:
        watched.until(lambda: len(server.asked("api")) >= 5)
    times = [request.at for request in server.asked("api")]
    assert times[4] - times[0] >= 0.1 * 4 * 0.9


@pytest.mark.parametrize(
    "refusal", [status(429, retry_after="300"), status(401)], ids=["Retry-After", "401"]
)
def test_a_stream_that_comes_and_goes_brings_no_poll_forward(
    server: Server, refusal: Handler
) -> None:
    """What a refusal put off stays so, however often the stream is opened."""
    server.api = sequence([streaming(flag(1)), refusal])
    server.sub = stream(b": hi\n\n", hold=False)
    with watching(server, retry=replace(QUICK, refused=60.0)) as watched:
        watched.until(lambda: len(server.asked("api")) == 2)
        count = len(server.asked("sub"))
        watched.until(lambda: len(server.asked("sub")) >= count + 4)
    assert len(server.asked("api")) == 2


def test_a_heartbeat_does_not_confirm_what_polls_cannot(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """While polls fail, a stream that only beats renews no age, and the log has a warning."""
    server.api = sequence([streaming(flag(1)), raw(b"<html>")])
    server.sub = beating()
    with watching(server, deadlines=replace(PATIENT, silence=0.6)) as watched:
        watched.until(lambda: watched.source.status().streaming)
        watched.until(lambda: "had no news" in caplog.text)
        status = watched.source.status()
        assert status.streaming
        assert (status.age_seconds or 0) > 3 * (status.interval_seconds or 9)
        server.api = streaming(flag(1))
        watched.until(lambda: (watched.source.status().age_seconds or 9) < 0.3)


def test_a_heartbeat_does_not_confirm_what_is_kept_on_disk(server: Server, tmp_path: Path) -> None:
    """What was last good has no age until the server has told it, whatever the stream sends."""
    path = tmp_path / "growthbook.json"
    server.api = streaming(flag(1))
    with watching(server, last_good=path, stream=False) as watched:
        watched.until(path.exists)
    server.api = raw(b"<html>", x_sse_support="enabled")
    server.sub = beating()
    with watching(server, last_good=path) as watched:
        watched.keeps(1, until=lambda: watched.source.status().streaming)
        count = len(server.asked("api"))
        watched.keeps(1, until=lambda: len(server.asked("api")) >= count + 2)
        assert watched.source.status().age_seconds is None
        server.sub = beating(event(flag(2)))
        server.cut()
        watched.sees(2)
        watched.until(lambda: watched.source.status().age_seconds is not None)


def test_an_unchanged_that_nobody_asked_for_loses_no_update(server: Server) -> None:
    """After an event, a 304 to a question without an ETag confirms nothing: it is asked again."""
    unchanged = raw(b"", status=304)
    server.api = sequence([streaming(flag(1), etag='"1"'), unchanged, streaming(flag(2))])
    server.sub = stream(event(b"", "features-updated"))
    with watching(server, deadlines=replace(PATIENT, silence=60), **RARELY) as watched:
        watched.sees(2)
    _, *others = server.asked("api")
    assert all("if-none-match" not in one.headers for one in others)
    assert all(one.headers["cache-control"] == "no-cache" for one in others)


def test_the_error_of_a_stream_that_is_offered_no_more_is_forgotten(server: Server) -> None:
    """A server that turns its stream off is well, whatever became of the last connection."""
    server.api, server.sub = streaming(flag(1)), status(500)
    with watching(server) as watched:
        watched.until(lambda: "answers 500" in watched.source.status().last_error)
        server.api = payload(flag(2))
        watched.sees(2)
        watched.until(lambda: not watched.source.status().last_error)


def test_polls_do_not_keep_a_stream_that_completes_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that never become a piece of the stream are silence, though polls beside it answer."""
    monkeypatch.setattr("abmiddleware.sources.refresher._GRACE", 0.05)
    monkeypatch.setattr("abmiddleware.sources.refresher._BETWEEN", 0.01)

    def handle(connection: Connection) -> None:
        connection.send(STREAM_HEAD.replace(b"\r\n\r\n", b"\r\ntransfer-encoding: chunked\r\n\r\n"))
        while not connection.over.wait(0.02):
            connection.send(b"0")  # of a chunk's size, whose line never ends

    server.api, server.sub = streaming(flag(1)), handle
    deadlines = Deadlines(connect=1, read=1, total=1, silence=0.9)
    with watching(server, deadlines=deadlines) as watched:
        watched.until(lambda: len(server.asked("sub")) >= 2)
        assert watched.value == 1
