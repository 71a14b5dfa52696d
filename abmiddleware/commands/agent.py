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
from abmiddleware.agent.settings import LEAST_QUOTA, MIB, Configuration, Settings, directory_of
from abmiddleware.agent.status import Status, shown, status_of
from abmiddleware.exceptions import ConfigurationError

#: The address of the destination, which may hold a password that no list of processes should show.
DESTINATION: Final = "ABMIDDLEWARE_DESTINATION"
#: The keys of GrowthBook's SDK connection.
CLIENT_KEY: Final = "ABMIDDLEWARE_CLIENT_KEY"
DECRYPTION_KEY: Final = "ABMIDDLEWARE_DECRYPTION_KEY"


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
        "--timeout",
        type=_seconds,
        default=600.0,
        help="seconds after which a delivery is given up and begun again (%(default)s)",
    )
    parser.add_argument(
        "--quota", type=_mebibytes, default=1024, help="MiB the agent may store (%(default)s)"
    )
    parser.add_argument(
        "--configuration",
        metavar="FILE",
        help="also keep this last-good file, which workers follow, as GrowthBook's server has it; "
        f"the client key is in the environment's {CLIENT_KEY}, and that of an encrypted "
        f"connection in {DECRYPTION_KEY}",
    )
    parser.add_argument(
        "--host", default="https://cdn.growthbook.io", help="GrowthBook's server (%(default)s)"
    )
    parser.add_argument(
        "--poll-seconds", type=_seconds, default=60.0, help="between two polls (%(default)s)"
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
    file = Path(options.configuration).absolute() if options.configuration else None
    if options.status:
        return _tell(status_of(journal, directory, file), as_json=options.json)
    settings = Settings(
        journal=journal,
        destination=_destination(options, is_optional=file is not None),
        directory=directory,
        dataset=options.dataset,
        batch=options.batch,
        interval=options.interval,
        timeout=options.timeout,
        quota=options.quota * MIB,
        configuration=None if file is None else _configuration(options, file),
    )
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    logging.getLogger("abmiddleware").setLevel(logging.INFO)
    return Runner(settings, once=options.once).run()


def _destination(options: argparse.Namespace, *, is_optional: bool) -> str:
    told = options.destination or os.environ.get(DESTINATION, "")
    if not told and not is_optional:
        raise ConfigurationError(
            f"destination: is missing, must be given by --destination URL or in {DESTINATION}"
        )
    return str(told)


def _configuration(options: argparse.Namespace, file: Path) -> Configuration:
    key = os.environ.get(CLIENT_KEY)
    if not key:
        raise ConfigurationError(f"{CLIENT_KEY}: is missing, must hold the client key")
    return Configuration(
        file=file,
        client_key=key,
        host=options.host,
        poll_seconds=options.poll_seconds,
        decryption_key=os.environ.get(DECRYPTION_KEY),
    )


def _tell(status: Status, *, as_json: bool) -> int:
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
