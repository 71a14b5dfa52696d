"""Records on their way to Kafka, with a broker that is there, hangs, or is not."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from abmiddleware import ConfigurationError, CountingSink, Engine, KafkaSink
from abmiddleware.exposures.records import Record, decode, row
from tests.backends import free_port
from tests.exposures.facts import exposure, link, outcome
from tests.exposures.sinks.brokers import Broker, broker
from tests.threads import Threads

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module", name="kafka")
def _kafka() -> Iterator[Broker]:
    """A broker for the tests of this module."""
    with broker() as running:
        yield running


@pytest.fixture
def topic() -> str:
    """A topic that no other test has."""
    return f"records-{uuid4().hex}"


@pytest.fixture
def dead() -> str:
    """The address of a broker that is not there."""
    return f"127.0.0.1:{free_port()}"


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 30
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert is_so()


def test_a_message_is_the_journals_line_under_the_units_id(kafka: Broker, topic: str) -> None:
    """The value is the row, the key is whose it is, and the time is when it happened."""
    sink = KafkaSink(kafka.address, topic)
    records: list[Record] = [exposure(), outcome(unit_ids={"company": "c1", "id": "u1"}), link()]
    sink.write(records)
    sink.close()
    found = kafka.messages(topic, 3)

    assert {decode(message.value() or b"").event_id for message in found} == {
        record.event_id for record in records
    }
    assert {message.key() for message in found} == {b"V1StGXR8_Z5jdHi6B-myTQ", b"u1"}
    assert {message.timestamp()[1] for message in found} == {exposure().ts_us // 1000}
    assert row(exposure()) in [decode(message.value() or b"") for message in found]


def test_every_delivered_record_is_counted(kafka: Broker, topic: str) -> None:
    """What the broker confirmed is written, and nothing is left."""
    sink = KafkaSink(kafka.address, topic)
    engine = Engine(sink=sink)
    for number in range(500):
        engine.client(id=f"u{number}").track("seen")
    until(lambda: sink.written == 500)

    assert isinstance(sink, CountingSink)
    assert (sink.queued, sink.lost) == (0, {})
    assert len(kafka.messages(topic, 500)) == 500
    sink.close()


def test_threads_share_one_producer(kafka: Broker, topic: str) -> None:
    """Records of many threads that write first at the same time all arrive, once."""
    sink, start = KafkaSink(kafka.address, topic), threading.Barrier(8)

    def write(thread: int) -> None:
        start.wait()
        for number in range(50):
            sink.write([outcome(event_id=f"{thread}-{number}")])

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sink.close()
    found = [decode(message.value() or b"").event_id for message in kafka.messages(topic, 400)]

    assert sorted(found) == sorted({f"{a}-{b}" for a in range(8) for b in range(50)})
    assert (sink.written, sink.lost) == (400, {})


def test_a_broker_that_hangs_gets_all_once_it_is_back(topic: str) -> None:
    """Within the bound an outage costs nothing, and the idempotent producer repeats nothing."""
    with broker() as kafka:
        sink = KafkaSink(kafka.address, topic)
        sink.write([outcome(event_id="before")])
        until(lambda: sink.written == 1)
        kafka.stop()
        for number in range(300):
            sink.write([outcome(event_id=str(number))])
        held = (sink.written, sink.queued)
        kafka.resume()
        sink.close(30)
        found = [decode(message.value() or b"").event_id for message in kafka.messages(topic, 301)]

    assert held == (1, 300)
    assert (sink.written, sink.lost, sink.queued) == (301, {}, 0)
    assert sorted(found) == sorted(["before", *map(str, range(300))])


def test_past_the_bound_records_are_lost_and_counted_exactly(
    dead: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The queue keeps what it has; what comes then is dropped, with one line in the log."""
    sink = KafkaSink(dead, queue_records=100)
    sink.write([outcome(event_id=str(number)) for number in range(130)])

    assert (sink.queued, sink.lost) == (100, {"queue full": 30})
    assert caplog.text.count("queue full") == 1
    sink.close(0.2)
    assert (sink.written, sink.queued) == (0, 0)
    assert sink.lost == {"queue full": 30, "_PURGE_QUEUE": 100}


def test_closing_gives_up_on_a_broker_that_hangs(topic: str) -> None:
    """What is not confirmed when the time is over is lost and counted, all of it."""
    with broker() as kafka:
        sink = KafkaSink(kafka.address, topic)
        sink.write([outcome()])
        until(lambda: sink.written == 1)
        kafka.stop()
        for number in range(200):
            sink.write([outcome(event_id=str(number))])
        sink.close(0.3)
        kafka.resume()

    assert set(sink.lost) <= {"_PURGE_QUEUE", "_PURGE_INFLIGHT"}
    assert (sink.written, sink.lost.total(), sink.queued) == (1, 200, 0)


