"""Find known mistakes of experiments before they start."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from abmiddleware.commands import teams, warehouses
from abmiddleware.commands.engines import engine_of
from abmiddleware.design.designs import Designs
from abmiddleware.design.ledger import Ledger
from abmiddleware.engine import Engine
from abmiddleware.exceptions import ConfigurationError, DefinitionError

if TYPE_CHECKING:
    from abmiddleware.design.lint.finding import Finding


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("keys", nargs="*", metavar="KEY", help="experiments; all with a record")
    warehouses.add_arguments(parser)
    parser.add_argument(
        "--code", metavar="DIRECTORY", help="find keys that nobody mentions, and unknown ones"
    )
    parser.add_argument(
        "--records", action="store_true", help="look at the records of the last weeks, too"
    )
    parser.add_argument("--strict", action="store_true", help="fail on warnings, too")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(options: argparse.Namespace) -> int:
    """Print the findings; return the exit code: 1 where there is an error.

    Raises:
        ABMiddlewareError: something is missing, or wrong.
        OSError: a file cannot be read.
    """
    teams.need_analysis("abmiddleware lint")
    engine = engine_of(options)
    if not options.designs:
        raise ConfigurationError("--designs: is missing, must be the file of metrics and records")
    designs, ledger = teams.designs_of(options), teams.ledger_of(options)
    found = findings(engine, designs, ledger, options.keys)
    if options.records:
        found += _of_records(options, engine, designs, ledger)
    if options.code:
        found += _of_code(options, engine)
    if options.json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        sys.stdout.write("".join(f"{one.level}: {one}\n" for one in found))
        sys.stdout.write(", ".join(_counted(found)) + "\n")
    failing = {"error", "warning"} if options.strict else {"error"}
    return int(any(one.level in failing for one in found))


def _counted(found: list[Finding]) -> Iterator[str]:
    """Yield how many there are of each level; notes only where there are some."""
    levels = [one.level for one in found]
    for level in ("error", "warning", "note"):
        count = levels.count(level)
        if count or level != "note":
            yield f"{count} {level}{'s' * (count != 1)}"


def _of_records(
    options: argparse.Namespace, engine: Engine, designs: Designs, ledger: Ledger
) -> list[Finding]:
    from abmiddleware.analysis.readiness import readiness
    from abmiddleware.design.lint.finding import Case

    plans, now = teams.plans_of(engine), options.as_of or dt.datetime.now(dt.UTC)
    warehouse = warehouses.warehouse_of(options, engine, designs)
    found = []
    for key in options.keys or designs.experiments:
        if key in plans and key in designs.experiments:
            record = designs.experiments[key]
            case = Case(plans[key], record, designs, plans, ledger, now.date(), engine.excludes)
            found += readiness(case, warehouse, now)
    return found


def _of_code(options: argparse.Namespace, engine: Engine) -> list[Finding]:
    from abmiddleware.design.lint.mentions import lint_code

    directory = Path(options.code)
    if not directory.is_dir():
        raise ConfigurationError(f"--code: there is no directory {directory}")
    on = [key for key, plan in teams.plans_of(engine).items() if plan.definition.active]
    return lint_code(directory, engine.known_keys(), on)


def findings(
    engine: Engine, designs: Designs, ledger: Ledger, keys: list[str] | None = None
) -> list[Finding]:
    """Return what is wrong with experiments; of all that have a record, and records of nothing.

    Raises:
        DefinitionError: the engine has no such experiment.
    """
    from abmiddleware.design.lint.finding import Finding
    from abmiddleware.design.lint.linting import lint

    plans = teams.plans_of(engine)
    found = []
    for key in keys or list(designs.experiments):
        if key not in plans:
            known = ", ".join(map(repr, plans)) or "none"
            if keys:
                raise DefinitionError(key, f"is no experiment of the engine, which has {known}")
            problem = f"is the record of no experiment of the engine, which has {known}"
            found.append(Finding("L13", "error", f"experiments.{key}", problem))
            continue
        found += lint(
            plans[key],
            designs,
            plans,
            ledger,
            today=dt.datetime.now(dt.UTC).date(),
            excludes=engine.excludes,
        )
    return found
