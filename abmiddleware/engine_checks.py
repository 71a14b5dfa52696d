"""What the arguments of an engine must be; a mistake raises when the engine is made."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, Final

from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.exposures.sinks import Sink
from abmiddleware.identity import VisitorCookie

#: Such a path does not become one that can be opened by waiting.
_NEVER: Final = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR)


def _refuse(path: str, value: object, must: str) -> ConfigurationError:
    return ConfigurationError(f"{path}: is {shown(value)}, must be {must}")


def _must_be_awaited(function: object) -> bool:
    """Tell whether what a function returns must be awaited."""
    while isinstance(function, partial):
        function = function.func
    return iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__)


def check_experiments(experiments: object) -> list[Experiment[Any]]:
    """Return the experiments as a list.

    Raises:
        ConfigurationError: it is no list of experiments.
    """
    if isinstance(experiments, (str, bytes, Mapping)) or not isinstance(experiments, Iterable):
        raise _refuse("experiments", experiments, "a list of Experiment")
    listed = list(experiments)
    for index, experiment in enumerate(listed):
        if not isinstance(experiment, Experiment):
            raise _refuse(f"experiments[{index}]", experiment, "an Experiment")
    return listed


def check_journal(place: str, journal: object) -> Path:
    """Return the path of a journal.

    Args:
        place: where the path was given.
        journal: the path.

    Raises:
        ConfigurationError: no file can be there, or one that a write could block on.
    """
    if not isinstance(journal, (str, os.PathLike)) or not os.fspath(journal):
        raise _refuse(place, journal, "the path of a file")
    path = Path(os.fsdecode(journal))
    try:
        kind = path.stat().st_mode
    except OSError as error:
        if error.errno in _NEVER:
            raise _refuse(place, journal, f"one that opens ({error.strerror})") from None
        return path  # it is not there yet, or may not be looked at
    except ValueError:
        raise _refuse(place, journal, "a path without a NUL or half a character") from None
    if stat.S_ISDIR(kind):
        raise _refuse(place, journal, "a file, and there is a directory")
    if stat.S_ISFIFO(kind):
        raise _refuse(place, journal, "a file, and there is a pipe, which may block")
    return path


def check_sink(sink: object) -> Sink:
    """Return a sink.

    Raises:
        ConfigurationError: records handed to it would be lost.
    """
    if isinstance(sink, type):
        raise _refuse("sink", sink, f"an object of that class, such as {sink.__name__}()")
    if not isinstance(sink, Sink) or not callable(sink.write):
        raise ConfigurationError(
            f"sink: is {shown(sink)}, must have a method write(records), as Journal(path) has"
        )
    if _must_be_awaited(sink.write):
        raise ConfigurationError(
            "sink.write: is a coroutine function, must be a plain one: "
            "records are written before the response starts"
        )
    return sink


def check_cookie(cookie: object) -> VisitorCookie:
    """Return how the cookie is set.

    Raises:
        ConfigurationError: it is no VisitorCookie.
    """
    if not isinstance(cookie, VisitorCookie):
        raise _refuse("cookie", cookie, "a VisitorCookie, such as VisitorCookie(name='ab_id')")
    return cookie


def check_attributes(attributes: object) -> dict[str, Any]:
    """Return the functions of attributes by name.

    Raises:
        ConfigurationError: a name or a function is wrong.
    """
    if not isinstance(attributes, Mapping):
        raise _refuse("attributes", attributes, "a dictionary of functions by attribute name")
    for name, function in attributes.items():
        if not isinstance(name, str) or not name:
            raise _refuse(f"attributes[{shown(name)}]", name, "under the name of an attribute")
        if not callable(function):
            raise _refuse(f"attributes[{name!r}]", function, "a function of the request")
        if _must_be_awaited(function):
            raise ConfigurationError(
                f"attributes[{name!r}]: is a coroutine function, must be a plain one; what must be "
                f"awaited is given in the view, by experiments.identify({name}=...)"
            )
    return dict(attributes)


def check_names(path: str, names: object) -> tuple[str, ...]:
    """Return names of attributes.

    Raises:
        ConfigurationError: it is no list of names.
    """
    if isinstance(names, (str, bytes, Mapping)) or not isinstance(names, Iterable):
        raise _refuse(path, names, "a list of attribute names")
    listed = tuple(names)
    for index, name in enumerate(listed):
        if not isinstance(name, str) or not name:
            raise _refuse(f"{path}[{index}]", name, "the name of an attribute")
    return listed


def check_text(path: str, value: object) -> str:
    """Return a text.

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(value, str):
        raise _refuse(path, value, "a text")
    return value


def check_flag(path: str, value: object) -> bool:
    """Return a flag.

    Raises:
        ConfigurationError: it is neither True nor False.
    """
    if not isinstance(value, bool):
        raise _refuse(path, value, "True or False")
    return value


def check_forced(forced: object, experiments: Mapping[str, Experiment[Any]]) -> dict[str, int]:
    """Return the forced variations.

    Raises:
        ConfigurationError: an experiment or a variation among them does not exist.
    """
    if not isinstance(forced, Mapping):
        raise _refuse("forced_variations", forced, "a dictionary of indices by experiment key")
    for key, index in forced.items():
        path = f"forced_variations[{shown(key)}]"
        experiment = experiments.get(key)
        if experiment is None:
            raise ConfigurationError(
                f"{path}: is of no experiment of this engine, must be {_nearest(key, experiments)}"
            )
        count = len(experiment.variations)
        if type(index) is not int or not 0 <= index < count:
            raise _refuse(path, index, f"the index of a variation, 0 to {count - 1}")
    return dict(forced)


def _nearest(key: object, experiments: Mapping[str, Experiment[Any]]) -> str:
    if not experiments:
        return "left out: the engine has none"
    near = get_close_matches(str(key), experiments, n=3) or sorted(experiments)[:3]
    return f"one of them, such as {', '.join(map(repr, near))}"
