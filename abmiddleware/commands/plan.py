"""Tell how many units an experiment needs, for how long, and what it can find."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
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
    parser.add_argument("--variations", type=int, help="with the control (2)")
    parser.add_argument(
        "--weights",
        type=teams.shares_of,
        default=(),
        metavar="SHARES",
        help="of the variations, the control's first: 0.9,0.1 (equal)",
    )
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
    #: Of each variation, counted as of equal shares; and of all, in the shares that they get.
    units: int
    total: int
    #: Whether the floor of conversions asks for more than the power does.
    is_floor: bool
    days: int
    #: By relative effect, the units of all variations; and by week, the effect that is found.
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
        variations=options.variations or len(options.weights) or 2,
        goals=options.goals,
        guardrails=options.guardrails,
        alpha=options.alpha,
        power=options.power,
        sequential=options.sequential,
        cluster_size=options.cluster_size,
        correlation=options.correlation,
    )
    check_question(question)
    answer = answered(question, options.mde, options.per_day, options.weights)
    if options.json:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _lines(question, answer, options.weights)))
    return 0


def answered(
    question: Question, effect: float, per_day: float, weights: Sequence[float] = ()
) -> Answer:
    """Return the units, the days, and both for other effects and weeks."""
    from abmiddleware.design.power import duration, effect_for, size_for
    from abmiddleware.design.shares import effective

    size = size_for(question, effect, weights)
    table = []
    for factor in _FACTORS:
        wanted = effect * factor
        if not question.is_share or 0 < question.baseline * (1 + wanted) < 1:
            table.append((wanted, size_for(question, wanted, weights).total))
    share = effective(weights) if weights else 1 / question.variations
    curve = [
        (week, effect_for(question, per_day * 7 * week * share))
        for week in range(1, _WEEKS + 1)
        if per_day > 0
    ]
    days = duration(size, per_day) if per_day > 0 else 0
    return Answer(effect, size.needed, size.total, size.floor > size.units, days, table, curve)


def _lines(question: Question, answer: Answer, weights: Sequence[float]) -> list[str]:
    kind = "looks at any time" if question.sequential else "one look, at the end"
    shares = " : ".join(f"{100 * one:.3g}%" for one in weights)
    units = (
        f"{answer.total:,} units in shares of {shares}"
        if weights
        else f"{answer.units:,} units of each of {question.variations} variations"
    )
    found = (
        f"{units} find {answer.mde:+.1%} of {question.baseline:g} with a power of "
        f"{question.power:.0%}"
    )
    how = (
        f"({kind}; alpha {question.alpha:g}; {question.goals} goal"
        f"{'s' * (question.goals != 1)}, {question.guardrails} guardrail"
        f"{'s' * (question.guardrails != 1)})"
    )
    lines = [found, how]
    if answer.is_floor:
        lines.append(
            "the floor of 200 conversions of each variation sets the size; the power asks for fewer"
        )
    if answer.days:
        lines.append(f"that takes {answer.days} days, in whole weeks")
    lines += ["", "  effect         units in all"]
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
