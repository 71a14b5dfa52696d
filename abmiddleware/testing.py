"""For the tests of a team: variations that are given, and records that can be looked at.

Both reach every engine of the process, those that are made later too, and so the application under
test in its threads, its event loops and a live server.
"""

from __future__ import annotations

import functools
import inspect
import unittest
import warnings
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from types import TracebackType
from typing import Any, Final, TypeVar, cast, overload

from abmiddleware import live
from abmiddleware.engine import Engine
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.features import Feature
from abmiddleware.evaluation.naming import index_of, shown_names
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.exposures.records import Exposure
from abmiddleware.exposures.sinks.memory import MemorySink

#: A function, a coroutine function, or a class of tests.
Tests = TypeVar("Tests", bound="Callable[..., Any]")

_MISSING: Final = object()


class _Staged:
    """What holds within a `with`, a function, a coroutine or the tests of a class."""

    def _layer(self) -> live.Rehearsal:
        raise NotImplementedError

    def __enter__(self) -> object:
        """Let it hold."""
        live.stage(self._layer())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let what held before hold again."""
        live.unstage(self._layer())

    def __call__(self, tests: Tests) -> Tests:
        """Let it hold for a test, or for each test of a class."""
        if isinstance(tests, type):
            self._around(tests)
            return tests
        if inspect.isasyncgenfunction(tests) or inspect.isgeneratorfunction(tests):
            raise ConfigurationError(
                f"{type(self).__name__}: stands on the generator {tests.__name__}, must stand on a "
                "test; in a fixture, use `with` around its yield"
            )
        if inspect.iscoroutinefunction(tests):

            @functools.wraps(tests)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await tests(*args, **kwargs)

            return cast(Tests, awaited)

        @functools.wraps(tests)
        def called(*args: Any, **kwargs: Any) -> Any:
            with self:
                return tests(*args, **kwargs)

        return cast(Tests, called)

    def _around(self, tests: type[Any]) -> None:
        """Let it hold for each test of a class: all of a `TestCase`'s run, or the methods."""
        if issubclass(tests, unittest.TestCase):
            tests.run = self(tests.run)  # type: ignore[method-assign]  # with its set-up
            return
        for name in dir(tests):
            method = getattr(tests, name)
            if name.startswith("test") and inspect.isfunction(method):
                setattr(tests, name, self(method))


class force(_Staged):  # noqa: N801  # it reads as a function, as `contextlib.suppress` does
    """Give everybody a variation of an experiment, or a value of a feature.

        with force("checkout-button", "one-click"):
            response = client.get("/cart")

    It decorates functions, coroutine functions and classes of tests as well. Exposures are
    recorded as at any other time, with `forced` set, so that a test can look at them.

    Args:
        what: an experiment or feature, its key, or a dictionary of several by their keys.
        value: the variation by its name, its value or its index; or the value of the feature.

    Raises:
        ConfigurationError: there is no such variation, as far as the experiment is known already.
    """

    def __init__(
        self,
        what: Experiment[Any] | Feature[Any] | str | Mapping[str, object],
        value: object = _MISSING,
    ) -> None:
        if isinstance(what, Mapping) == (value is not _MISSING):
            raise ConfigurationError(
                f"force: is given {shown(what)}, must be given an experiment and its variation, "
                "or a dictionary of several"
            )
        given = what if isinstance(what, Mapping) else {_key(what): value}
        if isinstance(what, Experiment):
            _check(what.plan, value)
        for key, one in given.items():
            _check_known(key, one)
        self._staged = live.Rehearsal(dict(given))
        self._unknown = set(given)

    def __enter__(self) -> object:
        """Let it hold."""
        made = super().__enter__()
        self._look()
        return made

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let what held before hold again; warn of a key that nothing knew."""
        self._look()
        self._unknown -= live.met()
        super().__exit__(kind, error, trace)
        known = {key for one in _engines() for key in one.known_keys()}
        for key in sorted(self._unknown if known else ()):
            near = ", ".join(map(repr, get_close_matches(key, known, 3) or sorted(known)[:3]))
            warnings.warn(
                f"force: no engine knows {key!r}, so nothing was forced; must be such as {near}",
                stacklevel=2,
            )

    def _look(self) -> None:
        """Take note of the keys that an engine knows by now."""
        for engine in _engines():
            self._unknown -= engine.known_keys()

    def _layer(self) -> live.Rehearsal:
        return self._staged


class capture(_Staged):  # noqa: N801
    """Keep records in memory in the place of every engine's own sink.

    with capture() as records:
        client.get("/cart")
    assert [exposure.experiment_key for exposure in records.exposures] == ["checkout-button"]
    """

    def __init__(self) -> None:
        self.sink = MemorySink()
        self._staged = live.Rehearsal(sink=self.sink)

    def __enter__(self) -> MemorySink:
        """Keep records from now on; return where they are."""
        super().__enter__()
        return self.sink

    def _layer(self) -> live.Rehearsal:
        return self._staged


class Exposures(Sequence[Exposure]):
    """The exposures that a sink has by now, in their order."""

    def __init__(self, sink: MemorySink) -> None:
        self._sink = sink

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._sink.exposures)

    @overload
    def __getitem__(self, index: int) -> Exposure: ...
    @overload
    def __getitem__(self, index: slice) -> list[Exposure]: ...
    def __getitem__(self, index: int | slice) -> Exposure | list[Exposure]:
        """Return one, or some."""
        return self._sink.exposures[index]

    def __repr__(self) -> str:
        """Return what a failed assertion shows."""
        return repr(self._sink.exposures)


def _engines() -> list[Engine]:
    return [one for one in live.engines() if isinstance(one, Engine)]


def _key(what: object) -> str:
    if isinstance(what, (Experiment, Feature)):
        return what.key
    if isinstance(what, str) and what:
        return what
    raise ConfigurationError(f"force: is given {shown(what)}, must be an experiment or its key")


def _check_known(key: str, value: object) -> None:
    """See that an engine's experiment has the variation, if one knows the key."""
    snapshots = [one.snapshot for one in _engines()]
    known = [one for one in snapshots if key in one.plans and key not in one.flags]
    plans = [one.plans[key] for one in known]
    if all(index_of(plan.parts.arms, value) is None for plan in plans) and plans:
        _check(plans[0], value)


def _check(plan: Plan, value: object) -> None:
    arms = plan.parts.arms
    if index_of(arms, value) is None:
        raise ConfigurationError(
            f"force: experiment {plan.key!r} has no variation {shown(value)}, only "
            f"{shown_names(arms)}"
        )
