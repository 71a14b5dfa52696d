"""A sink that writes each record as one line of JSON to a logger, for machines without a disk."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from abmiddleware.exposures.records import Record, encode
from abmiddleware.exposures.sinks.counting import Counts


class LoggingSink(Counts):
    """Logs every record at level INFO.

    Where its lines end up, and whether they survive a crash, is up to the logging set-up. Records
    that the logger's level keeps out are counted as lost; what a handler fails to write is not.

    Args:
        logger: the logger's name.
    """

    def __init__(self, logger: str = "abmiddleware.records") -> None:
        super().__init__()
        self._logger = logging.getLogger(logger)

    def __repr__(self) -> str:
        return f"LoggingSink({self._logger.name!r})"

    def write(self, records: Sequence[Record], /) -> None:
        """Log records."""
        if not self._logger.isEnabledFor(logging.INFO):
            self._lose("level above INFO", len(records))
            return
        for record in records:
            try:
                self._logger.info("%s", encode(record).decode())
            except Exception as error:  # noqa: BLE001  # a filter or handler may raise anything
                self._lose("logging failed", 1, error)
            else:
                self.written += 1
