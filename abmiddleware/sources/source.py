"""What a source of configuration is, and what it tells about itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import msgspec

from abmiddleware.evaluation.conditions import Problem
from abmiddleware.evaluation.document import Document
from abmiddleware.notices import notices


class SourceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a source is doing at one moment."""

    #: What tells it from the engine's other sources; holds no secret.
    name: str
    #: Whether it has a configuration, be it an old one.
    ready: bool
    #: Seconds since the configuration was last known to be the current one; None if never.
    age_seconds: float | None = None
    #: Seconds within which a change should be seen; None where nothing changes.
    interval_seconds: float | None = None
    #: Why the last attempt to read it failed; "" if it did not.
    last_error: str = ""
    #: A short hash of the configuration in use: equal in all processes that use the same.
    version: str = ""
    #: Where the configuration in use came from: `code`, `file`, `poll`, `stream`, `last good`.
    origin: str = ""
    #: Parts of it that are set aside.
    problems: tuple[Problem, ...] = ()
    #: Whether a stream of changes is open.
    streaming: bool = False
    #: Attempts to read it in this process, and how many of them failed.
    attempts: int = 0
    failures: int = 0


def warn_of_second_engine(name: str) -> None:
    """Tell the log that a source tells its changes to one engine, and is opened by another."""
    notices.warn_once(
        f"{name} twice",
        lambda: (
            f"{name} is used by a second engine, so the first one sees no more of its changes; "
            "give each engine a source object of its own"
        ),
    )


@runtime_checkable
class Source(Protocol):
    """Where experiments and features come from.

    Each method but `open` may be called from any thread.
    """

    @property
    def name(self) -> str:
        """What tells it from the engine's other sources; holds no secret."""
        ...

    @property
    def document(self) -> Document | None:
        """The configuration in use; None while there is none."""
        ...

    def open(self, changed: Callable[[], None]) -> None:
        """Read what is on this machine; no thread, no network.

        Args:
            changed: called, in whatever thread, after `document` was replaced.

        Raises:
            ConfigurationError: the source is set up wrongly.
            DocumentError: what is there cannot be used.
        """
        ...

    def look(self) -> None:
        """See to it that changes are picked up; called by each request, and so cheap.

        It never raises, and never waits for the network.
        """
        ...

    def status(self) -> SourceStatus:
        """Tell how it is doing."""
        ...

    def close(self, timeout: float = 5.0) -> None:
        """Stop for good within so many seconds; `document` stays. Calling it again is no error."""
        ...
