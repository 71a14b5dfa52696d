"""Replay an experiment by other seeds, with nothing to find: what it finds are false positives."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from typing import TYPE_CHECKING

import msgspec

from abmiddleware.commands import teams, warehouses
from abmiddleware.commands.engines import engine_of
from abmiddleware.exceptions import ConfigurationError

if TYPE_CHECKING:
    from abmiddleware.analysis.replays.trial import Trial
    from abmiddleware.analysis.replays.units import Units
    from abmiddleware.analysis.replays.verdict import Replays
    from abmiddleware.design.designs import Designs
    from abmiddleware.design.record import ExperimentRecord
    from abmiddleware.engine import Engine
    from abmiddleware.evaluation.plan import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("key", metavar="KEY", help="of the experiment")
    warehouses.add_arguments(parser)
    parser.add_argument("--metric", metavar="NAME", help="to compare; all goals by default")
    parser.add_argument("--replays", type=int, default=1_000, help="100 or more (%(default)s)")
    parser.add_argument(
        "--units", type=int, metavar="N", help="made up by the record, rather than recorded"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    _add_mistakes(parser)
    _add_made_up(parser)


def _add_mistakes(parser: argparse.ArgumentParser) -> None:
    mistakes = parser.add_argument_group("mistakes, to see them fail")
    mistakes.add_argument(
        "--looks", type=int, default=1, help="at the units; the first find counts (%(default)s)"
    )
    mistakes.add_argument(
        "--ramp",
        type=teams.shares_of,
        default=(),
        metavar="SHARES",
        help="of the treatment in each phase, which are pooled: 0.05,0.5",
    )
    mistakes.add_argument("--by", default="", metavar="ID", help="hash by this id, not the unit's")
    mistakes.add_argument(
        "--test-clusters", action="store_true", help="test by what is hashed, which mends --by"
    )


def _add_made_up(parser: argparse.ArgumentParser) -> None:
    made_up = parser.add_argument_group("units that are made up")
    made_up.add_argument(
        "--drift",
        type=float,
        default=0.0,
        help="share by which the goal of the last is above that of the first (%(default)s)",
    )
    made_up.add_argument(
        "--cluster-size", type=int, default=1, help="units that are hashed as one (%(default)s)"
    )
    made_up.add_argument(
        "--correlation", type=float, default=0.3, help="within clusters (%(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """Print what the replays found; return the exit code, which is 1 where they do not pass.

    Raises:
        ABMiddlewareError: something is missing, or wrong.
        OSError: a file cannot be read.
    """
    teams.need_analysis("abmiddleware aa")
    from abmiddleware.analysis.replays.making import whole_clusters
    from abmiddleware.analysis.replays.trial import Trial

    engine = engine_of(options)
    designs = teams.designs_of(options)
    plan = teams.plan_of(engine, options.key)
    record = _record_of(plan, designs)
    trial = Trial.of(plan, record, looks=options.looks, ramp=options.ramp)
    units = _units_of(options, engine, plan, designs)
    if options.test_clusters:
        if units.clusters is None:
            raise ConfigurationError("test_clusters: is without clusters, must have --by as well")
        units = whole_clusters(units)
    found = _replayed(units, trial, options.replays)
    if options.json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _lines(found)))
    return 0 if found.passes else 1


def _record_of(plan: Plan, designs: Designs) -> ExperimentRecord:
    """Return the record of an experiment; one without has all metrics, as in its analysis."""
    from abmiddleware.design.record import ExperimentRecord

    known = designs.experiments.get(plan.key)
    return known or ExperimentRecord(secondary=tuple(designs.metrics))


def _units_of(options: argparse.Namespace, engine: Engine, plan: Plan, designs: Designs) -> Units:
    """Return the units that are asked for: made up, or recorded.

    Raises:
        ConfigurationError, DefinitionError: an option is wrong, or there is nothing to replay.
    """
    from abmiddleware.analysis.replays.making import recorded, synthetic
    from abmiddleware.analysis.subject import Subject

    _check(options)
    record = _record_of(plan, designs)
    names = _metrics_of(options.metric, record, designs)
    if options.units is not None:
        return synthetic(
            names[0],
            designs.metrics[names[0]],
            record,
            options.units,
            drift=options.drift,
            cluster_size=options.cluster_size,
            correlation=options.correlation if options.cluster_size > 1 else 0.0,
        )
    now = options.as_of or dt.datetime.now(dt.UTC)
    until_us = int(now.timestamp() * 1_000_000)
    warehouse = warehouses.warehouse_of(options, engine, designs)
    return recorded(Subject.of(plan), designs, warehouse, names, until_us, options.by)


def _check(options: argparse.Namespace) -> None:
    """Check that no option is given that says nothing.

    Raises:
        ConfigurationError: there is one.
    """
    if options.units is None:
        for name, idle in (("drift", 0.0), ("cluster_size", 1)):
            if getattr(options, name) != idle:
                raise ConfigurationError(
                    f"{name}: is for units that are made up, must have --units as well"
                )
    elif options.journal or options.warehouse:
        raise ConfigurationError("units: makes units up, must be left out to take recorded ones")
    elif options.by:
        raise ConfigurationError(
            "by: is for recorded units, must be --cluster-size for units that are made up"
        )


def _metrics_of(name: str | None, record: ExperimentRecord, designs: Designs) -> list[str]:
    """Return the metrics that are compared: the one that is named, or the goals, or all.

    Raises:
        ConfigurationError: there is no such metric, or none that can be replayed.
    """
    if name is not None and name not in designs.metrics:
        known = ", ".join(map(repr, designs.metrics)) or "in a file: --designs FILE"
        raise ConfigurationError(f"metric: is {name!r}, must be one of {known}")
    wanted = [name] if name is not None else list(record.goals or record.metrics)
    found = [one for one in wanted if designs.metrics[one].kind != "quantile"]
    if not found:
        told = ", ".join(map(repr, wanted)) or "missing"
        raise ConfigurationError(
            f"metric: is {told}, must be one that each unit has a value of, which a quantile is not"
        )
    return found


def _replayed(units: Units, trial: Trial, count: int) -> Replays:
    """Replay, and tell on a terminal how far it is."""
    from abmiddleware.analysis.replays.replaying import replay

    if not sys.stderr.isatty():
        return replay(units, trial, count)
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("replays", total=count)
        return replay(units, trial, count, lambda: progress.advance(task))


def _lines(found: Replays) -> list[str]:
    most = "at most " if found.is_conservative else ""
    what = f"{found.replays:,} replays of {found.units:,} units by {', '.join(found.metrics)}"
    interval = f"95 % interval {found.low:.1%} to {found.high:.1%}"
    finds = f"{found.finds:,}, {found.share:.1%} ({interval}); expected {most}{found.alpha:.1%}"
    alarms = f"{found.alarms:,}, {found.alarms / found.replays:.1%}; expected 0.1%"
    return [
        f"{found.key}: {what}",
        f"  false positives: {finds} (p = {found.p_value:.2g})",
        f"  alarming splits: {alarms} (p = {found.alarms_p_value:.2g})",
        *(f"  wrong: {problem}" for problem in found.problems),
        f"  {'passes' if found.passes else 'fails'}",
    ]
