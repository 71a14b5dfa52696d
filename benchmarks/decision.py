"""What one decision costs, in µs of CPU, beside other libraries in the same run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from benchmarks import bars, candidates
from benchmarks.bars import Bar, Verdict
from benchmarks.figures import Figure, paired
from benchmarks.rounds import Effort, Times
from benchmarks.rounds import measure as measure_rounds
from benchmarks.trials import DECISION_CASES

USUAL: Final = Effort(rounds=41, milliseconds=15, checked=4000)
QUICK: Final = Effort(rounds=15, milliseconds=4, checked=500)

#: By candidate: its bar, and whether the bar is of our time by theirs, or theirs by ours.
_BARS: Final[dict[str, tuple[Bar, bool]]] = {
    candidates.EPPO: (bars.EPPO, True),
    candidates.GROWTHBOOK_CLIENT: (bars.CLIENT, False),
    candidates.GROWTHBOOK_README: (bars.README, False),
}


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """The figures of one candidate in one case."""

    case: str
    title: str
    name: str
    #: Of one decision; None where the candidate is left out.
    microseconds: Figure | None = None
    #: How many times our time, paired by round; None where one of the two is left out.
    ratio: Figure | None = None
    verdict: Verdict | None = None
    left_out: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "verdict": self.verdict.as_json() if self.verdict else None}


def measure(
    effort: Effort, advance: Callable[[], None], cases: Sequence[str] | None = None
) -> list[DecisionRow]:
    """Measure every candidate in these cases, or in all.

    Raises:
        RuntimeError: two candidates decided differently, or exposures are missing.
    """
    cases = cases or DECISION_CASES
    times = measure_rounds(candidates.NAMES, cases, effort, advance)
    return [_row(times, case, name) for case in cases for name in candidates.NAMES]


def _row(times: Times, case: str, name: str) -> DecisionRow:
    title, own = times.cases[case].title, times.microseconds.get((case, name))
    if own is None:
        return DecisionRow(case, title, name, left_out=times.left_out[case, name])
    spent, ours = Figure.with_extremes(own), times.microseconds.get((case, candidates.OURS))
    if ours is None:
        return DecisionRow(case, title, name, spent)
    return DecisionRow(case, title, name, spent, _ratio(own, ours), _verdict(name, own, ours))


def _verdict(name: str, own: Sequence[float], ours: Sequence[float]) -> Verdict | None:
    if name not in _BARS:
        return None
    bar, is_ours_by_theirs = _BARS[name]
    return Verdict(bar, _ratio(ours, own) if is_ours_by_theirs else _ratio(own, ours))


def _ratio(left: Sequence[float], right: Sequence[float]) -> Figure:
    return Figure.with_extremes([one / other for one, other in paired(left, right)])
