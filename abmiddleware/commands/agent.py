"""Ship the journal to a warehouse."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import Final

import msgspec

from abmiddleware.agent.running import Runner
from abmiddleware.agent.settings import LEAST_QUOTA, MIB, Settings, directory_of
from abmiddleware.agent.status import shown, status_of
from abmiddleware.exceptions import ConfigurationError

#: The address of the destination, which may hold a password that no list of processes should show.
DESTINATION: Final = "ABMIDDLEWARE_DESTINATION"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--journal", metavar="FILE", help="the journal's file")
    parser.add_argument(
        "--destination",
        metavar="URL",
        help="postgresql://…, duckdb:///FILE, parquet:/DIRECTORY or dlt:NAME; "
        f"else the environment's {DESTINATION}",
    )
    parser.add_argument("--dataset", default="experiments", help="schema or folder of the tables")
    parser.add_argument("--state", metavar="DIRECTORY", help="the agent's own; FILE.agent")
    parser.add_argument(
        "--batch", type=_count, default=200_000, help="records of a load package (%(default)s)"
    )
    parser.add_argument(
        "--interval", type=_seconds, default=10.0, help="seconds between deliveries (%(default)s)"
    )
    parser.add_argument(
        "--quota", type=_mebibytes, default=1024, help="MiB the agent may store (%(default)s)"
    )
    parser.add_argument("--once", action="store_true", help="deliver what is there, and end")
    parser.add_argument("--status", action="store_true", help="tell how the agent is doing")
    parser.add_argument("--json", action="store_true", help="tell it as JSON")


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code.

    Raises:
        ConfigurationError: an argument is wrong, or a package is missing.
    """
    if not options.journal:
        raise ConfigurationError("journal: is missing, must be the journal's file: --journal FILE")
    journal = Path(options.journal).absolute()
    directory = Path(options.state).absolute() if options.state else directory_of(journal)
    if options.status:
        return _tell(journal, directory, as_json=options.json)
    destination = options.destination or os.environ.get(DESTINATION, "")
    settings = Settings(
        journal=journal,
        destination=destination,
        directory=directory,
        dataset=options.dataset,
        batch=options.batch,
        interval=options.interval,
        quota=options.quota * MIB,
    )
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    logging.getLogger("abmiddleware").setLevel(logging.INFO)
    return Runner(settings, once=options.once).run()


def _tell(journal: Path, directory: Path, *, as_json: bool) -> int:
    status = status_of(journal, directory)
    text = msgspec.json.encode(status).decode() + "\n" if as_json else shown(status)
    sys.stdout.write(text)
    return 0 if status.is_well else 1


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"is {text}, must be 1 or more")
    return number


def _mebibytes(text: str) -> int:
    number = int(text)
    if number < LEAST_QUOTA:
        raise argparse.ArgumentTypeError(f"is {text}, must be {LEAST_QUOTA} or more")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"is {text}, must be seconds, more than 0")
    return number
