"""Starts a shop, sends it visitors, and prints what its journal says of the experiments."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import httpx2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from example_apps.demo.report import report
from example_apps.demo.server import FRAMEWORKS, ServerError, running_shop
from example_apps.demo.traffic import Visit, send_visitors

#: Several processes append to one journal. One for uvicorn: without uvloop, asyncio leaves Nagle's
#: algorithm on in sockets that uvicorn hands to workers, and every answer comes 40 ms late.
WORKERS: Final = {"fastapi": 1, "flask": 2, "django": 2}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration; return 0 if all is as it should be."""
    parser = argparse.ArgumentParser(prog="python -m example_apps.demo", description=__doc__)
    parser.add_argument("--framework", choices=FRAMEWORKS, default=FRAMEWORKS[0])
    parser.add_argument("--visitors", type=int, default=2000)
    options = parser.parse_args(arguments)
    journal = Path(f"var/demo-{options.framework}.jsonl")
    console = Console()
    try:
        visits = _visits(console, options.framework, journal, options.visitors)
    except (ServerError, httpx2.HTTPError, ValueError) as error:
        console.print(f"Wrong: {type(error).__name__}: {error}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130
    return 1 if report(console, options.framework, journal, visits) else 0


def _visits(console: Console, framework: str, journal: Path, visitors: int) -> list[Visit]:
    log = journal.with_suffix(".log")
    with running_shop(framework, journal, log, WORKERS[framework]) as address:
        console.print(f"The {framework} shop runs at {address} (its log: {log})")
        columns = (TextColumn("visitors"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("", total=visitors)
            return asyncio.run(send_visitors(address, visitors, lambda: progress.advance(task)))


if __name__ == "__main__":
    sys.exit(main())
