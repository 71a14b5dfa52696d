"""A sink that sends records to a Kafka topic, through librdkafka's own queue."""

from __future__ import annotations

import atexit
import os
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Final

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.exposures.records import Exposure, Link, Outcome, Record, encode
from abmiddleware.exposures.sinks.counting import Counts
from abmiddleware.exposures.sinks.kafka_producer import ClosedError, KafkaProducer, check_options
from abmiddleware.extras import required

_NO_OPTIONS: Final[Mapping[str, object]] = {}


class KafkaSink(Counts):
    """Sends records to Kafka: the journal's line as the value, the unit's id as the key.

    The request hands a record to librdkafka's queue and goes on. The producer is idempotent: within
    one process the broker keeps each record once. It is made by the first write in each process,
    together with one daemon thread that takes delivery reports, and closed when the process exits.

    What is lost is counted by reason: `queue full`, or librdkafka's name of an error, such as
    `_MSG_TIMED_OUT` (older than `expires`) or `_PURGE_QUEUE` (not delivered by `close`). `kill -9`
    loses the queue: give it beside the journal where that matters.

    Args:
        servers: the brokers, such as `kafka-1:9092,kafka-2:9092`.
        topic: where the records go.
        queue_records: how many may wait for a broker.
        queue_bytes: how large they may be together.
        expires: seconds after which a record that no broker took is given up.
        options: further properties of librdkafka, such as `security.protocol`.

    Raises:
        ConfigurationError: an argument is wrong, or the package confluent-kafka is missing.
    """

    def __init__(
        self,
        servers: str,
        topic: str = "abmiddleware",
        *,
        queue_records: int = 100_000,
        queue_bytes: int = 64 * 1024 * 1024,
        expires: float = 300.0,
        options: Mapping[str, Any] = _NO_OPTIONS,
    ) -> None:
        self._kafka = required("confluent_kafka", "kafka", type(self).__name__)
        super().__init__()
        for name, value in (("servers", servers), ("topic", topic)):
            if not isinstance(value, str) or not value:
                raise ConfigurationError(f"{name}: is {shown(value)}, must be a text")
        for name, number in (
            ("queue_records", queue_records),
            ("queue_bytes", queue_bytes),
            ("expires", expires),
        ):
            if isinstance(number, bool) or not isinstance(number, (int, float)) or number <= 0:
                raise ConfigurationError(f"{name}: is {shown(number)}, must be above 0")
        self.topic = topic
        self._options = {
            "bootstrap.servers": servers,
            "enable.idempotence": True,
            "queue.buffering.max.messages": int(queue_records),
            "queue.buffering.max.kbytes": max(1, int(queue_bytes) // 1024),
            "message.timeout.ms": max(1, int(expires * 1000)),
            **options,
        }
        check_options(self._kafka, self._options)
        self._producers: dict[int, KafkaProducer] = {}
        self._pid = 0
        self._sent = self._reported = 0
        self._is_registered = False

    def __repr__(self) -> str:
        return f"KafkaSink(topic={self.topic!r})"

    def write(self, records: Sequence[Record], /) -> None:
        """Queue records for the topic."""
        producer = self._producers.get(os.getpid())
        if producer is None:
            try:
                producer = self._open()
            except Exception as error:  # noqa: BLE001  # such as a process that has no thread left
                self._lose("no producer", len(records), error)
                return
        for record in records:
            self._send(producer, record)
        producer.look()

    @property
    def queued(self) -> int:
        """Records that wait in this process, for a broker or for their report."""
        is_of_here = self._pid == os.getpid()
        return max(0, self._sent - self._reported) if is_of_here else 0

    def close(self, timeout: float = 5.0) -> None:
        """Deliver what waits, within `timeout` seconds; what is left is lost and counted.

        A later write opens the sink again.
        """
        producer = self._producers.pop(os.getpid(), None)
        if producer is not None:
            producer.close(timeout)

    def _open(self) -> KafkaProducer:
        pid = os.getpid()
        if self._pid != pid:  # a child counts for itself; the parent's queue is the parent's
            self._pid = pid
            self.written = self._sent = self._reported = 0
            self.lost.clear()
        made = KafkaProducer(self._kafka, self._options)
        kept = self._producers.setdefault(pid, made)
        if kept is not made:  # another thread was quicker
            return kept
        kept.start()
        if not self._is_registered:
            self._is_registered = True
            atexit.register(_close, weakref.ref(self))
        return kept

    def _send(self, producer: KafkaProducer, record: Record) -> None:
        try:
            value, key = encode(record), _unit_id(record).encode("utf-8", "backslashreplace")
        except Exception as error:  # noqa: BLE001  # properties may hold anything
            self._lose("not encodable", 1, error)
            return
        self._sent += 1
        try:
            producer.send(self.topic, value, key, record.ts_us // 1000, self._delivered)
        except BufferError as error:
            self._refused("queue full", error)
        except ClosedError as error:
            self._refused("closed", error)
        except self._kafka.KafkaException as error:
            self._refused(error.args[0].name(), error)

    def _refused(self, reason: str, error: Exception) -> None:
        self._sent -= 1
        self._lose(reason, 1, error)

    def _delivered(self, error: Any, _: object) -> None:
        """Take the report on one record."""
        self._reported += 1
        if error is None:
            self.written += 1
        else:
            self._lose(error.name(), 1, self._kafka.KafkaException(error))


def _close(sink: weakref.ref[KafkaSink]) -> None:
    if (known := sink()) is not None:
        known.close()


def _unit_id(record: Record) -> str:
    """Return whose record it is: all of one unit go to one partition, in their order."""
    if isinstance(record, Exposure):
        return record.unit_id
    if isinstance(record, Outcome):
        ids = record.unit_ids
        return ids.get("id") or next(iter(ids.values()), "")
    return record.id_a if isinstance(record, Link) else ""
