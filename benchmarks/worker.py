"""A process of one candidate, which decides when it is told to and is idle otherwise.

CPU time is of a whole process: with one for each candidate, the threads of a library are counted
for that library only, and no library runs in the heap that another one has left. Only one works
at a time; the others wait for their pipe.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from time import process_time

from benchmarks.candidates import (
    Candidate,
    CountingListener,
    Listener,
    NotApplicableError,
    candidate_class,
)
from benchmarks.figures import uncollected
from benchmarks.trials import case_of


@dataclass(frozen=True, slots=True)
class Checked:
    """What a candidate decided, and told of."""

    values: list[str]
    exposures: int
    exposes: bool
    hashes_alike: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why a candidate has no such case."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Order:
    case: str
    users: Sequence[str]
    timed: bool


class Worker:
    """The near end of the process of one candidate."""

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        self._connection = connection

    def check(self, case: str, users: Sequence[str]) -> Checked | LeftOut:
        """Return what it decides for these users, and how many exposures it tells of."""
        answer = self._answer(_Order(case, users, timed=False))
        if isinstance(answer, float):
            raise TypeError(f"{self.name}, case {case}: answers with a time")
        return answer

    def seconds(self, case: str, users: Sequence[str]) -> float:
        """Return the CPU time of deciding for these users."""
        answer = self._answer(_Order(case, users, timed=True))
        if not isinstance(answer, float):
            raise TypeError(f"{self.name}, case {case}: answers without a time")
        return answer

    def _answer(self, order: _Order) -> float | Checked | LeftOut:
        self._connection.send(order)
        try:
            answer: float | Checked | LeftOut = self._connection.recv()
        except EOFError as error:
            raise RuntimeError(f"{self.name}, case {order.case}: its process failed") from error
        return answer


@contextmanager
def workers(names: Sequence[str]) -> Iterator[list[Worker]]:
    """Start a process for each candidate; they end with the block."""
    with ExitStack() as stack:
        yield [stack.enter_context(_worker(name)) for name in names]


@contextmanager
def _worker(name: str) -> Iterator[Worker]:
    context = multiprocessing.get_context("spawn")
    near, far = context.Pipe()
    process = context.Process(target=_serve, args=(name, far), daemon=True)
    process.start()
    far.close()
    try:
        yield Worker(name, near)
    finally:
        near.close()
        process.join()


def _serve(name: str, connection: Connection) -> None:
    """Answer until the other end is closed."""
    made: dict[str, Candidate] = {}
    while True:
        try:
            order = connection.recv()
        except (EOFError, KeyboardInterrupt):
            return
        connection.send(_timed(name, order, made) if order.timed else _checked(name, order))


def _checked(name: str, order: _Order) -> Checked | LeftOut:
    listener = CountingListener()
    try:
        candidate = candidate_class(name)(case_of(order.case), listener)
    except NotApplicableError as error:
        return LeftOut(str(error))
    candidate.prepare()
    values = candidate.decide(order.users)
    return Checked(values, listener.count, candidate.exposes, candidate.hashes_alike)


def _timed(name: str, order: _Order, made: dict[str, Candidate]) -> float:
    candidate = made.get(order.case)
    if candidate is None:
        candidate = made[order.case] = candidate_class(name)(case_of(order.case), Listener())
    candidate.prepare()
    with uncollected():
        began = process_time()
        candidate.decide(order.users)
        return process_time() - began
