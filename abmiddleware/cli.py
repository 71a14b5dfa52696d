"""The command line: `abmiddleware COMMAND …`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

from abmiddleware.exceptions import ABMiddlewareError

#: The modules of `abmiddleware.commands`, and what they do.
COMMANDS: Final = {
    "agent": "ship the journal to a warehouse, and tell how that goes",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code, which is 2 where it is told something wrong."""
    parser = argparse.ArgumentParser("abmiddleware", description="Server-side experiments.")
    add_commands(parser)
    options = parser.parse_args(arguments)
    try:
        return run(options)
    except (ABMiddlewareError, OSError) as error:
        sys.stderr.write(f"abmiddleware {options.command}: {error}\n")
        return 2


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add the commands to a parser."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what in COMMANDS.items():
        _module(name).add_arguments(commands.add_parser(name, help=what, description=what))


def run(options: argparse.Namespace) -> int:
    """Run the command that was parsed; return its exit code.

    Raises:
        ABMiddlewareError: it was told something wrong.
        OSError: a file cannot be used.
    """
    code: int = _module(options.command).run(options)
    return code


def _module(command: str) -> Any:
    return import_module(f"abmiddleware.commands.{command}")


if __name__ == "__main__":
    sys.exit(main())
