"""Where a command finds the records, the metrics and the experiments."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import TYPE_CHECKING, Any

from abmiddleware.commands import teams
from abmiddleware.commands.engines import add_engine_argument
from abmiddleware.design.designs import Designs
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.exposures.journal import Journal

if TYPE_CHECKING:
    from abmiddleware.analysis.analysis import Analysis
    from abmiddleware.analysis.warehouse import Warehouse
    from abmiddleware.design.ledger import Ledger
    from abmiddleware.engine import Engine
    from abmiddleware.evaluation.plan import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where they are."""
    add_engine_argument(parser)
    teams.add_designs_argument(parser)
    teams.add_ledger_argument(parser)
    parser.add_argument(
        "--journal",
        metavar="PATH",
        action="append",
        help="a journal, a directory of Parquet, or a pattern; that of the engine by default",
    )
    parser.add_argument(
        "--warehouse", metavar="URL", help="in its place, such as postgres://host/database"
    )
    parser.add_argument(
        "--schema", metavar="NAME", default="experiments", help="of the agent's tables there"
    )
    parser.add_argument(
        "--as-of", metavar="TIME", type=instant, help="leave out what came later: 2026-12-14T12:00"
    )


def instant(text: str) -> dt.datetime:
    """Return an instant; without a zone it is in UTC.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"is {text!r}, must be a time such as 2026-12-14 or 2026-12-14T12:00"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def warehouse_of(options: argparse.Namespace, engine: Engine, designs: Designs) -> Warehouse:
    """Return where the records are.

    Raises:
        ConfigurationError: there are none, or a package is missing.
    """
    from abmiddleware.analysis.warehouse import open_journal, open_warehouse
    from abmiddleware.extras import required

    if options.warehouse:
        ibis = required("ibis", "analysis", "--warehouse")
        try:
            backend = ibis.connect(options.warehouse)
        except Exception as error:
            raise ConfigurationError(f"--warehouse: cannot be reached: {error}") from error
        return open_warehouse(backend, designs.sources, schema=options.schema)
    paths: list[Any] = options.journal or []
    if not paths and isinstance(engine.sink, Journal):
        paths = [engine.sink.path]
    if not paths:
        raise ConfigurationError(
            "--journal: is missing, must name a journal: the engine has another sink"
        )
    return open_journal(paths, designs.sources)


def analysis_of(
    options: argparse.Namespace,
    plan: Plan,
    designs: Designs,
    ledger: Ledger,
    warehouse: Warehouse,
) -> Analysis:
    """Return the analysis of an experiment.

    Raises:
        ConfigurationError: the warehouse lacks a table or a column.
    """
    from abmiddleware.analysis.analysing import analyse
    from abmiddleware.analysis.history import History
    from abmiddleware.analysis.subject import Subject

    record = designs.experiments.get(plan.key)
    goals = record.goals if record is not None else ()
    moved = {goal: ledger.moved(goal, but=plan.key) for goal in goals}
    history = History.of(ledger.steps(plan.key), plan, designs, moved)
    return analyse(Subject.of(plan), designs, warehouse, history=history, now=options.as_of)
