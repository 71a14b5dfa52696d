"""Polls of a server that fails in every way known: values stay, and recover by themselves."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from abmiddleware.sources import Deadlines, Source
from tests.sources.server import (
    Handler,
    Server,
    accept_and_close,
    drip,
    flag,
    hang,
    payload,
    raw,
    reset,
    sequence,
    status,
    truncated,
)
from tests.sources.support import QUICK, watching

DEEP = b"[" * 100_000 + b"]" * 100_000
CHUNK = b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n100\r\n{"features":{"flag":'
#: What a server can do wrong with an answer.
FAULTS: dict[str, Handler] = {
    "500": status(500),
    "503": status(503),
    "401": status(401),
    "404": status(404),
    "reset": reset,
    "invalid UTF-8": raw(b'{"features":{"flag":{"defaultValue":"\xff\xfe"}}}'),
    "truncated": truncated,
    "truncated JSON": raw(b'{"features":{"flag":'),
    "HTML": raw(b"<html><body>Maintenance</body></html>"),
    "wrong shape": raw(b'{"features":["flag"]}'),
    "no section": raw(b'{"hello":"world"}'),
    "list": raw(b"[1,2,3]"),
    "empty": raw(b""),
    "100,000 deep": raw(DEEP),
    "100,000 deep inside": raw(b'{"features":{"flag":{"defaultValue":%b}}}' % DEEP),
    "cut in a chunk": lambda connection: connection.send(CHUNK),
    "redirect to nowhere": status(302, location="http://[::1"),
    "drip": drip(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n" + b" " * 9999),
    "accept and close": accept_and_close,
    "hang": hang,
}
QUICK_BUT_REFUSED = replace(QUICK, refused=60.0)
BRIEF = Deadlines(connect=1, read=0.2, total=0.4, silence=1)


def after(server: Server, count: int) -> Callable[[], bool]:
    """Return whether that many more polls came."""
    goal = len(server.asked("api")) + count
    return lambda: len(server.asked("api")) >= goal


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_changes_nothing_and_passes(server: Server, fault: Handler) -> None:
    """The value stays during the fault, and is new at the second poll after it at the latest."""
    server.api = payload(flag(1), etag='"1"')
    with watching(server, deadlines=BRIEF) as watched:
        watched.sees(1)
        server.api = fault
        watched.keeps(1, until=after(server, 3))
        watched.until(lambda: watched.source.status().last_error)
        before = len(server.asked("api"))
        server.api = payload(flag(2), etag='"2"')
        watched.sees(2)
        assert len(server.asked("api")) - before <= 2
        watched.until(lambda: not watched.source.status().last_error)
    assert watched.values == [1, 2]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_start_in_a_fault_recovers(server: Server, fault: Handler) -> None:
    """Without a configuration nothing is ready, and the first good answer makes it so."""
    server.api = sequence([fault, fault, payload(flag(1))])
    with watching(server, deadlines=BRIEF) as watched:
        assert not watched.source.status().ready
        watched.sees(1)
        status = watched.source.status()
    assert status.ready
    assert status.failures == 2


def test_a_start_while_the_server_is_down_recovers(server: Server) -> None:
    """A port that nobody listens on is like any other fault."""
    server.api = payload(flag(1))
    server.down()
    with watching(server) as watched:
        watched.until(lambda: watched.source.status().failures >= 3)
        assert watched.source.document is None
        assert watched.source.status().age_seconds is None
        server.up()
        watched.sees(1)


def test_a_server_that_goes_down_and_comes_back(server: Server) -> None:
    """Refused connections change nothing."""
    server.api = payload(flag(1))
    with watching(server) as watched:
        watched.sees(1)
        server.down()
        failures = watched.source.status().failures
        watched.keeps(1, until=lambda: watched.source.status().failures >= failures + 3)
        server.api = payload(flag(2))
        server.up()
        watched.sees(2)


def test_an_unchanged_configuration_is_not_sent_again(server: Server) -> None:
    """With an ETag the server answers 304, which renews the age and changes nothing."""
    server.api = payload(flag(1), etag='"one"')
    with watching(server) as watched:
        watched.sees(1)
        document = watched.source.document
        watched.until(after(server, 3))
        asked = server.asked("api")
        assert watched.source.document is document
        assert (watched.source.status().age_seconds or 9) < 2
    assert "if-none-match" not in asked[0].headers
    assert {one.headers["if-none-match"] for one in asked[1:]} == {'"one"'}
    assert watched.values == [1]


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gzip"])
def test_equal_bytes_are_not_read_again(server: Server, compress: bool) -> None:
    """Without an ETag the same answer is known by its bytes."""
    server.api = payload(flag(1), compress=compress)
    with watching(server) as watched:
        watched.sees(1)
        document = watched.source.document
        watched.until(after(server, 3))
        assert watched.source.document is document
    assert watched.values == [1]


def test_a_bad_document_is_fetched_again(server: Server) -> None:
    """The ETag of an answer that could not be used is not sent: it would stay bad for ever."""
    server.api = sequence([raw(b"[]", etag='"bad"'), payload(flag(1), etag='"bad"')])
    with watching(server) as watched:
        watched.sees(1)


def test_a_304_out_of_the_blue_is_a_failure(server: Server) -> None:
    """A server that says 'unchanged' where nothing is held does not make the source ready."""
    server.api = sequence([status(304), payload(flag(1))])
    with watching(server) as watched:
        watched.sees(1)
        assert watched.source.status().failures == 1


def test_a_refusal_is_repeated_in_the_slow_lane(server: Server) -> None:
    """After 401 the next poll waits for minutes, and is told in the log with its mend."""
    server.api = status(401)
    with watching(server, retry=QUICK_BUT_REFUSED) as watched:
        watched.until(lambda: server.requests)
        server.require_connection()
        watched.until(lambda: watched.source.status().failures)
        server.require_no_more_connections(0.3)


@pytest.mark.parametrize(
    "target", ["https://maintenance.example/", "/api/again"], ids=["away", "in a circle"]
)
def test_a_redirect_for_a_while_is_not_a_refusal(server: Server, target: str) -> None:
    """A page for the time of maintenance puts off no poll for minutes."""
    server.api = payload(flag(1))
    with watching(server, retry=QUICK_BUT_REFUSED) as watched:
        watched.sees(1)
        server.api = status(302, location=target)
        watched.until(lambda: watched.source.status().failures)
        server.api = payload(flag(2))
        watched.sees(2)


@pytest.mark.parametrize("code", [300, 302, 304, 307, 408, 429, 500, 502, 503])
def test_what_passes_by_itself_is_not_a_refusal(server: Server, code: int) -> None:
    """These are asked again soon, even where refusals wait."""
    server.api = sequence([status(code), status(code), payload(flag(1))])
    with watching(server, retry=QUICK_BUT_REFUSED) as watched:
        watched.sees(1)


def test_retry_after_is_obeyed(server: Server) -> None:
    """A server that asks to be left alone for a second is."""
    server.api = sequence([status(503, retry_after="1"), payload(flag(1))])
    with watching(server, retry=QUICK_BUT_REFUSED) as watched:
        watched.sees(1)
    first, second = server.asked("api")[:2]
    assert second.at - first.at > 0.9


def test_intervals_do_not_follow_the_wall_clock(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that jumps an hour to and fro stops no poll and causes no storm of them."""
    server.api = payload(flag(1))
    now, jump = time.time, iter([3600, -3600] * 100_000)
    monkeypatch.setattr(time, "time", lambda: now() + next(jump))
    with watching(server) as watched:
        watched.sees(1)
        began = time.monotonic()
        watched.until(after(server, 5))
        assert time.monotonic() - began > 0.3
        assert 0 <= (watched.source.status().age_seconds or 0) < 5


