"""What the library says in the log: each subject at most once a minute, so that none floods it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

logger = logging.getLogger("abmiddleware")

#: Subjects remembered at once. Past it the minutes start anew, and what is said once is silent.
_LIMIT: Final = 1000


class Notices:
    """Warns about a subject once in a while, and counts what it left out between."""

    def __init__(self, interval: float = 60.0) -> None:
        self.interval = interval
        self._said: dict[str, tuple[float, int]] = {}
        self._once: dict[str, object] = {}

    def warn(
        self, subject: str, message: str, *arguments: object, error: BaseException | None = None
    ) -> None:
        """Log a warning unless the subject had one within the interval (in seconds)."""
        now = time.monotonic()
        said, left_out = self._said.get(subject, (float("-inf"), 0))
        if now - said < self.interval:
            self._said[subject] = (said, left_out + 1)
            return
        if len(self._said) >= _LIMIT:
            self._said.clear()
        self._said[subject] = (now, 0)
        if left_out:
            message, arguments = message + " (and %d times since)", (*arguments, left_out)
        logger.warning(message, *arguments, exc_info=error)

    def warn_once(self, subject: str, message: Callable[[], object]) -> None:
        """Log a warning unless the subject had one in this process.

        Args:
            subject: what it is about.
            message: makes the text; only called when it is logged.
        """
        if subject in self._once:
            return
        if len(self._once) >= _LIMIT:
            self.warn("limit", "further mistakes like the last %d are not logged", _LIMIT)
            return
        mark = object()
        if self._once.setdefault(subject, mark) is mark:  # else another thread was quicker
            logger.warning("%s", message())

    def forget(self) -> None:
        """Forget what was said, so that it is said again."""
        self._said.clear()
        self._once.clear()


notices = Notices()
