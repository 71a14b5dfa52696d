"""What the demonstration prints, and what it finds wrong."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from abmiddleware import Experiment, JournalReader
from example_apps.demo.tally import (
    Arm,
    Tally,
    arms_of,
    missing_records,
    read_journal,
    split_chance,
)
from example_apps.demo.traffic import Visit
from example_apps.demo.truth import true_rate
from example_apps.shop.experiments import EXPERIMENTS

#: A split less likely than this is taken for an error. One that is right falls below it once in
#: ten thousand runs of one experiment.
ALARM: Final = 0.0001

_UNITS: Final = {"id": "visitors", "company": "companies"}


def report(console: Console, framework: str, journal: Path, visits: Sequence[Visit]) -> list[str]:
    """Print what the journal says and how to go on; return what is wrong."""
    reader = JournalReader(journal)
    tally = read_journal(reader)
    problems = []
    for experiment in EXPERIMENTS:
        problems += _print_experiment(console, experiment, tally)
    problems += [change for visit in visits for change in visit.changes]
    missing = missing_records(visits, tally)
    if missing or reader.skipped:
        problems.append(f"the journal lacks {missing} records, {reader.skipped} lines are torn")
    _print_journal(console, journal, tally, missing, sum(visit.responses for visit in visits))
    _print_invitation(console, framework)
    for problem in problems[:10]:
        console.print(f"[bold red]Wrong:[/] {problem}")
    return problems


def _print_experiment(console: Console, experiment: Experiment[Any], tally: Tally) -> list[str]:
    arms = arms_of(experiment, tally)
    console.print(_table(experiment, arms))
    chance = split_chance(experiment, arms)
    if chance >= ALARM:
        console.print(f"  [green]split as configured[/] (p = {chance:.3g})\n", highlight=False)
        return []
    console.print(f"  [bold red]split NOT as configured[/] (p = {chance:.2g})\n", highlight=False)
    return [f"{experiment.key}: the split is not as configured"]


def _table(experiment: Experiment[Any], arms: Sequence[Arm]) -> Table:
    table = Table(title=f"[bold]{experiment.key}[/]", title_justify="left", min_width=68)
    table.add_column("variation")
    units = _UNITS[experiment.hash_attribute]
    for heading in (units, "with a purchase", "rate", "true rate (simulated)"):
        table.add_column(heading, justify="right")
    for arm in arms:
        rate = f"{arm.buyers / arm.units:.1%}" if arm.units else "-"
        truth = f"[dim]{true_rate(experiment, arm.key):.1%}[/]"
        table.add_row(arm.key, f"{arm.units:,}", f"{arm.buyers:,}", rate, truth)
    return table


def _print_journal(
    console: Console, journal: Path, tally: Tally, missing: int, responses: int
) -> None:
    console.print(
        f"[bold]Journal[/] {journal}: {tally.records.total():,} records "
        f"({tally.records['exposure']:,} exposures, {tally.records['outcome']:,} outcomes) of "
        f"{responses:,} responses, {missing} missing of what the visitors saw and bought.",
        soft_wrap=True,
        highlight=False,
    )


def _print_invitation(console: Console, framework: str) -> None:
    python = Path(sys.executable)
    if python.is_relative_to(Path.cwd()):
        python = python.relative_to(Path.cwd())
    console.print(
        f"[bold]Open the shop[/] with `{python} -m example_apps.shop_{framework}`, "
        "then visit http://127.0.0.1:8000/",
        soft_wrap=True,
        highlight=False,
    )
