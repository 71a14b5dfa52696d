"""The configuration that a source holds: replaced whole, with its age, and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from time import monotonic
from typing import Final

from abmiddleware.evaluation.conditions import Problem
from abmiddleware.exceptions import DocumentError
from abmiddleware.notices import notices
from abmiddleware.sources.last_good import LastGood
from abmiddleware.sources.payloads import Held
from abmiddleware.sources.problems import find_problems, report_problems

#: Seconds after a pushed configuration in which a cache may still answer with an older one.
_CACHED: Final = 60.0
#: Seconds left to requests now and then, while all parts of a configuration are compiled.
_PAUSE: Final = 0.001


def version_of(raw: bytes) -> str:
    """Return the short hash that tells configurations apart."""
    return blake2b(raw, digest_size=6).hexdigest()


class Holding:
    """Holds one configuration for requests, which read `held` while one thread replaces it.

    Args:
        name: of the source.
        key: opens encrypted sections.
        last_good: where the configuration is kept for the next start.
    """

    def __init__(self, name: str, key: str | None, last_good: LastGood | None) -> None:
        self.name = name
        self.held = Held()
        self.version = ""
        self.origin = ""
        #: When it was last known to be the current one, on the monotonic clock.
        self.confirmed: float | None = None
        self.problems: tuple[Problem, ...] = ()
        self.changed: Callable[[], None] = lambda: None
        self._key = key
        self._last_good = last_good
        self._pushed = float("-inf")
        #: The version whose parts were looked at, one by one.
        self._examined = ""

    def load(self) -> None:
        """Begin with what was kept on disk, if it can be used."""
        kept = self._last_good.load() if self._last_good is not None else None
        if kept is None:
            return
        payload, version = kept
        try:
            self._replace(self.held.merged(payload, self._key), version, "last good")
        except DocumentError as error:
            notices.warn(
                f"{self.name} last good",
                "the last-good configuration of %s cannot be used: %s",
                self.name,
                error,
            )

    def take(self, raw: bytes, origin: str) -> bool:
        """Replace the configuration by a payload that has come.

        Args:
            raw: the payload's JSON text.
            origin: how it came, `poll` or `stream`.

        Returns:
            Whether it is the configuration that is now held; a cache's may be older.

        Raises:
            DocumentError: it may not be used, and nothing has changed.
        """
        version = version_of(raw)
        if version != self.version:
            held = self.held.merged(raw, self._key)
            if origin == "poll" and self._is_overtaken(held):
                return False
            self._replace(held, version, origin)
            self._tell()
        if origin == "stream":
            self._pushed = monotonic()
        self.confirm()
        self._examine()
        return True

    def confirm(self) -> None:
        """Note that the configuration is the current one, and keep it on disk."""
        self.confirmed = monotonic()
        if self._last_good is not None and self.version:
            self._last_good.keep(self.held.received, self.version)

    def _is_overtaken(self, held: Held) -> bool:
        """Tell whether a cache answered with what a pushed configuration has replaced."""
        old, new = self.held.updated, held.updated
        is_older = len(old) == len(new) and new < old
        return is_older and monotonic() - self._pushed < _CACHED

    def _replace(self, held: Held, version: str, origin: str) -> None:
        self.held = held  # from here on requests see it
        self.version, self.origin = version, origin
        self.problems = held.document.problems if held.document else ()

    def _tell(self) -> None:
        """Tell of the change; what could not be told is told with the next payload again."""
        version, self.version = self.version, ""
        self.changed()
        self.version = version

    def _examine(self) -> None:
        """Find the parts that are set aside, once; requests are served meanwhile."""
        if self._examined == self.version or self.held.document is None:
            return
        self._examined = self.version
        self.problems = find_problems(self.held.document, pause=_PAUSE)
        report_problems(self.name, self.problems)
