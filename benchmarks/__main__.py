"""Runs the benchmarks: `python -m benchmarks [PART ...] [--quick] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console

    from benchmarks.report import Report

_NEEDS: Final = (
    "the benchmarks need {name}: pip install -e '.[django,flask,fastapi]' --group bench\n"
)
#: The parts, in their order.
PARTS: Final = ("decision", "scale", "load", "middleware", "crowd", "agent", "analysis")
#: Makes a progress bar of so many steps, and returns what moves it on by one.
Steps = Callable[[int], Callable[[], None]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks and print their tables."""
    options = _parser().parse_args(arguments)
    try:
        console, report = _console(), _measured(options)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(("abmiddleware", "benchmarks")):
            raise
        sys.stderr.write(_NEEDS.format(name=error.name))
        return 1
    report.show(console)
    if options.json is not None:
        options.json.write_text(json.dumps(report.as_json(), indent=2) + "\n", "utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", type=_part, metavar="PART", help=f"of {', '.join(PARTS)}; all of them"
    )
    parser.add_argument("--quick", action="store_true", help="rough figures in half a minute")
    parser.add_argument(
        "--cases", type=_cases, metavar="LETTERS", help="decision: such as 'acd'; all of them"
    )
    parser.add_argument("--postgres", metavar="URL", help="agent: a database to ship to as well")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    return parser


def _part(name: str) -> str:
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"is {name!r}, must be of {', '.join(PARTS)}")
    return name


def _cases(letters: str) -> list[str]:
    from benchmarks.trials import DECISION_CASES

    if not letters or set(letters) - set(DECISION_CASES):
        must = "".join(DECISION_CASES)
        raise argparse.ArgumentTypeError(f"is {letters!r}, must be letters of {must}")
    return sorted(set(letters))


def _measured(options: argparse.Namespace) -> Report:
    from rich.console import Console
    from rich.progress import Progress

    from benchmarks.report import Report

    report = Report()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for part in options.parts or PARTS:

            def steps(total: int, name: str = part) -> Callable[[], None]:
                task = progress.add_task(name, total=total)
                return lambda: progress.advance(task)

            setattr(report, part, _rows(part, options, steps))
    return report


def _rows(part: str, options: argparse.Namespace, steps: Steps) -> Sequence[object]:
    """Measure one part."""
    from benchmarks import agent, analysis, crowd, decision, load, middleware, scale

    quick = options.quick
    match part:
        case "decision":
            effort = decision.QUICK if quick else decision.USUAL
            return decision.measure(effort, steps(effort.rounds), options.cases)
        case "scale":
            effort = scale.QUICK if quick else scale.USUAL
            return scale.measure(effort, steps(effort.rounds))
        case "load":
            rounds = load.QUICK if quick else load.USUAL
            return load.measure(rounds, steps(rounds))
        case "crowd":
            rounds = crowd.QUICK if quick else crowd.USUAL
            return crowd.measure(rounds, steps(rounds))
        case "agent":
            effort_of_agent = agent.QUICK if quick else agent.USUAL
            return agent.measure(effort_of_agent, options.postgres, steps(effort_of_agent[1]))
        case "analysis":
            sizes = analysis.QUICK if quick else analysis.USUAL
            return analysis.measure(sizes, steps(analysis.steps(sizes)))
        case _:
            return middleware.measure(steps(middleware.rounds(quick=quick)), quick=quick)


def _console() -> Console:
    """Return where the tables go: wide enough for them where it is no terminal."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=140)


if __name__ == "__main__":
    sys.exit(main())
