"""Add up what all decided experiments brought."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

import msgspec

from abmiddleware.commands import teams

if TYPE_CHECKING:
    from abmiddleware.analysis.impact import Impact


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--json", action="store_true", help="as JSON")
    teams.add_ledger_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Print what was brought; return the exit code.

    Raises:
        DocumentError: a line of the ledger is no step.
        OSError: the ledger cannot be read.
    """
    teams.need_analysis("abmiddleware impact")
    from abmiddleware.analysis.impact import impacts

    ledger = teams.ledger_of(options)
    steps = [step for key in ledger.keys() for step in ledger.steps(key) if step.to == "decided"]  # noqa: SIM118  # no mapping
    found = impacts(steps)
    if options.json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
        return 0
    sys.stdout.write("\n".join(_told(one) for one in found))
    without = sum(step.outcome is None for step in steps)
    if without or not steps:
        sys.stdout.write(f"{without} of {len(steps)} decisions tell no outcome\n")
    return 0


def _told(impact: Impact) -> str:
    width = max(len(one.key) for one in impact.contributions)
    lines = [f"{impact.metric}", f"  {'':{width}}  decision      measured  drawn to zero"]
    lines += [
        f"  {one.key:{width}}  {one.decision:12}  {one.lift:+8.1%}  {_percent(one.shrunken)}"
        for one in impact.contributions
    ]
    totals = {
        "shipped, all": (impact.shipped, impact.shipped_shrunken),
        "avoided": (impact.avoided, impact.avoided_shrunken),
    }
    lines += [
        f"  {'':{width}}  {name:12}  {measured:+8.1%}  {_percent(drawn)}"
        for name, (measured, drawn) in totals.items()
    ]
    if impact.contributions[0].shrunken is None:
        lines.append("  fewer than six outcomes: how much of it is luck cannot be told")
    return "".join(f"{line}\n" for line in lines)


def _percent(value: float | None) -> str:
    return f"{'–':>13}" if value is None else f"{value:+13.1%}"
