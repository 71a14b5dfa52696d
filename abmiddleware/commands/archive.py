"""Search what was learnt from experiments."""

from __future__ import annotations

import argparse
import sys
from typing import get_args

import msgspec

from abmiddleware.commands import teams
from abmiddleware.design.archive import Card, cards, search
from abmiddleware.design.lifecycle import Decision


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("query", nargs="*", metavar="WORD", help="each must be there; all cards")
    parser.add_argument("--decision", choices=get_args(Decision), help="only these")
    parser.add_argument("--json", action="store_true", help="as JSON")
    teams.add_designs_argument(parser)
    teams.add_ledger_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Print the cards; return the exit code: 1 where there is none.

    Raises:
        ABMiddlewareError: a file cannot be used.
        OSError: a file cannot be read.
    """
    known = cards(teams.designs_of(options), teams.ledger_of(options))
    found = search(known, " ".join(options.query))
    if options.decision:
        found = [card for card in found if card.decision == options.decision]
    if options.json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_told(card) for card in found))
        sys.stdout.write(f"{chr(10) if found else ''}{len(found)} of {len(known)} experiments\n")
    return 0 if found else 1


def _told(card: Card) -> str:
    decided = f"{card.decision} {card.variation}".strip()
    times = " to ".join(day for day in (card.began, card.stopped) if day)
    of = card.outcome
    parts = {
        "": "  ".join(one for one in (decided or card.status, times, card.owner) if one),
        "hypothesis": card.hypothesis,
        "outcome": f"{of.metric} {of.lift:+.1%} with {of.units:,} units" if of else "",
        "learnt": card.learnings,
        "where": ", ".join((*card.surface, *card.tags)),
    }
    lines = [f"  {name + ': ' if name else ''}{text}\n" for name, text in parts.items() if text]
    return f"{card.key}\n{''.join(lines)}"
