"""The figures of one run, and the machine they were taken on."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from rich.console import Console

from benchmarks import tables
from benchmarks.agent import AgentRow
from benchmarks.analysis import AnalysisRow
from benchmarks.crowd import CrowdRow
from benchmarks.decision import DecisionRow
from benchmarks.load import LoadRow
from benchmarks.middleware import SiteRow
from benchmarks.scale import ScaleRow

_PACKAGES: Final = (
    "abmiddleware",
    "eppo-server-sdk",
    "growthbook",
    "fnv-hash-fast",
    "msgspec",
    "starlette",
    "fastapi",
    "flask",
    "django",
    "dlt",
    "duckdb",
    "ibis-framework",
    "tea-tasting",
)


@dataclass(slots=True)
class Report:
    """The figures of the parts that were asked for."""

    decision: Sequence[DecisionRow] = ()
    scale: Sequence[ScaleRow] = ()
    load: Sequence[LoadRow] = ()
    middleware: Sequence[SiteRow] = ()
    crowd: Sequence[CrowdRow] = ()
    agent: Sequence[AgentRow] = ()
    analysis: Sequence[AnalysisRow] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values; every time is of CPU."""
        return {
            "machine": _machine(),
            "packages": {name: _version(name) for name in _PACKAGES},
            "decision": [row.as_json() for row in self.decision],
            "scale": [row.as_json() for row in self.scale],
            "load": [row.as_json() for row in self.load],
            "middleware": [asdict(row) for row in self.middleware],
            "crowd": [row.as_json() for row in self.crowd],
            "agent": [row.as_json() for row in self.agent],
            "analysis": [row.as_json() for row in self.analysis],
        }

    def show(self, console: Console) -> None:
        """Print the tables."""
        console.print(_facts(), highlight=False)
        if self.decision:
            console.print(tables.decision_table(self.decision))
        if self.scale:
            console.print(tables.scale_table(self.scale))
        if self.load:
            console.print(tables.load_table(self.load))
        if self.middleware:
            console.print(tables.middleware_table(self.middleware))
        if self.crowd:
            console.print(tables.crowd_table(self.crowd))
        if self.agent:
            console.print(tables.agent_table(self.agent))
        if self.analysis:
            console.print(tables.analysis_table(self.analysis))


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


def _facts() -> str:
    machine = _machine()
    packages = ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    return f"{machine['python']}, {machine['system']}, {machine['cpus']} CPUs; {packages}\n"
