"""The tables that people read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.table import Table

from benchmarks.agent import AgentRow
from benchmarks.analysis import AnalysisRow
from benchmarks.bars import Verdict
from benchmarks.crowd import AT_ONCE, CrowdRow
from benchmarks.decision import DecisionRow
from benchmarks.figures import Figure
from benchmarks.load import LoadRow
from benchmarks.middleware import SiteRow
from benchmarks.payload import EXPERIMENTS
from benchmarks.scale import ScaleRow
from benchmarks.sites.site import Variant


def decision_table(rows: Sequence[DecisionRow]) -> Table:
    """Return the table of decisions, case by case."""
    table = Table(
        title="One decision with its exposure, a new user and a request of their own each time",
        caption="µs of CPU and ratios of the same round: median, lowest…highest; a bar is held "
        "against the median",
    )
    for name in ("case", "how", "µs", "ratio", "bar", "met"):
        table.add_column(name, justify="right" if name == "µs" else "left", no_wrap=True)
    for _, group in groupby(rows, key=lambda row: row.case):
        table.add_section()
        for number, row in enumerate(group):
            title = "" if number else f"{row.case}: {row.title}"
            table.add_row(title, row.name, *_decision_cells(row))
    return table


def _decision_cells(row: DecisionRow) -> list[str]:
    if row.microseconds is None:
        return [f"[dim]{row.left_out}[/]", "", "", ""]
    spent = _shown(row.microseconds, 2)
    if row.verdict is not None:
        return [spent, *_bar_cells(row.verdict, 2)]
    return [spent, "" if row.ratio is None else f"{_shown(row.ratio, 2)} × ours", "", ""]


def scale_table(rows: Sequence[ScaleRow]) -> Table:
    """Return the table of sizes of the configuration."""
    table = Table(
        title="One decision, by the number of experiments in the configuration",
        caption="µs of CPU: median, lowest…highest round; growth is from the smallest to the "
        "largest configuration with the same experiment run each time, round by round",
    )
    table.add_column("how")
    for size in (*rows[0].microseconds, "growth"):
        table.add_column(size, justify="right")
    table.add_column("bar")
    table.add_column("met")
    for row in rows:
        sizes = [_shown(figure, 2, "\n") for figure in row.microseconds.values()]
        table.add_row(row.name, *sizes, *_bar_cells(row.growth, 2))
    return table


def load_table(rows: Sequence[LoadRow]) -> Table:
    """Return the table of what a large configuration costs when it arrives."""
    table = Table(
        title=f"A configuration of {EXPERIMENTS:,} experiments, 3.4 MiB as GrowthBook sends it",
        caption="ms of CPU, the parsing of the JSON included, and growth of the resident memory; "
        "each in a fresh process: median, lowest…highest.",
    )
    for name in ("how", "what", "figure", "bar", "met"):
        table.add_column(name, no_wrap=True)
    for name, group in groupby(rows, key=lambda row: row.name):
        table.add_section()
        for number, row in enumerate(group):
            table.add_row("" if number else name, row.what, *_load_cells(row))
    return table


def _load_cells(row: LoadRow) -> list[str]:
    if row.figure is None:
        return [f"[dim]{row.left_out}[/]", "", ""]
    if row.verdict is not None:
        return _bar_cells(row.verdict, 1)
    return [_shown(row.figure, 1), "", ""]


def middleware_table(rows: Sequence[SiteRow]) -> Table:
    """Return the table of frameworks."""
    table = Table(
        title="What the middleware adds to a request, of 20 experiments configured",
        caption="µs of CPU over the bare application: median, first…third quartile of the "
        "differences, round by round; the cookie is there",
    )
    table.add_column("framework")
    table.add_column("bare request", justify="right")
    for variant in Variant:
        if variant is not Variant.BARE:
            table.add_column(variant.value, justify="right")
    table.add_column("0, over empty", justify="right")
    for row in rows:
        table.add_row(
            row.name,
            f"{row.microseconds[Variant.BARE].median:.1f}",
            *[_shown(figure, 1, "\n") for figure in row.added.values()],
            _shown(row.over_empty, 1, "\n"),
        )
    return table


def crowd_table(rows: Sequence[CrowdRow]) -> Table:
    """Return the table of a crowd."""
    table = Table(
        title=f"One exposure on disk, of {AT_ONCE:,} requests under way in one event loop",
        caption="µs of CPU from asking until the response starts, under Starlette: median, "
        "first…third quartile of the rounds",
    )
    for name in ("engine", "of requests", "figure", "bar", "met"):
        table.add_column(name, no_wrap=True)
    for row in rows:
        table.add_section()
        table.add_row(row.name, "the middle one", *_bar_cells(row.middle, 1))
        table.add_row("", "99 of 100 take less", *_bar_cells(row.worst, 1))
    return table


def agent_table(rows: Sequence[AgentRow]) -> Table:
    """Return the table of destinations."""
    table = Table(
        title="A journal that the agent ships, four exposures and an outcome of each visitor",
        caption="records a second of wall time, the agent's start included: median, lowest…highest",
    )
    for name in ("to", "figure", "bar", "met"):
        table.add_column(name, no_wrap=True)
    for row in rows:
        left_out = [f"[dim]{row.left_out}[/]", "", ""]
        table.add_row(row.name, *(_bar_cells(row.verdict, 0) if row.verdict else left_out))
    return table


def analysis_table(rows: Sequence[AnalysisRow]) -> Table:
    """Return the table of analyses."""
    table = Table(
        title="An analysis with three metrics, a window of a week and CUPED",
        caption="wall time from the start of Python, and memory at most: median, lowest…highest; "
        "the bars are for ten million exposures",
    )
    for name in ("records", "exposures", "figure", "bar", "met"):
        table.add_column(name, no_wrap=True)
    for row in rows:
        table.add_section()
        table.add_row(row.form, f"{row.exposures:,}", *_bar_cells(row.seconds, 1))
        table.add_row("", "", *_bar_cells(row.mebibytes, 0))
    return table


def _bar_cells(verdict: Verdict, digits: int) -> list[str]:
    """Return a figure, its bar and whether it is met."""
    bar = verdict.bar
    met = "[green]yes[/]" if verdict.is_met else "[red]no[/]"
    return [f"{_shown(verdict.figure, digits)} {bar.unit}", str(bar), met]


def _shown(figure: Figure, digits: int, between: str = "  ") -> str:
    low, high = f"{figure.low:.{digits}f}", f"{figure.high:.{digits}f}"
    return f"{figure.median:.{digits}f}{between}{low}…{high}"
