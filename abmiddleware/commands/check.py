"""Check that an engine has its configuration, and that all of it can be used."""

from __future__ import annotations

import argparse
import sys

from abmiddleware.commands.engines import add_engine_argument, engine_of
from abmiddleware.sources import SourceStatus


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_engine_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Print what is wrong; return the exit code: 1 if something is.

    Raises:
        ConfigurationError: there is no engine.
    """
    health = engine_of(options).health()
    wrong = [line for status in health.sources for line in _problems(status)]
    served = f"{_count(health.experiments, 'experiment')}, {_count(health.features, 'feature')}"
    sys.stdout.write("".join(f"{line}\n" for line in wrong))
    sys.stdout.write(f"{served}: {_count(len(wrong), 'problem')}\n")
    return 1 if wrong else 0


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'s' * (number != 1)}"


def _problems(status: SourceStatus) -> list[str]:
    """Return what is wrong with a source."""
    found = [f"{status.name}: {one.path}: {one.problem}" for one in status.problems]
    if status.last_error:
        found.append(f"{status.name}: {status.last_error}")
    elif not status.ready:
        found.append(f"{status.name}: has no configuration")
    return found
