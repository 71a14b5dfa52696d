"""The rows that every form of a report shows: a variation beside the control, in words."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from abmiddleware.analysis.analysis import Analysis, Cell, MetricResult, Verdict
from abmiddleware.analysis.numbers import effect_texts, lift_texts, value_text

SHARES = ("proportion", "retention", "funnel")
ROLES = {"goal": "Goals", "guardrail": "Guardrails", "secondary": "Secondary"}


class Row(msgspec.Struct, frozen=True):
    """One variation in one metric."""

    role: str
    metric: str
    variation: str
    #: The values, such as "9.61 %", and behind them how they come about, such as "139 of 1,446".
    control: str
    control_count: str
    treatment: str
    treatment_count: str
    #: The relative effect and its interval; "" where there is none.
    lift: str
    interval: str
    #: The difference and its interval.
    effect: str
    effect_interval: str
    p_value: str
    word: str
    #: What one should know: the chance, why there is no lift, why nothing is shown.
    note: str
    #: Of the picture: the lift, its ends, and the margin of a guardrail; None for no lift.
    bar: tuple[float, float, float] | None
    #: The loss that a guardrail accepts, with its sign; 0 for none.
    margin: float


def rows_of(analysis: Analysis) -> list[Row]:
    """Return the rows of all metrics, goals first; a metric that is withheld has one."""
    return [row for result in analysis.metrics for row in _rows(analysis, result)]


def _rows(analysis: Analysis, result: MetricResult) -> Iterator[Row]:
    names = {arm.key: arm.name for arm in analysis.arms}
    if not result.verdicts:
        yield Row(
            result.role, result.name, "", "", "", "", "", "", "", "", "", "", "", result.withheld,
            None, 0.0,
        )  # fmt: skip
        return
    cells = {cell.variation: cell for cell in result.cells}
    for verdict in result.verdicts:
        yield _row(
            result,
            verdict,
            names[verdict.variation],
            cells[analysis.arms[0].key],
            cells[verdict.variation],
        )


def _row(result: MetricResult, verdict: Verdict, name: str, control: Cell, treatment: Cell) -> Row:
    comparison, is_share = verdict.comparison, result.kind in SHARES
    error = comparison.standard_error
    lift, low, high = ("", "", "") if comparison.lift is None else lift_texts(comparison.lift)
    effect, least, most = effect_texts(comparison.effect, is_share=is_share, unit=result.unit)
    values = (
        value_text(one, is_share=is_share, unit=result.unit, error=error)
        for one in (comparison.control, comparison.treatment)
    )
    bar = comparison.lift
    return Row(
        result.role,
        result.name,
        name,
        next(values),
        _count(control),
        next(values),
        _count(treatment),
        lift,
        _span(low, high) if lift else "",
        effect,
        _span(least, most),
        p_text(verdict.p_value),
        verdict.word,
        _note(result, verdict),
        None if bar is None else (bar.estimate, bar.low, bar.high),
        0.0 if result.role != "guardrail" else -result.margin * _sign(result),
    )


def _span(low: str, high: str) -> str:
    """Return an interval, such as "+18 to +39 %", whose unit is told once."""
    return f"{low.partition(' ')[0]} to {high}"


def _sign(result: MetricResult) -> int:
    return 1 if result.direction == "up" else -1


def _count(cell: Cell) -> str:
    if cell.successes is None:
        return f"of {cell.units:,}"
    return f"{cell.successes:,} of {cell.units:,}"


def _note(result: MetricResult, verdict: Verdict) -> str:
    notes = []
    if verdict.comparison.no_lift:
        notes.append(f"no lift: {verdict.comparison.no_lift.value}")
    if verdict.chance is not None:
        notes.append(f"chance to be better {_chance(verdict.chance)}")
    if result.retroactive:
        notes.append(f"added after the start, {result.retroactive}: decides nothing")
    return "; ".join(notes)


def _chance(chance: float) -> str:
    if chance > 0.999:
        return "> 99.9 %"
    return "< 0.1 %" if chance < 0.001 else f"{chance:.1%}".replace("%", " %")


def p_text(p_value: float) -> str:
    """Return a p-value with two digits, and none of those that mean nothing."""
    if p_value < 0.0001:
        return "< 0.0001"
    return f"{p_value:.2g}" if p_value < 0.1 else f"{p_value:.2f}"
