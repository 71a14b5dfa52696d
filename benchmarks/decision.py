"""What one decision costs, in µs of CPU, beside GrowthBook's SDK in the same run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import process_time
from uuid import uuid4

from benchmarks.candidates import (
    Candidate,
    ClientPerRequest,
    CountingListener,
    DecisionAlone,
    Listener,
)
from benchmarks.figures import Figure, paired, shuffled, uncollected
from benchmarks.growthbook_candidates import AsyncClient, Readme, RunPerRequest


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    rounds: int
    #: New users of every round, the same for all candidates.
    users: int
    #: Users whose answers are compared before.
    checked: int


USUAL = Effort(rounds=41, users=2000, checked=4000)
QUICK = Effort(rounds=11, users=500, checked=500)


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """The figures of one candidate."""

    name: str
    #: Of one decision.
    microseconds: Figure
    #: How many times the time of the first candidate, paired by round.
    ratio: Figure


def measure(effort: Effort, advance: Callable[[], None]) -> list[DecisionRow]:
    """Measure every candidate in interleaved rounds, after a check that they agree.

    Raises:
        RuntimeError: two candidates decided differently, or an exposure is missing.
    """
    with _loop() as loop:
        _check(loop, _new_users(effort.checked))
        candidates = _candidates(Listener(), loop)
        seconds: dict[str, list[float]] = {candidate.name: [] for candidate in candidates}
        for turn in range(effort.rounds):
            users = _new_users(effort.users)
            with uncollected():
                for candidate in shuffled(candidates, turn):
                    seconds[candidate.name].append(_seconds(candidate, users))
            advance()
    ours = seconds[candidates[0].name]
    return [_row(name, values, ours, effort.users) for name, values in seconds.items()]


def _candidates(listener: Listener, loop: asyncio.AbstractEventLoop) -> list[Candidate]:
    return [
        ClientPerRequest(listener),
        DecisionAlone(),
        RunPerRequest(listener),
        AsyncClient(listener, loop),
        Readme(listener),
    ]


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        loop.close()


def _new_users(count: int) -> list[str]:
    return [str(uuid4()) for _ in range(count)]


def _check(loop: asyncio.AbstractEventLoop, users: Sequence[str]) -> None:
    listener = CountingListener()
    expected: list[str] | None = None
    for candidate in _candidates(listener, loop):
        listener.count = 0
        candidate.prepare(users)
        values = candidate.decide()
        expected = expected or values
        if values != expected:
            raise RuntimeError(f"{candidate.name}: decides differently from the first candidate")
        if listener.count != candidate.exposes * len(users):
            raise RuntimeError(f"{candidate.name}: {listener.count} exposures, {len(users)} users")


def _seconds(candidate: Candidate, users: Sequence[str]) -> float:
    candidate.prepare(users)
    began = process_time()
    candidate.decide()
    return process_time() - began


def _row(name: str, values: Sequence[float], ours: Sequence[float], users: int) -> DecisionRow:
    return DecisionRow(
        name,
        Figure.with_extremes([value / users * 1e6 for value in values]),
        Figure.with_extremes([value / own for value, own in paired(values, ours)]),
    )
