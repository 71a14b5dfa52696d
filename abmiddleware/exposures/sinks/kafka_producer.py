"""One process's producer of librdkafka, and the thread that takes its reports."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Event, Thread
from time import monotonic
from typing import Any, Final

from abmiddleware.exceptions import ConfigurationError
from abmiddleware.notices import notices

#: Seconds between two looks for reports. A look does not wait inside of librdkafka, which would
#: stop every greenlet of a gevent worker.
_INTERVAL: Final = 0.05
#: The share of the time to close that is kept for what is then given up.
_RESERVE: Final = 0.1

#: What would connect, or start a cluster: not wanted for a look at the options.
_BROKERS: Final = ("bootstrap.servers", "metadata.broker.list", "test.mock.num.brokers")

#: Of what librdkafka logs, only what is critical: a broker that is away gives a line for every
#: attempt to reach it. `_troubled` tells that once a minute.
_QUIET: Final = {"log_level": 2}

_logger = logging.getLogger("abmiddleware.kafka")
#: For what librdkafka says about a producer that is told of no brokers.
_nowhere = logging.Logger("nowhere")
_nowhere.addHandler(logging.NullHandler())


def check_options(kafka: Any, options: Mapping[str, object]) -> None:
    """Let librdkafka check its options, without connecting anywhere.

    Raises:
        ConfigurationError: it refuses one.
    """
    told = {name: value for name, value in options.items() if name not in _BROKERS}
    try:
        kafka.Producer(told, logger=_nowhere)
    except (kafka.KafkaException, TypeError, ValueError) as error:
        raise ConfigurationError(f"options: librdkafka says: {error}") from None


class ClosedError(Exception):
    """The producer takes no more messages."""


class KafkaProducer:
    """A producer of the process that makes it."""

    def __init__(self, kafka: Any, options: Mapping[str, object]) -> None:
        told = {**_QUIET, "error_cb": _troubled, **options}
        self._producer = kafka.Producer(told, logger=_logger)
        # It lives as long as the process. To free it crashes in a child that was forked, where its
        # threads are missing, and waits in the parent until they end, as for a name server that
        # hangs. One reference that nobody has keeps it from that, also at the exit.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._producer))
        self._closed = Event()
        self._is_attended = False

    def start(self) -> None:
        """Start the thread that takes reports."""
        thread = Thread(target=self._attend, name="abmiddleware-kafka", daemon=True)
        with suppress(RuntimeError):  # no thread can be had: then whoever writes looks
            thread.start()
            self._is_attended = True

    def send(
        self,
        topic: str,
        value: bytes,
        key: bytes,
        timestamp: int,
        delivered: Callable[[Any, Any], None],
    ) -> None:
        """Queue a message; its report calls `delivered`, in any thread.

        Raises:
            BufferError: the queue is full.
            ClosedError: it was closed meanwhile.
            KafkaException: librdkafka refuses the message.
        """
        if self._closed.is_set():
            raise ClosedError
        self._producer.produce(
            topic, value=value, key=key, timestamp=timestamp, on_delivery=delivered
        )

    def look(self) -> None:
        """Take the reports that are there, where no thread does."""
        if not self._is_attended:
            self._producer.poll(0)

    def close(self, timeout: float) -> None:
        """Deliver what waits, within `timeout` seconds, and give up the rest."""
        self._closed.set()
        end = monotonic() + timeout
        if self._producer.flush(timeout * (1 - _RESERVE)):
            self._producer.purge(in_queue=True, in_flight=True, blocking=False)
            # However little time is left, what was given up must be counted.
            self._producer.flush(max(_INTERVAL, end - monotonic()))

    def _attend(self) -> None:
        while not self._closed.wait(_INTERVAL):
            self._producer.poll(0)


def _troubled(error: Any) -> None:
    notices.warn(f"kafka {error.name()}", "Kafka: %s; records wait for it", error.str())
