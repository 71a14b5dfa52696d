"""List the experiments and features that an engine serves."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from abmiddleware.commands.engines import add_engine_argument, engine_of
from abmiddleware.evaluation.naming import shown_names
from abmiddleware.evaluation.plan import Plan

_COLUMNS = ("key", "status", "variations", "coverage", "weights", "unit")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_engine_argument(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(options: argparse.Namespace) -> int:
    """Print them; return the exit code.

    Raises:
        ConfigurationError: there is no engine.
    """
    snapshot = engine_of(options).snapshot
    rows = [_row(snapshot.plans[key]) for key in sorted(snapshot.plans.known())]
    features = sorted(snapshot.features.known())
    if options.json:
        told = msgspec.json.encode({"experiments": rows, "features": features})
        sys.stdout.write(f"{told.decode()}\n")
        return 0
    if rows:
        sys.stdout.write(_table(rows))
    if features:
        sys.stdout.write(f"features: {', '.join(features)}\n")
    if not rows and not features:
        sys.stdout.write("no experiments and no features\n")
    return 0


def _row(plan: Plan) -> dict[str, Any]:
    definition = plan.definition
    weights = definition.weights
    return {
        "key": plan.key,
        "status": definition.status if definition.active else "off",
        "variations": shown_names(plan.parts.arms).replace("'", ""),
        "coverage": definition.coverage,
        "weights": None if weights is None else [round(float(one), 4) for one in weights],
        "unit": plan.hash_attribute,
    }


def _table(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as columns of text."""
    texts = [_COLUMNS, *(tuple(_text(row[name]) for name in _COLUMNS) for row in rows)]
    widths = [max(len(line[column]) for line in texts) for column in range(len(_COLUMNS))]
    return "".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        + "\n"
        for line in texts
    )


def _text(value: object) -> str:
    if value is None:
        return "equal"
    if isinstance(value, list):
        return ", ".join(f"{one:g}" for one in value)
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
