"""What one decision costs with 10 to 10,000 experiments in the configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from benchmarks import bars, candidates
from benchmarks.bars import Verdict
from benchmarks.figures import Figure, paired
from benchmarks.rounds import Effort, Times
from benchmarks.rounds import measure as measure_rounds
from benchmarks.trials import SCALE_CASES, SCALES

USUAL: Final = Effort(rounds=31, milliseconds=15, checked=2000)
QUICK: Final = Effort(rounds=15, milliseconds=4, checked=300)

_SMALLEST, _LARGEST = (f"scale-{count}" for count in (min(SCALES), max(SCALES)))
_NAMES: Final = (candidates.OURS, candidates.EPPO, candidates.GROWTHBOOK_CLIENT)


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """The figures of one candidate, by the size of the configuration."""

    name: str
    #: Of one decision, by the title of the size.
    microseconds: dict[str, Figure]
    #: How many times the time in the smallest configuration that it takes in the largest.
    growth: Verdict

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "growth": self.growth.as_json()}


def measure(effort: Effort, advance: Callable[[], None]) -> list[ScaleRow]:
    """Measure the candidates that look experiments up.

    Raises:
        RuntimeError: two candidates decided differently, or exposures are missing.
    """
    times = measure_rounds(_NAMES, SCALE_CASES, effort, advance)
    return [_row(times, name) for name in _NAMES]


def _row(times: Times, name: str) -> ScaleRow:
    own = {case: times.microseconds[case, name] for case in SCALE_CASES}
    growth = [large / small for large, small in paired(own[_LARGEST], own[_SMALLEST])]
    return ScaleRow(
        name,
        {times.cases[case].title: Figure.with_extremes(spent) for case, spent in own.items()},
        Verdict(bars.SCALE, Figure.with_extremes(growth)),
    )
