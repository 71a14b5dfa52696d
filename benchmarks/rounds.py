"""Interleaved rounds: every candidate decides every case once in each, in changing order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from benchmarks.candidates import MOST_USERS
from benchmarks.checks import check
from benchmarks.figures import shuffled
from benchmarks.trials import Case, case_of
from benchmarks.worker import Checked, LeftOut, Worker, workers


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    rounds: int
    #: The CPU time that one candidate gets for one case in one round.
    milliseconds: float
    #: Users whose answers are compared before.
    checked: int


#: The fewest users of a batch, and those of the two that tell how many it takes.
_FEWEST: Final = 10
_TRIED: Final = (50, 200)


@dataclass(frozen=True, slots=True)
class Times:
    """What was measured, by case and candidate."""

    cases: Mapping[str, Case]
    #: µs of CPU per decision, one for each round.
    microseconds: Mapping[tuple[str, str], Sequence[float]]
    left_out: Mapping[tuple[str, str], str]


def measure(
    names: Sequence[str], cases: Sequence[str], effort: Effort, advance: Callable[[], None]
) -> Times:
    """Measure candidates in interleaved rounds, after a check that they decide alike.

    Raises:
        RuntimeError: two candidates decided differently, or exposures are missing.
    """
    known = {key: case_of(key) for key in cases}
    with workers(names) as all_workers:
        left_out = _check(all_workers, known, effort.checked)
        pairs = [
            (key, worker)
            for key in cases
            for worker in all_workers
            if (key, worker.name) not in left_out
        ]
        counts = {(key, worker.name): _count(worker, key, effort) for key, worker in pairs}
        times: dict[tuple[str, str], list[float]] = {place: [] for place in counts}
        for turn in range(effort.rounds):
            for key in shuffled(cases, turn):
                _round([worker for own, worker in pairs if own == key], known[key], counts, times)
            advance()
    return Times(known, times, left_out)


def _round(
    own: Sequence[Worker],
    case: Case,
    counts: Mapping[tuple[str, str], int],
    times: Mapping[tuple[str, str], list[float]],
) -> None:
    """Let every candidate decide a case, for the same new users as far as each gets."""
    if not own:
        return
    users = _new_users(max(counts[case.key, worker.name] for worker in own))
    turn = len(times[case.key, own[0].name])
    for worker in shuffled(own, turn):
        place = case.key, worker.name
        count = counts[place]
        seconds = worker.seconds(case.key, users[:count])
        times[place].append(seconds / count / case.decisions * 1e6)


def _check(
    all_workers: Sequence[Worker], cases: Mapping[str, Case], count: int
) -> dict[tuple[str, str], str]:
    left_out = {}
    for key, case in cases.items():
        users = _new_users(max(50, count // case.decisions))
        answers: dict[str, Checked] = {}
        for worker in all_workers:
            answer = worker.check(key, users)
            if isinstance(answer, LeftOut):
                left_out[key, worker.name] = answer.reason
            else:
                answers[worker.name] = answer
        check(case, answers)
    return left_out


def _count(worker: Worker, case: str, effort: Effort) -> int:
    """Return how many users take as long as a batch should."""
    seconds = 0.0
    for tried in _TRIED:
        seconds = worker.seconds(case, _new_users(tried)) / tried
    return min(max(round(effort.milliseconds / 1000 / seconds), _FEWEST), MOST_USERS)


def _new_users(count: int) -> list[str]:
    return [str(uuid4()) for _ in range(count)]
