"""The command line: `abmiddleware COMMAND …`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from abmiddleware.exceptions import ABMiddlewareError

#: The modules of `abmiddleware.commands`, and what they do.
COMMANDS: Final = {
    "aa": "replay an experiment with nothing to find, and count what it finds",
    "agent": "ship the journal to a warehouse, and tell how that goes",
    "archive": "search what was learnt from experiments",
    "check": "tell what is wrong with an engine's configuration",
    "compact": "turn rotated files of the journal into Parquet",
    "impact": "add up what all decided experiments brought",
    "lint": "find known mistakes of experiments before they start",
    "list": "list the experiments and features that an engine serves",
    "override": "sign a link by which one of the team sees a variation",
    "plan": "tell how many units an experiment needs, and for how long",
    "report": "tell what is known of an experiment, and what may be concluded",
    "simulate": "tell who gets what, and what goes together",
    "status": "list the experiments that are under way, and what to do next",
    "step": "take an experiment a step further in its life",
}


def main(
    arguments: Sequence[str] | None = None, *, program: str = "abmiddleware", **defaults: object
) -> int:
    """Run a command; return its exit code, which is 2 where it is told something wrong.

    Args:
        arguments: the command line; None for the process' own.
        program: what it is called by.
        defaults: of arguments, by their names.
    """
    parser = argparse.ArgumentParser(program, description="Server-side experiments.")
    add_commands(parser, **defaults)
    options = vars(parser.parse_args(arguments))
    try:
        return run_command(options)
    except (ABMiddlewareError, OSError) as error:
        sys.stderr.write(f"{program} {options['experiments_command']}: {error}\n")
        return 2


def add_commands(parser: argparse.ArgumentParser, **defaults: object) -> None:
    """Add the commands to a parser.

    Args:
        parser: of the command line.
        defaults: of arguments, by their names; None leaves them as they are.
    """
    commands = parser.add_subparsers(dest="experiments_command", required=True, metavar="COMMAND")
    known = {name: value for name, value in defaults.items() if value is not None}
    for name, what in COMMANDS.items():
        command = commands.add_parser(name, help=what, description=what)
        _module(name).add_arguments(command)
        command.set_defaults(**known)


def run_command(options: Mapping[str, object]) -> int:
    """Run the command that was parsed; return its exit code.

    Raises:
        ABMiddlewareError: it was told something wrong.
        OSError: a file cannot be used.
    """
    name = str(options["experiments_command"])
    code: int = _module(name).run(argparse.Namespace(**options))
    return code


def _module(command: str) -> Any:
    return import_module(f"abmiddleware.commands.{command}")


if __name__ == "__main__":
    sys.exit(main())
