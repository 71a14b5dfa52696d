"""What plain values among an engine's arguments must be, such as names, flags and functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, Final

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError

_HOST: Final = re.compile(r"[A-Za-z0-9.\[\]:-]{1,255}")


def refuse(path: str, value: object, must: str) -> ConfigurationError:
    """Return the error of an argument: where it is, what it is and what it must be."""
    return ConfigurationError(f"{path}: is {shown(value)}, must be {must}")


def must_be_awaited(function: object) -> bool:
    """Tell whether what a function returns must be awaited."""
    while isinstance(function, partial):
        function = function.func
    return iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__)


def check_function(path: str, function: object) -> Any:
    """Return a function, or None.

    Raises:
        ConfigurationError: it cannot be called, or must be awaited.
    """
    if function is not None and (not callable(function) or must_be_awaited(function)):
        raise refuse(path, function, "a plain function")
    return function


def check_names(path: str, names: object, *, of: str = "an attribute") -> tuple[str, ...]:
    """Return names of attributes, or of something else.

    Raises:
        ConfigurationError: it is no list of names.
    """
    if isinstance(names, (str, bytes, Mapping)) or not isinstance(names, Iterable):
        raise refuse(path, names, f"a list of names, each of {of}")
    listed = tuple(names)
    for index, name in enumerate(listed):
        if not isinstance(name, str) or not name:
            raise refuse(f"{path}[{index}]", name, f"the name of {of}")
    return listed


def check_text(path: str, value: object) -> str:
    """Return a text.

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(value, str):
        raise refuse(path, value, "a text")
    return value


def check_flag(path: str, value: object) -> bool:
    """Return a flag.

    Raises:
        ConfigurationError: it is neither True nor False.
    """
    if not isinstance(value, bool):
        raise refuse(path, value, "True or False")
    return value


def check_hosts(path: str, hosts: object) -> frozenset[str]:
    """Return host names, in lower case.

    Raises:
        ConfigurationError: it is no list of them, or one has more than a host and a port.
    """
    listed = check_names(path, hosts, of="a host")
    for index, host in enumerate(listed):
        if not _HOST.fullmatch(host):
            raise refuse(f"{path}[{index}]", host, "a host, such as 'www.example.com'")
    return frozenset(host.lower() for host in listed)


def check_paths(path: str, paths: object) -> tuple[str, ...]:
    """Return paths of URLs.

    Raises:
        ConfigurationError: it is no list of them, or one does not begin with a slash.
    """
    listed = check_names(path, paths, of="a path")
    for index, each in enumerate(listed):
        if not each.startswith("/") or "?" in each:
            raise refuse(f"{path}[{index}]", each, "a path without a query, such as '/health'")
    return listed
