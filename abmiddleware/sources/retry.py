"""When to ask again: jittered, so that many processes do not ask in step."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

import msgspec

from abmiddleware.evaluation.values import is_number, shown
from abmiddleware.exceptions import ConfigurationError

#: Returns a number from 0 to 1, by chance.
Draw = Callable[[], float]

#: Failures in a row past which the wait grows no more, so that no power overflows.
_MANY: Final = 100
#: The longest wait that can be configured, a week in seconds: the system's clocks and locks do not
#: take any number.
LONGEST: Final = 604800
#: The least and the most of what is no wait; of waits it is 0 and `LONGEST`.
_RANGES: Final = {"growth": (1, 100), "jitter": (0, 1)}


def check_seconds(name: str, value: Any) -> float:
    """Return a wait in seconds.

    Raises:
        ConfigurationError: it is none, or no wait at all.
    """
    if not is_number(value) or not 0 < value <= LONGEST:
        raise ConfigurationError(
            f"{name}: is {shown(value)}, must be seconds, more than 0 and at most {LONGEST}"
        )
    return float(value)


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait before the server is asked again; all in seconds.

    After failures the wait grows exponentially and is spread over all of itself (full jitter), but
    is never shorter than `first`. Nothing ever stops the asking.
    """

    #: Two attempts are at least that far apart.
    first: float = 1.0
    #: The wait grows by this factor with each failure in a row.
    growth: float = 1.5
    #: And is never longer than this.
    most: float = 60.0
    #: After a refusal, which asking again does not mend (401, 403, 404, ...): give or take half.
    refused: float = 300.0
    #: A stream that was open that long was well: the next failure counts as the first.
    healthy: float = 60.0
    #: Where a last-good configuration serves, the first attempt is put off by up to this.
    spread: float = 10.0
    #: The share by which polls differ from their interval.
    jitter: float = 0.2

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            least, most = _RANGES.get(name, (0, LONGEST))
            if not is_number(value) or not least <= value <= most:
                raise ConfigurationError(
                    f"retry.{name}: is {shown(value)}, must be a number from {least} to {most}"
                )

    def after_start(
        self, interval: float, *, is_serving: bool, draw: Draw = random.random
    ) -> float:
        """Return the wait before the first attempt: none, unless there is something to serve."""
        return draw() * min(self.spread, interval) if is_serving else 0.0

    def after_success(self, interval: float, draw: Draw = random.random) -> float:
        """Return the wait between two polls."""
        return interval * (1 + self.jitter * (2 * draw() - 1))

    def after_failure(
        self, failures: int, *, told: float | None = None, draw: Draw = random.random
    ) -> float:
        """Return the wait after failures in a row.

        Args:
            failures: how many.
            told: what the server asked for (`Retry-After`); obeyed up to `refused`.
            draw: the source of chance.
        """
        ceiling = min(self.most, self.first * self.growth ** min(failures, _MANY))
        wait = min(self.most, self.first + draw() * ceiling)
        return wait if told is None else max(wait, min(told, self.refused))

    def after_refusal(self, draw: Draw = random.random) -> float:
        """Return the wait after an answer such as 401 or 404."""
        return self.refused * (0.5 + draw())

    def after_push(self, draw: Draw = random.random) -> float:
        """Return the wait before fetching what a stream told everybody to fetch."""
        return draw() * self.first


class Deadlines(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for a server; all in seconds."""

    #: For a connection.
    connect: float = 5.0
    #: For the next bytes of an answer.
    read: float = 10.0
    #: For a whole answer, from looking up the name to the last byte.
    total: float = 30.0
    #: For the next bytes of a stream, be they a comment.
    silence: float = 90.0

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            check_seconds(f"deadlines.{name}", getattr(self, name))
