"""What the arguments of an engine must be; a mistake raises when the engine is made."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from abmiddleware.baggage import Baggage
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.features import Feature
from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError, DefinitionError
from abmiddleware.exposures.sinks import Sink
from abmiddleware.identity import IdHeader, VisitorCookie
from abmiddleware.overrides import Overrides
from abmiddleware.sources import Source
from abmiddleware.stickiness import AnyStore
from abmiddleware.sticky.cookie import CookieStickyStore
from abmiddleware.sticky.stores import StickyStore
from abmiddleware.telemetry import Signals, Telemetry
from abmiddleware.value_checks import must_be_awaited, refuse

#: Such a path does not become one that can be opened by waiting.
_NEVER: Final = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR)


def check_definitions(experiments: object) -> list[Experiment[Any] | Feature[Any]]:
    """Return the experiments and features as a list.

    Raises:
        ConfigurationError: it is no list of them.
        DefinitionError: two experiments or two features have the same key.
    """
    if isinstance(experiments, (str, bytes, Mapping)) or not isinstance(experiments, Iterable):
        raise refuse("experiments", experiments, "a list of Experiment and Feature")
    listed = list(experiments)
    seen: dict[tuple[type, str], int] = {}
    for index, definition in enumerate(listed):
        if not isinstance(definition, (Experiment, Feature)):
            raise refuse(f"experiments[{index}]", definition, "an Experiment or a Feature")
        kind = Experiment if isinstance(definition, Experiment) else Feature
        first = seen.setdefault((kind, definition.key), index)
        if first != index:
            raise DefinitionError(
                f"experiments[{index}].key",
                f"is {definition.key!r} as is that of experiments[{first}], must be its own",
            )
    return listed


def check_sources(sources: object) -> list[Source]:
    """Return the sources as a list.

    Raises:
        ConfigurationError: it is no list of them.
    """
    if isinstance(sources, (str, bytes, Mapping)) or not isinstance(sources, Iterable):
        raise refuse("sources", sources, "a list of sources, such as [GrowthBook('sdk-abc')]")
    listed = list(sources)
    for index, source in enumerate(listed):
        if isinstance(source, type) or not isinstance(source, Source):
            raise refuse(f"sources[{index}]", source, "a source, such as File('flags.json')")
        first = next(number for number, other in enumerate(listed) if other is source)
        if first != index:
            raise refuse(f"sources[{index}]", source, f"another one than sources[{first}]")
    return listed


def check_sticky(store: object) -> AnyStore:
    """Return a sticky store.

    Raises:
        ConfigurationError: it is none.
    """
    if isinstance(store, type):
        raise refuse("sticky", store, f"an object of that class, such as {store.__name__}(...)")
    if isinstance(store, StickyStore) and (
        must_be_awaited(store.load) is not must_be_awaited(store.save)
    ):
        raise ConfigurationError(
            f"sticky: {type(store).__name__} has one of load and save that must be awaited, and "
            "one that must not; both must be alike"
        )
    if isinstance(store, (CookieStickyStore, StickyStore)):
        return store
    raise refuse("sticky", store, "a store such as MemoryStickyStore(), with load and save")


def check_journal(place: str, journal: object) -> Path:
    """Return the path of a journal.

    Args:
        place: where the path was given.
        journal: the path.

    Raises:
        ConfigurationError: no file can be there, or one that a write could block on.
    """
    if not isinstance(journal, (str, os.PathLike)) or not os.fspath(journal):
        raise refuse(place, journal, "the path of a file, or a Journal")
    path = Path(os.fsdecode(journal))
    try:
        kind = path.stat().st_mode
    except OSError as error:
        if error.errno in _NEVER:
            raise refuse(place, journal, f"one that opens ({error.strerror})") from None
        return path  # it is not there yet, or may not be looked at
    except ValueError:
        raise refuse(place, journal, "a path without a NUL or half a character") from None
    if stat.S_ISDIR(kind):
        raise refuse(place, journal, "a file, and there is a directory")
    if stat.S_ISFIFO(kind):
        raise refuse(place, journal, "a file, and there is a pipe, which may block")
    return path


def check_sink(sink: object) -> Sink:
    """Return a sink.

    Raises:
        ConfigurationError: records handed to it would be lost.
    """
    if isinstance(sink, type):
        raise refuse("sink", sink, f"an object of that class, such as {sink.__name__}()")
    if not isinstance(sink, Sink) or not callable(sink.write):
        raise ConfigurationError(
            f"sink: is {shown(sink)}, must have a method write(records), as Journal(path) has"
        )
    if must_be_awaited(sink.write):
        raise ConfigurationError(
            "sink.write: is a coroutine function, must be a plain one: "
            "records are written before the response starts"
        )
    return sink


def check_telemetry(telemetry: object) -> Signals | None:
    """Return what tells OpenTelemetry, or None.

    Raises:
        ConfigurationError: it is neither True, False nor what is to be told.
    """
    if telemetry is True or telemetry is False:
        return Signals(Telemetry()) if telemetry else None
    if not isinstance(telemetry, Telemetry):
        raise refuse("telemetry", telemetry, "a Telemetry, such as Telemetry(ids='raw'), or False")
    return Signals(telemetry)


def check_cookie(cookie: object) -> VisitorCookie:
    """Return how the cookie is set.

    Raises:
        ConfigurationError: it is no VisitorCookie.
    """
    if not isinstance(cookie, VisitorCookie):
        raise refuse("cookie", cookie, "a VisitorCookie, such as VisitorCookie(name='ab_id')")
    return cookie


def check_overrides(overrides: object) -> Overrides | None:
    """Return how people may ask for a variation.

    Raises:
        ConfigurationError: it is something else.
    """
    if overrides is not None and not isinstance(overrides, Overrides):
        raise refuse("overrides", overrides, "an Overrides, such as Overrides(allow=is_staff)")
    return overrides


def check_id_header(header: object) -> IdHeader | None:
    """Return the header that tells who visits.

    Raises:
        ConfigurationError: it is something else.
    """
    if header is not None and not isinstance(header, IdHeader):
        raise refuse(
            "id_header", header, "an IdHeader, such as IdHeader('x-device-id', trusted=...)"
        )
    return header


def check_baggage(baggage: object) -> Baggage | None:
    """Return what is taken over of a calling service.

    Raises:
        ConfigurationError: it is something else.
    """
    if baggage is not None and not isinstance(baggage, Baggage):
        raise refuse("baggage", baggage, "a Baggage, such as Baggage(['checkout'], trusted=...)")
    return baggage


def check_attributes(attributes: object) -> dict[str, Any]:
    """Return the functions of attributes by name.

    Raises:
        ConfigurationError: a name or a function is wrong.
    """
    if not isinstance(attributes, Mapping):
        raise refuse("attributes", attributes, "a dictionary of functions by attribute name")
    for name, function in attributes.items():
        if not isinstance(name, str) or not name:
            raise refuse(f"attributes[{shown(name)}]", name, "under the name of an attribute")
        if callable(function) and must_be_awaited(function):
            raise ConfigurationError(
                f"attributes[{name!r}]: is a coroutine function, must be a plain one; what must be "
                f"awaited is given in the view, by experiments.identify({name}=...)"
            )
    return dict(attributes)


def check_forced(
    forced: object, definitions: Sequence[Experiment[Any] | Feature[Any]] | None
) -> dict[str, int]:
    """Return the forced variations.

    Args:
        forced: index of a variation by experiment key, or None.
        definitions: all that is known; None where more may come.

    Raises:
        ConfigurationError: an experiment or a variation among them does not exist.
    """
    if forced is None:
        return {}
    if not isinstance(forced, Mapping):
        raise refuse("forced_variations", forced, "a dictionary of indices by experiment key")
    experiments = {each.key: each for each in definitions or () if isinstance(each, Experiment)}
    for key, index in forced.items():
        path = f"forced_variations[{shown(key)}]"
        experiment = experiments.get(key)
        if experiment is None and definitions is not None:
            raise ConfigurationError(
                f"{path}: is of no experiment of this engine, must be {_nearest(key, experiments)}"
            )
        count = None if experiment is None else len(experiment.variations)
        if type(index) is not int or index < 0 or (count is not None and index >= count):
            limits = "" if count is None else f", 0 to {count - 1}"
            raise refuse(path, index, f"the index of a variation{limits}")
    return dict(forced)


def check_forced_features(forced: object) -> dict[str, object]:
    """Return the forced values of features.

    Raises:
        ConfigurationError: it is no dictionary of them.
    """
    if forced is None:
        return {}
    if not isinstance(forced, Mapping) or not all(isinstance(key, str) for key in forced):
        raise refuse("forced_features", forced, "a dictionary of values by feature key")
    return dict(forced)


def _nearest(key: object, experiments: Mapping[str, Experiment[Any]]) -> str:
    if not experiments:
        return "left out: the engine has none"
    near = get_close_matches(str(key), experiments, n=3) or sorted(experiments)[:3]
    return f"one of them, such as {', '.join(map(repr, near))}"
