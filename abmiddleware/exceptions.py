"""The errors that abmiddleware raises; all at set-up, or in `strict` mode at the call.

* ABMiddlewareError
  + DefinitionError (also a ValueError): an experiment's definition is wrong
  + ConfigurationError (also a ValueError): the engine's set-up is wrong
  + DocumentError (also a ValueError): a source's document cannot be used
  + UnknownExperimentError (also a LookupError): no configuration knows the key
  + UnknownFeatureError (also a LookupError): no configuration knows the key
  + RecordError (also a ValueError): an outcome that cannot be recorded
  + HandoverError (also a ValueError): what a task was handed is not what a request has told
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


class DocumentError(ABMiddlewareError, ValueError):
    """A source's document cannot be used as a whole; the configuration before it stays."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        #: Where in the document the mistake is, such as `features`.
        self.path = path
        #: What is wrong there, and the mend.
        self.problem = problem


class UnknownExperimentError(ABMiddlewareError, LookupError):
    """No configuration knows the key of an experiment (raised in strict mode only)."""

    def __init__(self, key: str, nearest: Sequence[str], *, is_feature: bool = False) -> None:
        hint = "it is a feature: ask feature(), value() or is_on()." if is_feature else None
        super().__init__(
            f"no experiment {key!r} is configured, so nobody gets a variation of it; "
            f"{hint or _nearest(nearest)}"
        )
        self.key = key
        self.nearest = tuple(nearest)


class UnknownFeatureError(ABMiddlewareError, LookupError):
    """No configuration knows the key of a feature (raised in strict mode only)."""

    def __init__(self, key: str, nearest: Sequence[str], *, is_experiment: bool = False) -> None:
        hint = "it is an experiment: ask run() or value()." if is_experiment else None
        super().__init__(
            f"no feature {key!r} is configured, so it has no value; {hint or _nearest(nearest)}"
        )
        self.key = key
        self.nearest = tuple(nearest)


def _nearest(nearest: Sequence[str]) -> str:
    return f"did you mean {' or '.join(map(repr, nearest))}?" if nearest else "define it first."


class RecordError(ABMiddlewareError, ValueError):
    """An outcome cannot be recorded as given (raised in strict mode only)."""


class MustBeAwaitedError(ConfigurationError):
    """A coroutine asks in a way that would hold up its event loop."""


class HandoverError(ABMiddlewareError, ValueError):
    """What was handed over is not what a request has told."""
