"""A broker of Kafka in a process of its own: the cluster that librdkafka brings for tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

#: Prints where the broker listens, and serves until its input ends.
_CLUSTER = """
import sys
from confluent_kafka import Producer
cluster = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "", "log_level": 0})
(broker,) = cluster.list_topics(timeout=20).brokers.values()
print(f"{broker.host}:{broker.port}", flush=True)
sys.stdin.read()
"""


def stop(pid: int) -> None:
    """Stop a process, and wait until each of its threads has stopped."""
    os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + 20
    for thread in Path(f"/proc/{pid}/task").iterdir():
        while (thread / "stat").read_text().rpartition(") ")[2][0] != "T":
            assert time.monotonic() < deadline
            time.sleep(0.001)


class Broker:
    """A broker that can be stopped, as by a machine that hangs, and resumed."""

    def __init__(self, address: str, pid: int) -> None:
        self.address = address
        self.pid = pid

    def stop(self) -> None:
        """Let it answer nobody."""
        stop(self.pid)

    def resume(self) -> None:
        """Let it answer again."""
        os.kill(self.pid, signal.SIGCONT)

    def messages(self, topic: str, at_least: int) -> list[Message]:
        """Return what the topic holds, once there are as many messages."""
        options = {"bootstrap.servers": self.address, "group.id": topic, "fetch.wait.max.ms": 10}
        consumer, found = Consumer(options), list[Message]()
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        deadline, is_over = time.monotonic() + 30, False
        try:
            # One look more than it takes, so that what came twice is seen, too.
            while time.monotonic() < deadline and not is_over:
                read = consumer.consume(1000, timeout=0.3)
                found += [message for message in read if message.error() is None]
                is_over = not read and len(found) >= at_least
        finally:
            consumer.close()
        return found


@contextmanager
def broker() -> Iterator[Broker]:
    """Run a broker."""
    with subprocess.Popen(  # noqa: S603  # our own script
        [sys.executable, "-c", _CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield Broker(process.stdout.readline().strip(), process.pid)
        finally:
            process.kill()
