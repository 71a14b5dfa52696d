"""List the experiments that are under way, their health, and what to do next."""

from __future__ import annotations

import argparse
import sys
from itertools import combinations
from typing import TYPE_CHECKING, Final

import msgspec

from abmiddleware.commands import teams, warehouses
from abmiddleware.commands.engines import engine_of
from abmiddleware.commands.progress import working
from abmiddleware.design.designs import Designs
from abmiddleware.design.ledger import Ledger
from abmiddleware.design.record import ExperimentRecord

if TYPE_CHECKING:
    from rich.console import Console

    from abmiddleware.analysis.interactions import Crossing
    from abmiddleware.analysis.standing import Standing
    from abmiddleware.analysis.warehouse import Warehouse
    from abmiddleware.evaluation.plan import Plan

#: What is listed; others have not begun, or are over.
_UNDER_WAY: Final = ("running", "paused", "stopped")
_COLOURS: Final = {"ship": "green", "unhealthy": "red", "roll back": "red", "no data": "yellow"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    warehouses.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(options: argparse.Namespace) -> int:
    """Print a line for each experiment; return the exit code: 1 where one is unhealthy.

    Raises:
        ABMiddlewareError: something is missing, or wrong.
        OSError: a file cannot be read.
    """
    teams.need_analysis("abmiddleware status")
    from abmiddleware.analysis.standing import standing

    engine = engine_of(options)
    designs, ledger = teams.designs_of(options), teams.ledger_of(options)
    plans = _under_way(teams.plans_of(engine), designs, ledger)
    with working("reading records"):
        warehouse = warehouses.warehouse_of(options, engine, designs)
        standings = [
            standing(
                ledger.status(key),
                designs.experiments.get(key, ExperimentRecord()),
                warehouses.analysis_of(options, plan, designs, ledger, warehouse),
            )
            for key, plan in plans.items()
        ]
        crossings = [one for one in _crossings(plans, warehouse) if one.is_alarming]
    if options.json:
        raw = msgspec.json.encode({"experiments": standings, "crossings": crossings})
        sys.stdout.write(raw.decode() + "\n")
    else:
        from rich.console import Console

        _print(Console(), standings, crossings)
    return int(bool(crossings) or any(one.finding == "unhealthy" for one in standings))


def _under_way(plans: dict[str, Plan], designs: Designs, ledger: Ledger) -> dict[str, Plan]:
    """Return what the ledger says is under way, and what is on without a step."""
    return {
        key: plan
        for key, plan in plans.items()
        if ledger.status(key) in _UNDER_WAY
        or (not ledger.steps(key) and plan.definition.active and key in designs.experiments)
    }


def _crossings(plans: dict[str, Plan], warehouse: Warehouse) -> list[Crossing]:
    """Return how the experiments of each pair share their units."""
    from abmiddleware.analysis.interactions import crossing
    from abmiddleware.analysis.population import population

    forever = 2**62
    units = {
        key: population(warehouse.exposures, key, plan.phase, forever).units
        for key, plan in plans.items()
    }
    found = [
        crossing(one, units[one], two, units[two])
        for one, two in combinations(plans, 2)
        if plans[one].hash_attribute == plans[two].hash_attribute
    ]
    return [one for one in found if one is not None]


def _print(console: Console, standings: list[Standing], crossings: list[Crossing]) -> None:
    from rich.table import Table
    from rich.text import Text

    if not standings:
        console.print("nothing is under way")
        return
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    for heading in ("experiment", "status", "day", "units", "finding", "owner"):
        table.add_column(
            heading,
            justify="right" if heading in ("day", "units") else "left",
            no_wrap=heading != "owner",
        )
    for one in standings:
        table.add_row(
            one.key,
            one.status,
            f"{one.days} of {one.planned_days}" if one.planned_days else str(one.days),
            f"{one.units:,}" + (f" of {one.planned_units:,}" if one.planned_units else ""),
            Text(one.finding, style=_COLOURS.get(one.finding, "default")),
            one.owner,
        )
    console.print(table)
    for one in standings:
        console.print(Text(f"  {one.key}: {one.action}"))
        for note in one.notes:
            console.print(Text(f"  {one.key}: {note}", style="yellow"))
    for pair in crossings:
        problem = "who sees a variation of one sees a variation of the other more often"
        told = f"  {pair.one} and {pair.two}: {problem} (p = {pair.p_value:.1g})"
        console.print(Text(told, style="red"))
