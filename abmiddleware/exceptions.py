"""The errors that abmiddleware raises; all at set-up, or in `strict` mode at the call.

* ABMiddlewareError
  + DefinitionError (also a ValueError): an experiment's definition is wrong
  + ConfigurationError (also a ValueError): the engine's set-up is wrong
  + UnknownExperimentError (also a LookupError): no configuration knows the key
  + RecordError (also a ValueError): an outcome that cannot be recorded
"""

from __future__ import annotations

from collections.abc import Sequence


class ABMiddlewareError(Exception):
    """Base of every error of this library."""


class DefinitionError(ABMiddlewareError, ValueError):
    """An experiment's definition is wrong; tells where, what, and the mend."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        #: Where the mistake is, such as `checkout-button.weights`.
        self.path = path
        #: What is wrong there, and the mend.
        self.problem = problem


class ConfigurationError(ABMiddlewareError, ValueError):
    """The engine or an adapter is set up wrongly."""


class UnknownExperimentError(ABMiddlewareError, LookupError):
    """No configuration knows the key of an experiment (raised in strict mode only)."""

    def __init__(self, key: str, nearest: Sequence[str]) -> None:
        hint = f"did you mean {' or '.join(map(repr, nearest))}?" if nearest else "define it first."
        super().__init__(
            f"no experiment {key!r} is configured, so nobody gets a variation of it; {hint}"
        )
        self.key = key
        self.nearest = tuple(nearest)


class RecordError(ABMiddlewareError, ValueError):
    """An outcome cannot be recorded as given (raised in strict mode only)."""
