"""Optional packages, loaded when what needs them is made, and not before."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from abmiddleware.exceptions import ConfigurationError


def required(module: str, extra: str, needed_by: str) -> Any:
    """Return a module of an optional package.

    Args:
        module: its dotted name.
        extra: the extra of abmiddleware that brings the package.
        needed_by: who asks, for the message.

    Raises:
        ConfigurationError: the package is not installed; the message says how to.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise  # the package is there, and broken
        raise ConfigurationError(
            f"{needed_by}: needs the package {package}; install it with "
            f"pip install 'abmiddleware[{extra}]'"
        ) from None
