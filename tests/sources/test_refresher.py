"""The background thread: late, alone, gone after a fork, and never in the way of an end."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from abmiddleware import Engine, MemorySink
from abmiddleware.sources import Deadlines, GrowthBook, Retry
from tests.sources.server import (
    STREAM_HEAD,
    Connection,
    Handler,
    Server,
    drip,
    event,
    flag,
    hang,
    payload,
    stream,
    streaming,
)
from tests.sources.support import PATIENT, QUICK, Watched, watching

#: Since Python 3.12 it warns of forks with threads, which is what servers do.
forks = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def refreshers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("abmiddleware GrowthBook")]


def in_child(work: Callable[[], Any]) -> Any:
    """Return what a function returns in a forked child."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.write(writer, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        told = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(told)


def sockets() -> set[str]:
    """Return the sockets that this process has open."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


class Odd(Retry, frozen=True):
    """Fails where nothing should, for its first two times."""

    failures: list[int] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        """Check nothing."""

    def after_start(self, *_: object, **__: object) -> float:
        if len(self.failures) < 2:
            self.failures.append(1)
            raise ZeroDivisionError("of sdk-abc123")
        return 0.0


def test_a_failure_that_nobody_expected_is_told_and_passes(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """The thread goes on; until it is well again the health says why, without the client key."""
    server.api = payload(flag(1))
    with watching(server, retry=Odd()) as watched:
        watched.until(lambda: watched.source.status().last_error)
        assert watched.source.status().last_error == "ZeroDivisionError: of ***"
        watched.sees(1)
        watched.until(lambda: not watched.source.status().last_error)
    assert "could not be refreshed" in caplog.text


def test_there_is_one_thread_and_it_starts_late(server: Server) -> None:
    """None after construction and opening, one after requests of many threads, none at the end."""
    server.api = payload(flag(1))
    with watching(server) as watched:
        assert not refreshers()
        barrier = threading.Barrier(8)

        def look() -> None:
            barrier.wait()
            watched.source.look()

        threads = [threading.Thread(target=look) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        watched.sees(1)
        (thread,) = refreshers()
        assert thread.daemon
    thread.join(5)
    assert not refreshers()


def test_a_process_that_is_only_asked_for_its_health_becomes_ready(server: Server) -> None:
    """A readiness probe lets no request through before: it begins the refresh itself."""
    server.api = payload(flag(1))
    engine = Engine(sink=MemorySink(), sources=[GrowthBook("sdk-abc123", host=server.url)])
    end = time.monotonic() + 10
    while not (health := engine.health()).ready:
        assert time.monotonic() < end, health.sources
        time.sleep(0.005)
    engine.close()


def test_a_source_that_nobody_holds_ends_its_thread(server: Server) -> None:
    """An engine that is thrown away without close leaks no thread."""
    server.api = payload(flag(1))
    watched = Watched(GrowthBook("sdk-abc123", host=server.url, poll_seconds=0.05, retry=QUICK))
    watched.sees(1)
    reference = weakref.ref(watched.source)
    (thread,) = refreshers()
    del watched
    end = time.monotonic() + 10
    while (reference() is not None or thread.is_alive()) and time.monotonic() < end:
        gc.collect()
        time.sleep(0.01)
    assert reference() is None
    assert not thread.is_alive()


@pytest.mark.parametrize("is_streaming", [False, True], ids=["poll", "stream"])
def test_close_does_not_wait_for_a_server_that_hangs(server: Server, is_streaming: bool) -> None:
    """The connection is cut, so the thread ends at once and not at its deadline."""
    server.api = streaming(flag(1)) if is_streaming else hang
    server.sub = hang
    with watching(server) as watched:
        watched.until(lambda: server.asked("sub" if is_streaming else "api"))
        (thread,) = refreshers()
        began = time.monotonic()
        watched.source.close()
        assert time.monotonic() - began < 1.5
        assert not thread.is_alive()


@pytest.fixture
def lost_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let names be looked up for ever, until the event is set."""
    found, real = threading.Event(), socket.getaddrinfo

    def getaddrinfo(*arguments: Any, **options: Any) -> Any:
        found.wait(600)
        return real(*arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield found
    found.set()
    for thread in refreshers():
        thread.join(10)
        assert not thread.is_alive()


def test_close_does_not_wait_for_a_name(server: Server, lost_names: threading.Event) -> None:
    """Looking up a name cannot be interrupted: its thread is left to itself."""
    server.api = payload(flag(1))
    with watching(server) as watched:
        watched.source.look()
        began = time.monotonic()
        watched.source.close(1.5)
        assert 1 < time.monotonic() - began < 1.5
        watched.source.close()
        assert time.monotonic() - began < 2.5
    lost_names.set()


def test_a_thread_that_is_stuck_is_replaced(
    server: Server, lost_names: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that hangs in a name past its deadline is given up; there are two at the most."""
    server.api = payload(flag(1))
    deadlines = Deadlines(total=0.1)
    monkeypatch.setattr("abmiddleware.sources.refresher._GRACE", 0.1)
    monkeypatch.setattr("abmiddleware.sources.refresher._BETWEEN", 0.01)
    with watching(server, deadlines=deadlines) as watched:
        watched.until(lambda: len(refreshers()) == 2)
        end = time.monotonic() + 0.6
        watched.until(lambda: time.monotonic() > end)
        assert len(refreshers()) == 2
        monkeypatch.undo()
        lost_names.set()
        watched.sees(1)
        watched.until(lambda: len(refreshers()) == 1)
    assert watched.values == [1]


def test_a_step_that_raises_is_told_and_repeated(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Even a mistake of ours does not end the thread."""
    server.api = payload(flag(1))
    monkeypatch.setattr("abmiddleware.sources.refresher._BETWEEN", 0.01)
    with watching(server) as watched:
        changed, broken = watched.source._poll.ask, [True, True]

        def ask(*arguments: Any) -> None:
            if broken:
                broken.pop()
                raise ZeroDivisionError
            changed(*arguments)

        monkeypatch.setattr(watched.source._poll, "ask", ask)
        watched.sees(1)
    assert "ZeroDivisionError" in caplog.text


def test_no_thread_to_be_had_is_no_error_of_a_request(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A machine that is out of threads serves, and the next second tries again."""
    server.api = payload(flag(1))
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("abmiddleware"):
            raise RuntimeError("can't start new thread")
        start(thread)

    with watching(server) as watched:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            watched.source.look()
        assert "can't start new thread" in caplog.text
        watched.sees(1)


def test_event_loops_make_no_difference(server: Server) -> None:
    """One source serves two loops, one after the other, and no loop at all."""
    server.api = payload(flag(1))
    with watching(server) as watched:

        async def serve(value: int) -> None:
            while watched.value != value:
                watched.source.look()
                await asyncio.sleep(0.005)

        asyncio.run(asyncio.wait_for(serve(1), 10))
        server.api = payload(flag(2))
        asyncio.run(asyncio.wait_for(serve(2), 10))
        server.api = payload(flag(3))
        watched.sees(3)


def test_a_look_does_nothing_until_it_is_due(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a second of the last one it is a comparison of two numbers."""
    with watching(server) as watched:
        watched.source.look()

        def fail() -> None:
            raise AssertionError

        monkeypatch.setattr(watched.source, "_look", fail)
        watched.source._refresher.due = time.monotonic() + 60
        for _ in range(1000):
            watched.source.look()


# Forks.


@forks
@pytest.mark.parametrize("is_streaming", [False, True], ids=["poll", "stream"])
def test_a_child_refreshes_by_itself(server: Server, is_streaming: bool) -> None:
    """A child has a thread of its own, none of its parent's sockets, and both see what is new."""
    server.api = streaming(flag(1)) if is_streaming else payload(flag(1))
    server.sub = stream(event(flag(1)))
    options: dict[str, Any] = {"poll_seconds": 60} if is_streaming else {}
    with watching(server, **options) as watched:
        watched.sees(1)
        watched.until(lambda: watched.source.status().streaming is is_streaming)
        life = watched.source._refresher._life
        assert life is not None
        parents = {one.fileno() for one in life._sockets}
        theirs = {f"socket:[{os.stat(number).st_ino}]" for number in parents if number >= 0}
        assert bool(theirs) is is_streaming
        server.api = streaming(flag(2)) if is_streaming else payload(flag(2))
        server.sub = stream(event(flag(2)))

        def child() -> Any:
            inherited = sockets() & theirs
            threads = len(refreshers())
            is_open = watched.source.status().streaming
            watched.sees(2)
            watched.source.close()
            return [watched.value, sorted(inherited), threads, is_open]

        assert in_child(child) == [2, [], 0, False]
        if is_streaming:
            assert watched.source.status().streaming
            server.cut()
        watched.sees(2)


@forks
def test_forks_while_the_thread_is_busy(server: Server) -> None:
    """Whatever the thread holds at the moment of the fork, no child waits for it."""
    numbers = iter(range(1_000_000))

    def always_new(connection: Connection) -> None:
        connection.respond(json.dumps(flag(next(numbers))).encode())

    server.api = always_new
    retry = replace(QUICK, first=0.001, spread=0.0)
    with watching(server, poll_seconds=0.002, retry=retry) as watched:
        watched.until(lambda: watched.value is not None)
        for _ in range(15):
            watched.source.look()
            before = watched.value

            def child() -> bool:
                watched.until(lambda: watched.value != before)  # noqa: B023  # it runs now
                watched.source.close(0.5)
                return not watched.source._refresher._starting.locked()

            assert in_child(child)


@forks
def test_a_child_of_a_closed_source_stays_closed(server: Server) -> None:
    """A fork does not bring to life what was closed."""
    server.api = payload(flag(1))
    with watching(server) as watched:
        watched.sees(1)
        watched.source.close()

        def child() -> int:
            watched.source.look()
            return len(refreshers())

        assert in_child(child) == 0


@forks
def test_many_sources_share_one_hook(server: Server) -> None:
    """Sources that are gone are not held by the hook that runs after a fork."""
    from abmiddleware.sources import refresher

    gc.collect()
    before = len(refresher._refreshers)
    for _ in range(20):
        GrowthBook("sdk-abc123", host=server.url, deadlines=PATIENT)
    gc.collect()
    assert len(refresher._refreshers) == before


@forks
def test_a_fork_within_a_stream_leaves_the_parents_stream_alone(server: Server) -> None:
    """The child closes copies: the parent goes on to receive."""
    more = threading.Event()

    def handle(connection: Connection) -> None:
        connection.send(STREAM_HEAD + event(flag(2)))
        more.wait(10)
        connection.send(event(flag(3)))
        hang(connection)

    server.api, server.sub = streaming(flag(1)), handle
    with watching(server, poll_seconds=60) as watched:
        watched.sees(2)
        assert in_child(lambda: watched.value) == 2
        more.set()
        watched.sees(3)
    assert len(server.asked("sub")) == 1


def test_a_fork_that_python_is_not_told_of(server: Server) -> None:
    """A server that forks by itself runs no hooks: the thread of another process does not count."""
    server.api = payload(flag(1))
    with watching(server) as watched:
        watched.sees(1)
        refresher = watched.source._refresher
        life, (thread,) = refresher._life, refreshers()
        assert life is not None
        life.end()
        thread.join(10)
        life.pid, refresher.due = 0, 0.0
        server.api = payload(flag(2))
        watched.sees(2)
        assert refresher._life is not life


def test_a_poll_that_never_ends_is_counted_and_told(
    server: Server, lost_names: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was given up in looking up a name is a failure like any other."""
    server.api = payload(flag(1))
    monkeypatch.setattr("abmiddleware.sources.refresher._GRACE", 0.1)
    monkeypatch.setattr("abmiddleware.sources.refresher._BETWEEN", 0.01)
    with watching(server, deadlines=Deadlines(total=0.1)) as watched:
        watched.until(lambda: watched.source.status().failures)
        assert "within its deadline" in watched.source.status().last_error
        monkeypatch.undo()
        lost_names.set()
        watched.sees(1)
        watched.until(lambda: not watched.source.status().last_error)
        assert watched.source.status().failures < watched.source.status().attempts


#: Heads of answers that never end, though bytes come all the time.
ENDLESS = {
    "headers": drip(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 10_000),
    "early hints": drip(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10_000),
}


@pytest.mark.parametrize("is_streaming", [False, True], ids=["poll", "stream"])
@pytest.mark.parametrize("endless", ENDLESS.values(), ids=ENDLESS)
def test_an_answer_whose_head_never_ends_is_counted_and_told(
    server: Server, monkeypatch: pytest.MonkeyPatch, endless: Handler, is_streaming: bool
) -> None:
    """It is cut at its deadline, and asked for again."""
    monkeypatch.setattr("abmiddleware.sources.refresher._GRACE", 0.1)
    monkeypatch.setattr("abmiddleware.sources.refresher._BETWEEN", 0.01)
    server.api, server.sub = (streaming(flag(1)), endless) if is_streaming else (endless, hang)
    with watching(server, deadlines=Deadlines(total=0.3), poll_seconds=60) as watched:
        watched.until(lambda: watched.source.status().failures >= 2)
        assert "within its deadline" in watched.source.status().last_error
        server.api, server.sub = streaming(flag(2)), stream(event(flag(2)))
        watched.sees(2)
        watched.until(lambda: not watched.source.status().last_error)