def test_a_warning_after_three_missed_intervals(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """An old configuration is told in the log, with its age and why, and once."""
    server.api = payload(flag(1))
    with watching(server) as watched:
        watched.sees(1)
        server.api = status(500)
        watched.until(lambda: "had no news" in caplog.text)
        assert (watched.source.status().age_seconds or 0) > 0.3
        watched.until(after(server, 5))
    told = [one for one in caplog.records if "had no news" in one.message]
    assert len(told) == 1
    assert told[0].levelno == logging.WARNING
    assert "answers 500" in told[0].message


def test_a_bad_part_is_set_aside_and_told(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """The rest of the document serves; the log and the status name the part's path."""
    content = flag(1)
    content["features"]["bad"] = "no feature"
    content["experiments"] = [
        {"key": "odd", "variations": [0, 1], "condition": {"a": {"$regex": "["}}}
    ]
    server.api = payload(content)
    with watching(server) as watched:
        watched.sees(1)
        watched.until(lambda: len(watched.source.status().problems) == 2)
        paths = [problem.path for problem in watched.source.status().problems]
    assert paths[0] == "features.bad"
    assert paths[1].startswith("experiments.odd.condition")
    assert "features.bad: is 'no feature'" in caplog.text


def test_a_hundred_bad_parts_are_enough(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """A broken export does not fill the log."""
    content = flag(1)
    rule = {"variations": [0, 1], "condition": {"a": {"$regex": "["}}}
    content["features"].update({f"bad-{number}": {"rules": [rule]} for number in range(300)})
    server.api = payload(content)
    with watching(server) as watched:
        watched.sees(1)
        watched.until(lambda: len(watched.source.status().problems) == 100)
        watched.until(lambda: "(and 95 more)" in caplog.text)


def test_no_error_and_no_log_line_shows_the_client_key(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the key nor a password of the URL is told anywhere."""
    caplog.set_level(logging.DEBUG)
    server.api = status(403)
    url = server.url.replace("//", "//user:s3cret@")
    with watching(server, host=url) as watched:
        watched.until(lambda: watched.source.status().failures)
        told = f"{caplog.text} {watched.source!r} {watched.source.status()}"
    assert "403" in told
    assert "sdk-abc123" not in told
    assert "s3cret" not in told
    assert server.requests[0].headers["authorization"].startswith("Basic ")


def test_nothing_happens_before_the_first_look(server: Server) -> None:
    """Construction and opening start no thread and connect to nothing."""
    server.api = payload(flag(1))
    with watching(server) as watched:
        assert isinstance(watched.source, Source)
        server.require_no_more_connections()
        watched.source.look()
        server.require_connection()


def test_a_closed_source_keeps_its_document_and_asks_no_more(server: Server) -> None:
    """After close, which may be repeated, requests are served and the server is left alone."""
    server.api = payload(flag(1))
    with watching(server) as watched:
        watched.sees(1)
        watched.source.close()
        watched.source.close()
        count = len(server.requests)
        for _ in range(50):
            watched.source.look()
            time.sleep(0.005)
        assert len(server.requests) == count
        assert watched.value == 1


def test_a_change_that_nobody_could_take_is_told_again(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """A callback that raises loses nothing: the next poll calls it again."""
    server.api = payload(flag(1))
    calls: list[int] = []

    def changed() -> None:
        calls.append(1)
        if len(calls) < 3:
            raise ZeroDivisionError

    with watching(server) as watched:
        watched.source._holding.changed = changed
        watched.until(lambda: len(calls) == 3 and not watched.source.status().last_error)
        watched.until(after(server, 2))
    assert len(calls) == 3
    assert "ZeroDivisionError" in caplog.text