def test_records_that_nobody_takes_in_time_expire(dead: str) -> None:
    """Past `expires` a record is given up, for a reason of its own."""
    sink = KafkaSink(dead, expires=0.05)
    sink.write([exposure(), outcome()])
    until(lambda: sink.lost["_MSG_TIMED_OUT"] == 2)

    assert sink.queued == 0
    sink.close(0.1)


def test_what_librdkafka_refuses_is_counted(dead: str) -> None:
    """A record that is too large, and one that cannot be written, cost nothing but themselves."""
    sink = KafkaSink(dead, options={"message.max.bytes": 2000})
    sink.write([outcome(properties={"fill": "x" * 3000}), outcome(ts_us="never"), exposure()])

    assert sink.lost == {"MSG_SIZE_TOO_LARGE": 1, "not encodable": 1}
    assert sink.queued == 1
    sink.close(0.1)


def test_closing_twice_or_unused_does_nothing(dead: str) -> None:
    """A sink that wrote nothing has nothing to close."""
    sink = KafkaSink(dead)
    sink.close()
    sink.close()

    assert (sink.written, sink.lost, sink.queued) == (0, {}, 0)


def test_a_closed_sink_opens_again(kafka: Broker, topic: str) -> None:
    """What is written after `close` is delivered by the next one."""
    sink = KafkaSink(kafka.address, topic)
    for name in ("first", "second"):
        sink.write([outcome(event_id=name)])
        sink.close()

    assert sink.written == 2
    assert len(kafka.messages(topic, 2)) == 2


def test_nothing_is_started_before_the_first_write(dead: str) -> None:
    """A sink that is only made has no thread and no socket, and so nothing that a fork breaks."""
    threads = Threads()
    KafkaSink(dead)

    assert not threads.started
    assert not threads.tasks


_FORK = """
import os, sys, time
from abmiddleware import KafkaSink, Outcome
from tests.exposures.sinks.brokers import stop
sink = KafkaSink(sys.argv[1], sys.argv[2])
def outcome(name): return Outcome(1, name, name, None, {"id": name}, {}, "")
sink.write([outcome("early")])
while not sink.written: time.sleep(0.01)
stop(int(sys.argv[3]))
sink.write([outcome(f"parent-{number}") for number in range(20)])
children = []
for child in range(2):
    pid = os.fork()
    if pid == 0:
        sink.write([outcome(f"child-{child}-{number}") for number in range(20)])
        assert sink.queued == 20 and sink.written == 0, (sink.queued, sink.written)
        break
    children.append(pid)
idle = pid and os.fork()  # a child that never writes
if pid and idle:
    os.kill(int(sys.argv[3]), 18)
    children.append(idle)
    print(sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


def test_each_fork_sends_its_own_records_and_nobody_elses(topic: str) -> None:
    """What waits in the parent is sent once, children get their own producer, and all exit well."""
    with broker() as kafka:
        command = [sys.executable, "-c", _FORK, kafka.address, topic, str(kafka.pid)]
        done = subprocess.run(  # noqa: S603  # our own script
            command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
        )
        found = Counter(message.key() for message in kafka.messages(topic, 61))

    assert (done.stdout, done.returncode) == ("[0, 0, 0]\n", 0), done.stderr
    names = [f"{who}-{number}" for who in ("parent", "child-0", "child-1") for number in range(20)]
    assert found == Counter(name.encode() for name in ["early", *names])


_EXIT = """
import sys
from abmiddleware import KafkaSink, Outcome
sink = KafkaSink(sys.argv[1], sys.argv[2])
sink.write([Outcome(1, str(n), "e", None, {"id": str(n)}, {}, "") for n in range(1500)])
"""


@pytest.mark.parametrize("server", ["there", "dead"])
def test_a_process_that_just_ends_delivers_or_gives_up(
    kafka: Broker, topic: str, dead: str, server: str
) -> None:
    """At the exit what waits is delivered; with a dead broker the process ends all the same."""
    address = kafka.address if server == "there" else dead
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-c", _EXIT, address, topic],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=ROOT,
    )

    assert done.returncode == 0, done.stderr
    if server == "there":
        assert len(kafka.messages(topic, 1500)) == 1500


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"servers": ""}, "servers: is '', must be a text"),
        ({"topic": 7}, "topic: is 7, must be a text"),
        ({"queue_records": 0}, "queue_records: is 0, must be above 0"),
        ({"queue_bytes": -1}, "queue_bytes: is -1, must be above 0"),
        ({"expires": "soon"}, "expires: is 'soon', must be above 0"),
        ({"options": {"acks": 0}}, "options: librdkafka says: .*acks"),
        ({"options": {"bootstrap.serverss": "x"}}, "No such configuration property"),
    ],
    ids=["servers", "topic", "records", "bytes", "expires", "conflict", "unknown"],
)
def test_a_wrong_option_is_told_at_the_start(change: dict[str, object], problem: str) -> None:
    """Nothing waits for the first record to say that it can never be sent."""
    given: dict[str, object] = {"servers": "broker:9092", **change}
    with pytest.raises(ConfigurationError, match=problem):
        KafkaSink(**given)  # type: ignore[arg-type]
