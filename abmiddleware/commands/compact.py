"""Turn closed days of the journal into Parquet."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from abmiddleware.agent.settings import MIB, Settings, directory_of
from abmiddleware.compaction.compact import BusyError, Compaction, Order
from abmiddleware.compaction.summary import shown
from abmiddleware.exceptions import ConfigurationError

#: Seconds between two looks of the counter.
_LOOKS: Final = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--journal", metavar="FILE", help="the journal's file")
    parser.add_argument(
        "--out", metavar="DIRECTORY", help="for the Parquet files; FILE with .parquet for its end"
    )
    parser.add_argument(
        "--until",
        type=_date,
        metavar="DATE",
        help="the last UTC day to compact, such as 2026-11-22; yesterday",
    )
    parser.add_argument(
        "--grace",
        type=_seconds,
        default=300.0,
        help="seconds without a record after which a rotated file gets no more (%(default)s)",
    )
    parser.add_argument(
        "--delete",
        action="store_true",
        help="delete files that are kept as Parquet, read back, and delivered by the agents",
    )
    parser.add_argument(
        "--state",
        metavar="DIRECTORY",
        action="append",
        default=[],
        help="of another agent that must have delivered them, besides FILE.agent",
    )
    parser.add_argument("--json", action="store_true", help="tell what was done as JSON")


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code: 1 where something was left.

    Raises:
        ConfigurationError: an argument is wrong, or a package is missing.
        OSError: a directory cannot be used.
    """
    order = _order(options)
    counter = _Counter() if sys.stderr.isatty() else None
    try:
        summary = Compaction(order, _silent if counter is None else counter.tell).run()
    except BusyError as error:
        sys.stderr.write(f"abmiddleware compact: {error}\n")
        return 1
    finally:
        if counter is not None:
            counter.clear()
    sys.stdout.write(
        msgspec.json.encode(summary).decode() + "\n" if options.json else shown(summary)
    )
    return 0 if summary.is_well else 1


def _order(options: argparse.Namespace) -> Order:
    if not options.journal:
        raise ConfigurationError("journal: is missing, must be the journal's file: --journal FILE")
    journal = Path(options.journal).absolute()
    today = datetime.now(UTC).date()
    if options.until is not None and options.until > today:
        raise ConfigurationError(f"until: is {options.until}, must not be after today, {today} UTC")
    states = [Path(state).absolute() for state in options.state]
    if missing := [state for state in states if not state.is_dir()]:
        raise ConfigurationError(f"state: there is no directory {missing[0]}")
    own = directory_of(journal)
    return Order(
        journal=journal,
        directory=Path(options.out or journal.with_suffix(".parquet")).absolute(),
        quarantine=Settings(journal=journal, destination="", directory=own).quarantine,
        agents=[*states, *([own] if own.is_dir() else [])],
        until=options.until or today - timedelta(days=1),
        grace=options.grace,
        deletes=options.delete,
    )


def _silent(read: int, total: int, rows: int) -> None:
    """Tell nothing."""


class _Counter:
    """A line on the terminal that tells how far it is."""

    def __init__(self) -> None:
        self._next = 0.0

    def tell(self, read: int, total: int, rows: int) -> None:
        """Replace the line, a few times a second."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _LOOKS
        share = 100 * read // max(total, 1)
        sys.stderr.write(f"\r{share:3} % of {total / MIB:,.0f} MiB, {rows:,} rows\x1b[K")
        sys.stderr.flush()

    def clear(self) -> None:
        """Remove the line."""
        sys.stderr.write("\r\x1b[K")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"is {text}, must be a day such as 2026-11-22") from None


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"is {text}, must be seconds, 0 or more")
    return number
