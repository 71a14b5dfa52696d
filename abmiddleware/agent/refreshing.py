"""Keeps the file that the web workers follow as GrowthBook's server has it."""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from abmiddleware.agent.settings import Configuration
from abmiddleware.sources.growthbook import GrowthBook
from abmiddleware.sources.retry import Retry

logger = logging.getLogger("abmiddleware.agent")

#: Seconds that `--once` waits for the server.
PATIENCE: Final = 30.0


class Refreshing:
    """A source whose last-good file others read.

    Args:
        configuration: which one, and where.

    Raises:
        ConfigurationError: it is told wrongly, or a package is missing.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._source = GrowthBook(
            configuration.client_key,
            host=configuration.host,
            poll_seconds=configuration.poll_seconds,
            decryption_key=configuration.decryption_key,
            last_good=configuration.file,
            retry=Retry(spread=0.0),  # one process of many asks, and at once
        )
        self._source.open(lambda: None)

    def look(self) -> None:
        """See to it that the server is asked; returns at once."""
        self._source.look()

    def wait(self, stop: threading.Event) -> bool:
        """Wait until the server has answered, and tell whether that is the configuration.

        Args:
            stop: ends the waiting.
        """
        end = time.monotonic() + PATIENCE
        while not stop.is_set() and time.monotonic() < end:
            self.look()
            status = self._source.status()
            if status.age_seconds is not None:
                return True
            if status.last_error:
                logger.warning("the configuration is not refreshed: %s", status.last_error)
                return False
            stop.wait(0.05)
        return False

    def close(self, timeout: float) -> None:
        """Stop within so many seconds."""
        self._source.close(timeout)
