"""The engines of this process, so that tests reach them wherever they were made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol
from weakref import WeakSet

from abmiddleware.exposures.sinks import Sink


class Rehearsal(NamedTuple):
    """What tests put in the place of chance and of what is recorded for good."""

    #: By the key of an experiment its variation, or of a feature its value.
    forced: Mapping[str, object] = {}
    #: Takes all records; None leaves each engine its own sink.
    sink: Sink | None = None


class Rehearsable(Protocol):
    """An engine."""

    def rehearse(self, rehearsal: Rehearsal) -> None:
        """Serve as tests say, until they say otherwise."""


_engines: Final[WeakSet[Rehearsable]] = WeakSet()
#: Later ones come before earlier ones.
_layers: Final[list[Rehearsal]] = []
_met: Final[set[str]] = set()


def join(engine: Rehearsable) -> None:
    """Take note of an engine that was made."""
    _engines.add(engine)
    if _layers:
        engine.rehearse(_all_layers())


def engines() -> list[Rehearsable]:
    """Return the engines that are in use."""
    return list(_engines)


def meet(key: str) -> None:
    """Take note of an experiment that a view uses and no engine lists, while tests force some."""
    if _layers:
        _met.add(key)


def met() -> set[str]:
    """Return the keys of such since the last test that forced something began."""
    return set(_met)


def stage(layer: Rehearsal) -> None:
    """Let all engines, and those that are made from now on, serve as tests say."""
    if not _layers:
        _met.clear()
    _layers.append(layer)
    _rehearse()


def unstage(layer: Rehearsal) -> None:
    """Take back what was staged last of such a layer."""
    for index in range(len(_layers) - 1, -1, -1):
        if _layers[index] is layer:
            del _layers[index]
            break
    _rehearse()


def _rehearse() -> None:
    rehearsal = _all_layers()
    for engine in engines():
        engine.rehearse(rehearsal)


def _all_layers() -> Rehearsal:
    forced: dict[str, object] = {}
    sink = None
    for layer in _layers:
        forced.update(layer.forced)
        sink = layer.sink or sink
    return Rehearsal(forced, sink)
