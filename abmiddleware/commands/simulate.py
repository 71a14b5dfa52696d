"""Tell which units get which variation of which experiment, before anybody does."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from abmiddleware.commands import teams
from abmiddleware.commands.engines import add_engine_argument, engine_of
from abmiddleware.evaluation.values import number_text, shown
from abmiddleware.exceptions import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

    from abmiddleware.analysis.shares import Overlap, Simulation, Spread

#: Files whose lines are objects of JSON.
_LINES_OF_JSON: Final = (".jsonl", ".ndjson", ".json")
Attributes = dict[str, object]
#: Of variations, by the key of the experiment and their own.
Names = dict[str, dict[str, str]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("keys", nargs="*", metavar="KEY", help="experiments; all by default")
    add_engine_argument(parser)
    units = parser.add_mutually_exclusive_group()
    units.add_argument(
        "--units",
        metavar="FILE",
        help="lines of JSON with the attributes of a unit each; .csv; or an id in each line",
    )
    units.add_argument(
        "--count", type=int, default=10_000, help="of units that are made up (%(default)s)"
    )
    parser.add_argument(
        "--unit-attribute", metavar="NAME", default="id", help="of ids alone (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(options: argparse.Namespace) -> int:
    """Print who gets what; return the exit code: 1 where two experiments go together.

    Raises:
        ABMiddlewareError: a unit cannot be read, or an experiment is not there.
        OSError: the file cannot be read.
    """
    teams.need_analysis("abmiddleware simulate")
    from abmiddleware.analysis.shares import simulate

    engine = engine_of(options)
    keys = list(dict.fromkeys(options.keys)) or list(teams.plans_of(engine))
    ids = {teams.plan_of(engine, key).hash_attribute for key in keys} | {options.unit_attribute}
    found = simulate(
        {key: engine.snapshot.plans[key] for key in keys},
        lambda attributes: engine.client(**attributes).peek,
        _units_of(options, ids),
    )
    if options.json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        from rich.console import Console

        _print(Console(), found)
    return int(any(one.is_alarming for one in found.overlaps))


def _units_of(options: argparse.Namespace, ids: set[str]) -> Iterator[Attributes]:
    """Return the attributes of each unit, read from a file or made up.

    Raises:
        ConfigurationError: there is none.
    """
    if not options.units:
        if options.count < 1:
            raise ConfigurationError(f"count: is {options.count}, must be 1 or more")
        names = (f"unit-{number}" for number in range(options.count))
        return ({options.unit_attribute: name} for name in names)
    path = Path(options.units)
    text = _text_of(path)
    if not text.strip():
        raise ConfigurationError(f"units: {path} is empty, must have a unit in each line")
    if path.suffix.lower() == ".csv":
        return _of_csv(path, text, ids)
    if path.suffix.lower() in _LINES_OF_JSON or text.lstrip().startswith("{"):
        return _of_json(path, text)
    return ({options.unit_attribute: line.strip()} for line in text.split("\n") if line.strip())


def _text_of(path: Path) -> str:
    """Return the text of a file.

    Raises:
        ConfigurationError: it is not in UTF-8.
        OSError: it cannot be read.
    """
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = raw.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"units: line {number} of {path} is not in UTF-8") from None


def _of_json(path: Path, text: str) -> Iterator[Attributes]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield msgspec.json.decode(line, type=dict[str, object])
        except msgspec.DecodeError as error:
            raise ConfigurationError(
                f"units: line {number} of {path} is {shown(line)}, must be an object of JSON such "
                f'as {{"id": "v1"}}: {error}'
            ) from None


def _of_csv(path: Path, text: str, ids: set[str]) -> Iterator[Attributes]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = next(rows)
        for row in rows:
            if row and len(row) != len(names):
                raise ConfigurationError(
                    f"units: line {rows.line_num} of {path} has {len(row)} values, must have "
                    f"{len(names)} as its header"
                )
            if row:
                pairs = zip(names, row, strict=True)
                yield {name: text if name in ids else _value(text) for name, text in pairs}
    except csv.Error as error:
        raise ConfigurationError(
            f"units: line {rows.line_num} of {path} cannot be read: {error}"
        ) from None


def _value(text: str) -> Any:
    """Return what a text of CSV stands for: nothing, a boolean, or a number that is written so."""
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text or None
    if isinstance(value, bool):
        return value
    return value if isinstance(value, (int, float)) and number_text(value) == text else text


def _print(console: Console, found: Simulation) -> None:
    from rich.text import Text

    console.print(Text(_units(found.units)))
    for spread in found.experiments:
        _print_spread(console, spread)
    names = {one.key: {each.key: each.name for each in one.shares} for one in found.experiments}
    for overlap in found.overlaps:
        _print_overlap(console, overlap, names)
    for one in found.overlaps:
        if one.is_alarming:
            problem = (
                "who gets a variation of one gets a variation of the other more often; give each "
                "a seed of its own, or put them into one namespace"
            )
            told = f"wrong: {one.one} and {one.two}: {problem}"
            console.print(Text(told, style="red"), soft_wrap=True)


def _print_spread(console: Console, spread: Spread) -> None:
    from rich.table import Table
    from rich.text import Text

    console.print(Text(f"\n{spread.key}: {_units(spread.units)} by {spread.unit_type}"))
    table = Table(box=None, padding=(0, 2))
    for heading in ("variation", "units", "share", "configured"):
        table.add_column(heading, justify="left" if heading == "variation" else "right")
    for one in spread.shares:
        configured = f"{one.configured:.1%}"
        table.add_row(Text(one.name), f"{one.units:,}", f"{one.share:.1%}", configured)
    for reason, units in spread.outside.items():
        table.add_row(Text(f"not in it: {reason}", style="dim"), f"{units:,}", "", "")
    console.print(table)


def _print_overlap(console: Console, overlap: Overlap, names: Names) -> None:
    from rich.table import Table
    from rich.text import Text

    told = f"\n{overlap.one} and {overlap.two}: {_units(overlap.units)} in both"
    if overlap.p_value is not None:
        told += f" (p = {overlap.p_value:.2g})"
    console.print(Text(told, style="red" if overlap.is_alarming else ""))
    if not overlap.units:
        return
    table = Table(box=None, padding=(0, 2))
    table.add_column("")
    for name in names[overlap.two].values():
        table.add_column(Text(name), justify="right")
    for key, units in overlap.table.items():
        table.add_row(Text(names[overlap.one][key]), *(f"{count:,}" for count in units.values()))
    console.print(table)


def _units(count: int) -> str:
    return f"{count:,} unit{'s' * (count != 1)}"
