"""The tables that people read, and the same figures as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from rich.console import Console, Group
from rich.table import Table

from benchmarks.decision import DecisionRow
from benchmarks.figures import Figure
from benchmarks.middleware import SiteRow
from benchmarks.sites.site import Variant

_PACKAGES: Final = (
    "abmiddleware",
    "growthbook",
    "fnv-hash-fast",
    "msgspec",
    "starlette",
    "fastapi",
    "flask",
    "django",
)


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one run, and the machine they were taken on."""

    machine: dict[str, str]
    packages: dict[str, str]
    decision: Sequence[DecisionRow]
    middleware: Sequence[SiteRow]

    @classmethod
    def of(cls, decision: Sequence[DecisionRow], middleware: Sequence[SiteRow]) -> Report:
        """Return the report of figures just taken on this machine."""
        return cls(_machine(), {name: _version(name) for name in _PACKAGES}, decision, middleware)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values; every time is in µs of CPU."""
        return asdict(self)

    def show(self, console: Console) -> None:
        """Print the tables."""
        console.print(Group(_facts(self), _decision_table(self.decision)))
        console.print(_middleware_table(self.middleware))


def _machine() -> dict[str, str]:
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": str(os.cpu_count()),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _facts(report: Report) -> str:
    machine = report.machine
    packages = ", ".join(f"{name} {number}" for name, number in report.packages.items())
    return f"{machine['python']}, {machine['system']}, {machine['cpus']} CPUs; {packages}\n"


def _decision_table(rows: Sequence[DecisionRow]) -> Table:
    table = Table(
        title="One decision, 50/50, hash version 2, a new user each time",
        caption="µs of CPU: median, lowest…highest round; × is of the first row, round by round",
    )
    table.add_column("how")
    table.add_column("µs", justify="right")
    table.add_column("×", justify="right")
    for row in rows:
        table.add_row(row.name, _shown(row.microseconds, 2), _shown(row.ratio, 2))
    return table


def _middleware_table(rows: Sequence[SiteRow]) -> Table:
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
            *[_shown(figure, 1) for figure in row.added.values()],
            _shown(row.over_empty, 1),
        )
    return table


def _shown(figure: Figure, digits: int) -> str:
    low, high = f"{figure.low:.{digits}f}", f"{figure.high:.{digits}f}"
    return f"{figure.median:.{digits}f}\n{low}…{high}"
