"""What a view does wrong: an error in debug mode and in tests, a line in the log in production."""

from __future__ import annotations

import math
import os
from collections.abc import Callable

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ABMiddlewareError
from abmiddleware.notices import notices


class Mistakes:
    """Decides whether a view's mistake raises.

    Args:
        strict: whether it does; None for yes in debug mode and under pytest.
    """

    def __init__(self, strict: bool | None) -> None:
        self._is_given = strict is not None
        self.strict = strict if strict is not None else "PYTEST_VERSION" in os.environ

    def in_debug(self, debug: bool) -> None:
        """Take over the framework's debug mode where nothing was given."""
        if debug and not self._is_given:
            self.strict = True

    def report(self, subject: str, error: Callable[[], ABMiddlewareError]) -> None:
        """Raise a mistake, or log it once for its subject.

        Args:
            subject: what is wrong, such as an unknown key.
            error: makes the error; only called when it is raised or logged.
        """
        if self.strict:
            raise error()
        notices.warn_once(subject, error)


def outcome_problem(event: object, value: object) -> str:
    """Return what is wrong with an outcome; "" where nothing is."""
    if not isinstance(event, str) or not event:
        return f"event: is {shown(event)}, must be a name such as 'purchase'"
    if value is None:
        return ""
    try:
        is_finite = not isinstance(value, (bool, str)) and math.isfinite(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        is_finite = False
    return "" if is_finite else f"value of {event!r}: is {shown(value)}, must be a finite number"
