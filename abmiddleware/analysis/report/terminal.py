"""A report in the terminal."""

from __future__ import annotations

from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from abmiddleware.analysis.analysis import Analysis
from abmiddleware.analysis.report.rows import ROLES, Row, p_text, rows_of
from abmiddleware.analysis.sentences import left_out_of

_COLOURS: Final = {
    "ship": "green",
    "better": "green",
    "holds": "green",
    "roll back": "red",
    "worse": "red",
    "harmed": "red",
    "unhealthy": "red",
    "no data": "yellow",
    "waiting": "blue",
    "running": "blue",
}


def print_report(console: Console, analysis: Analysis) -> None:
    """Print the sentence, the health, the units and the metrics."""
    colour = _COLOURS.get(analysis.status, "default")
    title = f"[bold]{analysis.key}[/]  [{colour}]{analysis.status}[/]"
    console.print(Panel(Text(analysis.sentence), title=title, title_align="left"))
    console.print(_arms(analysis))
    if left_out := left_out_of(analysis):
        console.print(_line(left_out, "dim"))
    for text in analysis.health.problems:
        console.print(_line(f"wrong: {text}", "red"))
    for text in analysis.health.warnings:
        console.print(_line(f"note: {text}", "yellow"))
    if analysis.withheld or analysis.status == "no data":
        console.print(_line(_named(analysis), "dim"))
        return
    rows = rows_of(analysis)
    for role, heading in ROLES.items():
        of = [row for row in rows if row.role == role]
        if any(row.p_value for row in of):
            console.print(_metrics(heading, [row for row in of if row.p_value]))
        elif of:
            console.print(Text(heading, style="bold"))
        for row in of:
            if row.note:
                of_one = ", ".join(one for one in (row.metric, row.variation) if one)
                console.print(_line(f"{of_one}: {row.note}", "dim"))
    console.print(_line(_how(analysis), "dim"))


def _line(text: str, style: str) -> RenderableType:
    return Padding(Text(text, style=style), (0, 0, 0, 2), expand=False)


def _arms(analysis: Analysis) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for heading, justify in (("variation", "left"), ("units", "right"), ("configured", "right")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    share = sum(arm.weight for arm in analysis.arms) or 1.0
    for arm in analysis.arms:
        table.add_row(arm.name, f"{arm.units:,}", f"{arm.weight / share:.1%}")
    parts: list[RenderableType] = [table]
    split = analysis.health.exposed
    if split is not None:
        colour = "red" if split.is_alarming else "green"
        words = "not as configured" if split.is_alarming else "as configured"
        parts.append(_line(f"split {words} (p = {p_text(split.p_value)})", colour))
    if progress := _progress(analysis):
        parts.append(_line(progress, "dim"))
    return Group(*parts)


def _named(analysis: Analysis) -> str:
    """Return what will be told, of metrics that are withheld."""
    told = []
    for role, heading in ROLES.items():
        names = [result.name for result in analysis.metrics if result.role == role]
        if names:
            told.append(f"{heading.lower()} {', '.join(names)}")
    return "; ".join(told)


def _progress(analysis: Analysis) -> str:
    units, told = sum(arm.units for arm in analysis.arms), []
    if analysis.planned_days:
        told.append(f"day {min(analysis.days, analysis.planned_days)} of {analysis.planned_days}")
    if analysis.planned_units:
        told.append(f"{units:,} of {analysis.planned_units:,} planned units")
    return ", ".join(told)


def _metrics(heading: str, rows: list[Row]) -> Table:
    table = Table(
        title=f"[bold]{heading}[/]",
        title_justify="left",
        box=None,
        padding=(0, 2, 0, 0),
        pad_edge=False,
    )
    for name in ("metric", "variation", "control", "it", "lift", "interval", "p", ""):
        table.add_column(
            name,
            justify="right" if name in ("control", "it", "lift", "p") else "left",
            no_wrap=name != "variation",
        )
    for row in rows:
        colour = _COLOURS.get(row.word, "default")
        table.add_row(
            row.metric,
            row.variation,
            row.control,
            row.treatment,
            row.lift or row.effect,
            row.interval or row.effect_interval,
            row.p_value,
            Text(row.word, style=colour),
        )
    return table


def _how(analysis: Analysis) -> str:
    level = f"{100 * (1 - analysis.alpha):g} %"
    if analysis.sequential:
        return f"{level} intervals that hold at every look"
    return f"{level} intervals for one look, at the planned end"
