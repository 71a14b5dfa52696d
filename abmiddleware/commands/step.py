"""Take an experiment a step further in its life, and write it into the ledger."""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import get_args

from abmiddleware.commands import teams
from abmiddleware.commands.engines import add_engine_argument, engine_of
from abmiddleware.design.ledger import Step
from abmiddleware.design.lifecycle import Decision, Status


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("key", metavar="KEY", help="of the experiment")
    parser.add_argument("to", metavar="STATUS", help=", ".join(get_args(Status)))
    parser.add_argument("--by", default=_user(), help="who answers for it (%(default)s)")
    parser.add_argument("--why", default="", help="the reason")
    parser.add_argument("--decision", choices=get_args(Decision), help="of one that is decided")
    parser.add_argument("--variation", default="", help="the key of the one that is shipped")
    parser.add_argument("--learnings", default="", help="what was learnt")
    parser.add_argument(
        "--report", metavar="FILE", help="what `report --json` told, of which the ledger keeps some"
    )
    add_engine_argument(parser)
    teams.add_designs_argument(parser, required=True)
    teams.add_ledger_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Take the step and tell of it; return the exit code.

    Raises:
        ABMiddlewareError: it may not be taken.
        OSError: a file cannot be read or written.
    """
    teams.need_analysis("abmiddleware step")
    from abmiddleware.design.outcomes import outcome_of
    from abmiddleware.design.steps import Request, Team, take

    engine = engine_of(options)
    ledger = teams.ledger_of(options)
    team = Team(teams.plans_of(engine), teams.designs_of(options), ledger, engine.excludes)
    request = Request(
        key=options.key,
        to=options.to,
        by=options.by,
        why=options.why,
        decision=options.decision,
        variation=options.variation,
        learnings=options.learnings,
        outcome=outcome_of(options.report, options.key, options.variation),
    )
    sys.stdout.write(f"{told(take(team, request))}\n{ledger.path}\n")
    return 0


def told(step: Step) -> str:
    """Return a step in a line."""
    parts = [step.at, step.key, step.to]
    if step.decision:
        parts.append(f"{step.decision} {step.variation}".strip())
    if step.coverage is not None:
        parts.append(f"coverage {step.coverage:g}")
    if step.digest:
        parts.append(f"locked as {step.digest}")
    return "  ".join([*parts, f"by {step.by}", *([step.why] if step.why else [])])


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in some containers
        return ""
