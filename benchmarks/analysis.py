"""How long an analysis takes and what memory, by the number of exposures."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks import bars
from benchmarks.bars import Verdict
from benchmarks.figures import Figure
from benchmarks.records import write_journal, write_lake

#: Exposures, and the rounds of each form and size.
USUAL: Final[tuple[Sequence[int], int]] = ((100_000, 1_000_000, 10_000_000), 3)
QUICK: Final[tuple[Sequence[int], int]] = ((1_000, 10_000), 1)

_FORMS: Final = {"Parquet": write_lake, "JSON lines": write_journal}
_PROGRAM: Final = """
import json, sys, time
began = time.perf_counter()
import datetime as dt
from abmiddleware.analysis.analysing import analyse
from abmiddleware.analysis.subject import Subject, Variation
from abmiddleware.analysis.warehouse import open_journal
from abmiddleware.design.designs import Designs
from abmiddleware.design.metrics import Measure, Metric
from abmiddleware.design.record import ExperimentRecord

paths, units = sys.argv[1:-1], int(sys.argv[-1])
each = Measure(event="purchase", aggregate="count")
designs = Designs.of(
    {
        "conversion": Metric(kind="proportion", event="purchase", window_days=7),
        "revenue": Metric(kind="mean", event="purchase", window_days=7, cuped_days=14),
        "basket": Metric(kind="ratio", event="purchase", window_days=7, denominator=each),
    },
    {
        "checkout-button": ExperimentRecord(
            goals=("conversion",),
            secondary=("revenue", "basket"),
            start=dt.date(2026, 11, 4),
            end=dt.date(2026, 11, 17),
        )
    },
)
subject = Subject("checkout-button", [Variation("0", "old", 0.5), Variation("1", "new", 0.5)])
now = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
found = analyse(subject, designs, open_journal(paths), now=now)
seen = sum(arm.units for arm in found.arms)
assert 0.5 * units < seen < units, seen
assert all(metric.verdicts for metric in found.metrics), found.health
took = time.perf_counter() - began
# The process' own: what `getrusage` tells begins with the memory of the one that started it.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps([took, int(status["VmHWM"].split()[0]) / 1024]))
"""


@dataclass(frozen=True, slots=True)
class AnalysisRow:
    """One form of records at one size."""

    form: str
    exposures: int
    #: Of wall time, with the start of the libraries; and of memory at most.
    seconds: Verdict
    mebibytes: Verdict

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        told = {"seconds": self.seconds.as_json(), "mebibytes": self.mebibytes.as_json()}
        return {**asdict(self), **told}


def measure(effort: tuple[Sequence[int], int], advance: Callable[[], None]) -> list[AnalysisRow]:
    """Analyse an experiment with three metrics, a window of a week and CUPED.

    Each in a process of its own, whose memory can be told.

    Args:
        effort: the numbers of exposures, and the rounds.
        advance: called after each form of each size.
    """
    sizes, rounds = effort
    rows = []
    for size in sizes:
        for form, write in _FORMS.items():
            with TemporaryDirectory(prefix="abmiddleware-") as folder:
                write(Path(folder), size)
                rows.append(_row(form, size, [_run(Path(folder), size) for _ in range(rounds)]))
            advance()
    return rows


def steps(effort: tuple[Sequence[int], int]) -> int:
    """Return how often `advance` is called."""
    return len(effort[0]) * len(_FORMS)


def _run(folder: Path, size: int) -> tuple[float, float]:
    """Return the seconds and the mebibytes of one analysis."""
    lines = sorted(map(str, folder.glob("*.jsonl")))
    command = [sys.executable, "-c", _PROGRAM, *(lines or [str(folder)]), str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"analysis of {folder}: {done.stderr}")
    seconds, mebibytes = json.loads(done.stdout)
    return seconds, mebibytes


def _row(form: str, size: int, found: Sequence[tuple[float, float]]) -> AnalysisRow:
    seconds, mebibytes = (Figure.with_extremes(values) for values in zip(*found, strict=True))
    return AnalysisRow(
        form, size, Verdict(bars.ANALYSIS, seconds), Verdict(bars.ANALYSIS_MEMORY, mebibytes)
    )
