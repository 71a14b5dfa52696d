"""The engine that a command looks at."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from abmiddleware.engine import Engine
from abmiddleware.exceptions import ConfigurationError

#: Seconds to wait for a configuration that comes over the network.
_PATIENCE = 10.0


def add_engine_argument(parser: argparse.ArgumentParser) -> None:
    """Declare which engine it is."""
    parser.add_argument(
        "--engine", metavar="MODULE:NAME", help="where the engine is, as shop.experiments:engine"
    )


def engine_of(options: argparse.Namespace) -> Engine:
    """Return the engine, with its configuration if that can be had.

    Raises:
        ConfigurationError: it is not there.
    """
    told = options.engine
    engine = told() if callable(told) else _imported(told)
    if not isinstance(engine, Engine):
        raise ConfigurationError(f"engine: {told} is {engine!r}, must be an Engine")
    engine.wait_until_ready(_PATIENCE)
    return engine


def _imported(told: str | None) -> object:
    module, _, name = (told or "").partition(":")
    if not module or not name:
        raise ConfigurationError(
            f"engine: is {told!r}, must be a module and a name: --engine shop.experiments:engine"
        )
    sys.path.insert(0, str(Path.cwd()))  # as `python -m` has it
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"engine: {told} cannot be imported: {error}") from error
    finally:
        sys.path.remove(str(Path.cwd()))
