"""Tell what is known of an experiment, and what may be concluded."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from abmiddleware.commands import teams, warehouses
from abmiddleware.commands.engines import engine_of
from abmiddleware.commands.progress import working


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("key", metavar="KEY", help="of the experiment")
    warehouses.add_arguments(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--html", metavar="FILE", help="write a page")
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--csv", action="store_true", help="print a line for each metric")


def run(options: argparse.Namespace) -> int:
    """Print or write the report; return the exit code, which is 1 where it is unhealthy.

    Raises:
        ABMiddlewareError: something is missing, or wrong.
        OSError: a file cannot be read or written.
    """
    teams.need_analysis("abmiddleware report")
    engine = engine_of(options)
    designs, ledger = teams.designs_of(options), teams.ledger_of(options)
    plan = teams.plan_of(engine, options.key)
    with working("reading records"):
        warehouse = warehouses.warehouse_of(options, engine, designs)
        analysis = warehouses.analysis_of(options, plan, designs, ledger, warehouse)
    if options.json or options.csv:
        from abmiddleware.analysis.report.data import as_csv, as_json

        sys.stdout.write(as_json(analysis) if options.json else as_csv(analysis))
    elif options.html:
        from abmiddleware.analysis.report.page import as_page

        Path(options.html).write_text(as_page(analysis), encoding="utf-8")
        sys.stdout.write(f"{analysis.sentence}\n{options.html}\n")
    else:
        from rich.console import Console

        from abmiddleware.analysis.report.terminal import print_report

        print_report(Console(), analysis)
    return 1 if analysis.status == "unhealthy" else 0
