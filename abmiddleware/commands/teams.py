"""What a command knows of a team: its experiments, its records, and their history."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from abmiddleware.design.designs import Designs, read_designs
from abmiddleware.design.ledger import Ledger
from abmiddleware.exceptions import ConfigurationError, DefinitionError
from abmiddleware.extras import required

if TYPE_CHECKING:
    from abmiddleware.engine import Engine
    from abmiddleware.evaluation.plan import Plan

#: Where the history is, from where a command is called.
LEDGER = "experiments.jsonl"


def add_designs_argument(parser: argparse.ArgumentParser, **settings: Any) -> None:
    """Declare where metrics and records are."""
    parser.add_argument(
        "--designs",
        metavar="FILE",
        help="metrics and records: a .toml, .yaml or .json file",
        **settings,
    )


def add_ledger_argument(parser: argparse.ArgumentParser) -> None:
    """Declare where the history is."""
    parser.add_argument(
        "--ledger", metavar="FILE", default=LEDGER, help="history of experiments (%(default)s)"
    )


def designs_of(options: argparse.Namespace) -> Designs:
    """Return the metrics and records; none where no file is named.

    Raises:
        ConfigurationError: there is no such file.
        DocumentError, DefinitionError: it cannot be used.
        OSError: it cannot be read.
    """
    try:
        return read_designs(options.designs) if options.designs else Designs()
    except FileNotFoundError:
        raise ConfigurationError(f"--designs: there is no file {options.designs}") from None


def ledger_of(options: argparse.Namespace) -> Ledger:
    """Return the history; one without steps where there is no file.

    Raises:
        DocumentError: a line of it is no step.
    """
    return Ledger(options.ledger)


def need_analysis(command: str) -> None:
    """Ask for the packages of the extra `analysis`.

    Raises:
        ConfigurationError: one is missing; the message says how to install it.
    """
    for module in ("scipy", "statsmodels", "tea_tasting", "ibis", "duckdb", "rich"):
        required(module, "analysis", command)


def plans_of(engine: Engine) -> dict[str, Plan]:
    """Return the experiments of an engine, by key, in order."""
    plans = engine.snapshot.plans
    return {key: plans[key] for key in sorted(plans.known())}


def plan_of(engine: Engine, key: str) -> Plan:
    """Return the experiment of a key.

    Raises:
        DefinitionError: the engine has none.
    """
    plans = plans_of(engine)
    if key not in plans:
        known = ", ".join(map(repr, plans)) or "none"
        raise DefinitionError(key, f"is no experiment of the engine, which has {known}")
    return plans[key]


def shares_of(text: str) -> tuple[float, ...]:
    """Return shares that commas part.

    Raises:
        ArgumentTypeError: one is no number.
    """
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"is {text!r}, must be shares such as 0.05,0.5") from None
