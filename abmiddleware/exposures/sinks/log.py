"""A sink that writes each record as one line of JSON to a logger, for machines without a disk."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from abmiddleware.exposures.records import Record, encode


class LoggingSink:
    """Logs every record at level INFO.

    Where its lines end up, and whether they survive a crash, is up to the logging set-up.

    Args:
        logger: the logger's name.
    """

    def __init__(self, logger: str = "abmiddleware.records") -> None:
        self._logger = logging.getLogger(logger)

    def write(self, records: Sequence[Record], /) -> None:
        """Log records."""
        for record in records:
            self._logger.info("%s", encode(record).decode())
