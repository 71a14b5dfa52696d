"""Runs the benchmarks: `python -m benchmarks [--quick] [--output FILE]`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from benchmarks.report import Report

_NEEDS = "the benchmarks need {name}: pip install -e '.[django,flask,fastapi]' --group bench\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks and print their tables."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds: rough figures in seconds")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the figures as JSON")
    options = parser.parse_args(arguments)
    try:
        report = _measured(quick=options.quick)
    except ModuleNotFoundError as error:
        sys.stderr.write(_NEEDS.format(name=error.name))
        return 1
    report.show(_console())
    if options.output is not None:
        options.output.write_text(json.dumps(report.as_json(), indent=2) + "\n", "utf-8")
    return 0


def _measured(*, quick: bool) -> Report:
    from rich.progress import Progress

    from benchmarks import decision, middleware
    from benchmarks.report import Report

    effort = decision.QUICK if quick else decision.USUAL
    with Progress(console=Console(stderr=True), transient=True) as progress:
        deciding = progress.add_task("decisions", total=effort.rounds)
        serving = progress.add_task("requests", total=middleware.rounds(quick=quick))
        return Report.of(
            decision.measure(effort, lambda: progress.advance(deciding)),
            middleware.measure(lambda: progress.advance(serving), quick=quick),
        )


def _console() -> Console:
    """Return where the tables go: wide enough for them where it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=140)


if __name__ == "__main__":
    sys.exit(main())
