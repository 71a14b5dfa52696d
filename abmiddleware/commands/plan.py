"""Tell how many units an experiment needs, for how long, and what it can find."""

from __future__ import annotations

import argparse
import math
import sys
from typing import TYPE_CHECKING, Final

import msgspec

from abmiddleware.commands import teams

if TYPE_CHECKING:
    from abmiddleware.design.power import Question

#: Relative effects of the table, by what is looked for.
_FACTORS: Final = (0.5, 0.75, 1.0, 1.5, 2.0)
#: Weeks of the curve.
_WEEKS: Final = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--baseline", type=float, required=True, help="the goal today: 0.1")
    parser.add_argument("--mde", type=float, required=True, help="the relative effect: 0.05")
    parser.add_argument("--deviation", type=float, help="of a unit's value; a share needs none")
    parser.add_argument("--per-day", type=float, default=0.0, help="units that come a day")
    parser.add_argument("--variations", type=int, default=2, help="with the control (%(default)s)")
    parser.add_argument("--goals", type=int, default=1, help="(%(default)s)")
    parser.add_argument("--guardrails", type=int, default=0, help="(%(default)s)")
    parser.add_argument("--alpha", type=float, default=0.05, help="(%(default)s)")
    parser.add_argument("--power", type=float, default=0.8, help="(%(default)s)")
    parser.add_argument("--sequential", action="store_true", help="with looks at any time")
    parser.add_argument("--cluster-size", type=float, default=1.0, help="units in each")
    parser.add_argument("--correlation", type=float, default=0.0, help="within clusters")
    parser.add_argument("--json", action="store_true", help="as JSON")


class Answer(msgspec.Struct, frozen=True):
    """What the command tells."""

    mde: float
    #: Of each variation.
    units: int
    days: int
    #: By relative effect, the units of each variation; and by week, the effect that is found.
    table: list[tuple[float, int]]
    curve: list[tuple[int, float]]


def run(options: argparse.Namespace) -> int:
    """Print it; return the exit code.

    Raises:
        DefinitionError: something is missing, or cannot be.
    """
    teams.need_analysis("abmiddleware plan")
    from abmiddleware.design.power import Question, check_question

    question = Question(
        baseline=options.baseline,
        deviation=options.deviation or 0.0,
        is_share=options.deviation is None,
        variations=options.variations,
        goals=options.goals,
        guardrails=options.guardrails,
        alpha=options.alpha,
        power=options.power,
        sequential=options.sequential,
        cluster_size=options.cluster_size,
        correlation=options.correlation,
    )
    check_question(question)
    answer = answered(question, options.mde, options.per_day)
    if options.json:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _lines(question, answer)))
    return 0


def answered(question: Question, effect: float, per_day: float) -> Answer:
    """Return the units, the days, and both for other effects and weeks."""
    from abmiddleware.design.power import duration, effect_for, units_for

    took = duration(question, effect, per_day) if per_day > 0 else None
    table = []
    for factor in _FACTORS:
        wanted = effect * factor
        if not question.is_share or 0 < question.baseline * (1 + wanted) < 1:
            table.append((wanted, units_for(question, wanted)))
    curve = [
        (week, effect_for(question, per_day * 7 * week / question.variations))
        for week in range(1, _WEEKS + 1)
        if per_day > 0
    ]
    units = units_for(question, effect) if took is None else took.needed
    return Answer(effect, units, 0 if took is None else took.days, table, curve)


def _lines(question: Question, answer: Answer) -> list[str]:
    kind = "looks at any time" if question.sequential else "one look, at the end"
    found = (
        f"{answer.units:,} units of each of {question.variations} variations find "
        f"{answer.mde:+.1%} of {question.baseline:g} with a power of {question.power:.0%}"
    )
    how = (
        f"({kind}; alpha {question.alpha:g}; {question.goals} goal"
        f"{'s' * (question.goals != 1)}, {question.guardrails} guardrails)"
    )
    lines = [found, how]
    if answer.days:
        lines.append(f"that takes {answer.days} days, in whole weeks")
    lines += ["", "  effect        units of each"]
    lines += [f"  {effect:+8.2%}  {units:>15,}" for effect, units in answer.table]
    known = [(week, effect) for week, effect in answer.curve if math.isfinite(effect)]
    if known:
        longest = max(effect for _, effect in known)
        lines += ["", "  weeks  smallest effect that is found"]
        lines += [
            f"  {week:>5}  {effect:7.2%}  {'#' * max(1, round(40 * effect / longest))}"
            for week, effect in known
        ]
    return lines
