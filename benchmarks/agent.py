"""How fast the agent ships a journal to a warehouse."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from abmiddleware import Engine, Experiment, Journal
from benchmarks import bars
from benchmarks.bars import Verdict
from benchmarks.figures import Figure

#: Visitors in the journal, of five records each, and the rounds.
USUAL: Final = (80_000, 3)
QUICK: Final = (2_000, 1)

_EXPERIMENTS: Final = [
    Experiment(key, ["control", "treatment"]) for key in ("button", "price", "banner", "order")
]


@dataclass(frozen=True, slots=True)
class AgentRow:
    """The records a second into one destination; without any where it is left out."""

    name: str
    verdict: Verdict | None = None
    left_out: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "verdict": self.verdict.as_json() if self.verdict else None}


def measure(
    effort: tuple[int, int], postgres: str | None, advance: Callable[[], None]
) -> list[AgentRow]:
    """Ship one journal to each destination, the agent's start included.

    Args:
        effort: visitors and rounds.
        postgres: the address of a database to measure in; its schemas `bench_...` are left there.
        advance: called after each round.
    """
    visitors, rounds = effort
    speeds: dict[str, list[float]] = {"Parquet": [], "DuckDB": [], "PostgreSQL": []}
    with TemporaryDirectory(prefix="abmiddleware-") as folder:
        journal = _write(Path(folder), visitors)
        for turn in range(rounds):
            for name, address in _addresses(Path(folder), postgres, turn).items():
                speeds[name].append(_shipped(journal, name, address, turn, visitors * 5))
            advance()
    return [_row(name, found) for name, found in speeds.items()]


def _write(folder: Path, visitors: int) -> Path:
    journal = folder / "journal.jsonl"
    engine = Engine(_EXPERIMENTS, sink=Journal(journal))
    for number in range(visitors):
        with engine.client(id=f"visitor-{number}") as experiments:
            for experiment in _EXPERIMENTS:
                experiments.run(experiment)
            experiments.track("purchase", 42.0)
    engine.close()
    return journal


def _addresses(folder: Path, postgres: str | None, turn: int) -> Mapping[str, str]:
    files = {
        "Parquet": f"parquet:{folder}/lake-{turn}",
        "DuckDB": f"duckdb:///{folder}/warehouse-{turn}.duckdb",
    }
    return files if postgres is None else {**files, "PostgreSQL": postgres}


def _shipped(journal: Path, name: str, address: str, turn: int, records: int) -> float:
    """Return the records a second of one run of the agent."""
    state = journal.with_name(f"{name}-{turn}")
    agent = [sys.executable, "-m", "abmiddleware.cli", "agent", "--journal", str(journal)]
    agent += ["--state", str(state)]
    began = time.monotonic()
    dataset = f"bench_{time.time_ns()}"
    ship = [*agent, "--once", "--destination", address, "--dataset", dataset]
    done = subprocess.run(ship, capture_output=True, text=True, check=False)  # noqa: S603
    took = time.monotonic() - began
    if done.returncode:
        raise RuntimeError(f"agent, {name}: {done.stderr}")
    status = subprocess.run([*agent, "--status", "--json"], capture_output=True, check=True)  # noqa: S603
    delivered = sum(json.loads(status.stdout)["delivered"].values())
    if delivered != records:
        raise RuntimeError(f"agent, {name}: {delivered} of {records} records arrived")
    return records / took


def _row(name: str, speeds: list[float]) -> AgentRow:
    if not speeds:
        return AgentRow(name, left_out="needs --postgres postgresql://user:password@host/database")
    return AgentRow(name, Verdict(bars.AGENT, Figure.with_extremes(speeds)))
