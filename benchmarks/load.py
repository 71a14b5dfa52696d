"""What a configuration of 10,000 experiments costs when it arrives."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks import bars, candidates
from benchmarks.bars import Bar, Verdict
from benchmarks.eppo_candidate import flags
from benchmarks.figures import Figure, shuffled
from benchmarks.loaders import LOADERS
from benchmarks.payload import growthbook_payload, trials

#: The rounds, each with a fresh process for every library.
USUAL: Final = 15
QUICK: Final = 3

#: What a probe measures, by its name there: what it is called, and our bar.
_MEASURES: Final[Mapping[str, tuple[str, Bar | None]]] = {
    "load_ms": ("ms to load", bars.LOAD),
    "loaded_mib": ("MiB when loaded", bars.MEMORY),
    "unchanged_ms": ("ms for the same bytes again", bars.UNCHANGED),
    "used_ms": ("ms for the first use of each", None),
    "used_mib": ("MiB when each was used", None),
}
_ROOT: Final = Path(__file__).parents[1]
#: The figures of one process, or why it has them not.
_Probe = Mapping[str, float | str]


@dataclass(frozen=True, slots=True)
class LoadRow:
    """One figure of one library; without any where it is left out."""

    name: str
    what: str = ""
    figure: Figure | None = None
    verdict: Verdict | None = None
    left_out: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "verdict": self.verdict.as_json() if self.verdict else None}


def measure(rounds: int, advance: Callable[[], None]) -> list[LoadRow]:
    """Load the configuration in fresh processes, one at a time."""
    probes: dict[str, list[_Probe]] = {name: [] for name in LOADERS}
    with TemporaryDirectory(prefix="abmiddleware-") as folder:
        paths = _write(Path(folder))
        for turn in range(rounds):
            for name in shuffled(list(LOADERS), turn):
                probes[name].append(_probe(name, paths.get(name, paths[""])))
            advance()
    return [row for name, own in probes.items() for row in _rows(name, own)]


def _write(folder: Path) -> dict[str, Path]:
    """Write the configuration: GrowthBook's form for all, Eppo's for Eppo."""
    paths = {"": folder / "growthbook.json", candidates.EPPO: folder / "eppo.json"}
    paths[""].write_bytes(growthbook_payload())
    paths[candidates.EPPO].write_bytes(flags(trials()))
    return paths


def _probe(name: str, path: Path) -> _Probe:
    command = [sys.executable, "-m", "benchmarks.load_probe", name, str(path)]
    done = subprocess.run(  # noqa: S603  # our own command
        command, cwd=_ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"load, {name}: {done.stderr}")
    probe: _Probe = json.loads(done.stdout)
    return probe


def _rows(name: str, probes: Sequence[_Probe]) -> Iterator[LoadRow]:
    if reason := probes[0].get("left_out"):
        yield LoadRow(name, left_out=str(reason))
        return
    for measure, (what, bar) in _MEASURES.items():
        if measure not in probes[0]:
            yield LoadRow(name, what, left_out=str(probes[0][f"{measure}_left_out"]))
            continue
        figure = Figure.with_extremes([float(probe[measure]) for probe in probes])
        verdict = Verdict(bar, figure) if bar and name == candidates.OURS else None
        yield LoadRow(name, what, figure, verdict)
