"""What the demonstration prints, and what it finds wrong."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from abmiddleware import JournalReader
from abmiddleware.analysis.analysing import analyse
from abmiddleware.analysis.analysis import Analysis
from abmiddleware.analysis.report.page import as_page
from abmiddleware.analysis.report.terminal import print_report
from abmiddleware.analysis.subject import Subject
from abmiddleware.analysis.warehouse import open_journal
from abmiddleware.design.designs import read_designs
from example_apps import shop
from example_apps.demo.tally import Tally, missing_records, read_journal
from example_apps.demo.traffic import Visit
from example_apps.demo.truth import true_rate, variation_keys
from example_apps.shop.experiments import EXPERIMENTS

#: A split less likely than this is taken for an error. One that is right falls below it once in
#: ten thousand runs of one experiment.
ALARM: Final = 0.0001


def report(console: Console, framework: str, journal: Path, visits: Sequence[Visit]) -> list[str]:
    """Print what the journal says and how to go on; return what is wrong."""
    reader = JournalReader(journal)
    tally = read_journal(reader)
    problems = []
    pages = []
    for analysis in analyses(journal):
        print_report(console, analysis)
        _print_truth(console, analysis)
        pages.append(journal.with_name(f"{journal.stem}-{analysis.key}.html"))
        pages[-1].write_text(as_page(analysis), encoding="utf-8")
        split = analysis.health.exposed
        if split is not None and split.p_value < ALARM:
            problems.append(f"{analysis.key}: the split is not as configured")
    problems += [change for visit in visits for change in visit.changes]
    missing = missing_records(visits, tally)
    if missing or reader.skipped:
        problems.append(f"the journal lacks {missing} records, {reader.skipped} lines are torn")
    _print_journal(console, journal, tally, missing, sum(visit.responses for visit in visits))
    _print_pages(console, pages)
    _print_invitation(console, framework)
    for problem in problems[:10]:
        console.print(f"[bold red]Wrong:[/] {problem}")
    return problems


def analyses(journal: Path) -> list[Analysis]:
    """Return the analysis of each of the shop's experiments."""
    designs = read_designs(Path(shop.__file__).with_name("designs.toml"))
    warehouse = open_journal(journal)
    return [analyse(Subject.of(each.plan), designs, warehouse) for each in EXPERIMENTS]


def _print_truth(console: Console, analysis: Analysis) -> None:
    (experiment,) = (each for each in EXPERIMENTS if each.key == analysis.key)
    rates = ", ".join(
        f"{key} {true_rate(experiment, key):.1%}" for key in variation_keys(experiment)
    )
    console.print(f"  [dim]true conversion (simulated): {rates}[/]\n", highlight=False)


def _print_pages(console: Console, pages: Sequence[Path]) -> None:
    names = ", ".join(map(str, pages))
    console.print(f"[bold]Reports[/] as pages: {names}", soft_wrap=True, highlight=False)


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
