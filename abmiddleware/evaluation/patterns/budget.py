"""What the searches of one condition may cost together, however many patterns and values it has.

Every cost is an estimate from the pattern and a text's length, so that an answer depends on nothing
else: on no clock, no load and no other request.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from threading import local
from typing import Final, NamedTuple, TypeAlias

from abmiddleware.evaluation.patterns import allowance
from abmiddleware.evaluation.patterns.growth import Growth, longest, value
from abmiddleware.evaluation.patterns.pattern import Pattern, Search, cut_offs
from abmiddleware.evaluation.patterns.tree import SURE_LENGTH, RefusedPatternError

Test: TypeAlias = Callable[[object], bool]

#: What all searches of a budget may cost by the estimate, in nanoseconds.
COST_LIMIT: Final = 25e6
#: The longest text of a search with a time limit, in UTF-16 code units: it looks at the clock now
#: and then, and in one of 16,384 units it may take twice its time before it does.
TIMED_LIMIT: Final = 4_096


class Cost(NamedTuple):
    """What a search costs at most, in nanoseconds: by the estimate, or until it is given up."""

    estimate: Growth
    timeout: float = inf

    def of(self, length: int) -> float:
        """Return what it costs for a text of that length."""
        return min(value(self.estimate, length), self.timeout)

    def longest(self, share: float) -> int:
        """Return the length of the longest text for which it costs no more than a share."""
        return TIMED_LIMIT if self.timeout <= share else longest(self.estimate, share)


class _SpentError(Exception):
    """The elements of a list cost more than they may."""


class Elements:
    """What the searches in all elements of one list may cost together."""

    def __init__(self) -> None:
        self._share = 0.0
        self._thread = local()

    def add(self, share: float) -> None:
        """Let them cost more, in nanoseconds."""
        self._share += share

    def pay(self, cost: float) -> None:
        """Take the cost of a search from what the list has left in this thread."""
        left = self._thread.left - cost
        if left < 0:
            raise _SpentError
        self._thread.left = left

    def bounded(self, test: Test) -> Test:
        """Return the test of a list that fails where testing the elements would cost too much."""

        def within(elements: object) -> bool:
            begin = self._thread.left = min(self._share, allowance.left())
            try:
                return test(elements)
            except _SpentError:
                cut_offs["request" if begin < self._share else "list too long"] += 1
                return False
            finally:
                allowance.pay(begin - self._thread.left)

        return within


class _PaidPattern(Pattern):
    """A pattern that is tested on the elements of a list, each of which is paid for before."""

    __slots__ = ("_elements",)

    def __init__(self, search: Search, cost: Cost, elements: Elements, *, untested: bool) -> None:
        super().__init__(search, cost.of, untested=untested)
        self._elements = elements

    def found(self, text: str) -> bool:
        if len(text) <= self.limit:
            units = len(text) if text.isascii() else min(2 * len(text), self.limit)
            self._elements.pay(self._cost(units))
        return super().found(text)


class Budget:
    """Shares out what the patterns of one condition may cost.

    A pattern is admitted if it can be searched for in a text of the sure length. When all are
    known, `settle` gives each the same part of what they leave, for longer texts or more of them.

    Args:
        texts: in how many texts each pattern is searched for, beside the elements of a list.
    """

    def __init__(self, texts: int = 1) -> None:
        #: What all searches in one of the texts may cost, in nanoseconds.
        self.most = self._left = COST_LIMIT / texts
        self._admitted: list[tuple[Pattern, Cost, Elements | None]] = []
        self._elements: Elements | None = None

    def admit(self, search: Search, cost: Cost, *, untested: bool) -> Pattern:
        """Return the pattern of a search.

        Raises:
            RefusedPatternError: if the patterns before it leave too little for it.
        """
        least = cost.of(SURE_LENGTH)
        if least > self._left:
            raise RefusedPatternError(
                f"might take {duration(least)} for one text, of {duration(self.most)} for all"
                f" patterns here those before it leave {duration(self._left)}: write fewer of"
                " them, anchor them with ^ or let each repeat exclude what follows it"
            )
        self._left -= least
        elements = self._elements
        pattern = (
            _PaidPattern(search, cost, elements, untested=untested)
            if elements
            else Pattern(search, cost.of, untested=untested)
        )
        self._admitted.append((pattern, cost, elements))
        return pattern

    @property
    def is_used(self) -> bool:
        """Whether there is any pattern."""
        return bool(self._admitted)

    def per_element(self, compiling: Callable[[], Test]) -> Test:
        """Return the test of a list, where the patterns in it cost no more than for one text.

        Lists within a list pay from what that has.
        """
        if self._elements:
            return compiling()
        self._elements, before = Elements(), len(self._admitted)
        try:
            test = compiling()
            return test if len(self._admitted) == before else self._elements.bounded(test)
        finally:
            self._elements = None

    def settle(self) -> None:
        """Set up to which length of text each pattern is searched for, once all are admitted."""
        for pattern, cost, elements in self._admitted:
            share = cost.of(SURE_LENGTH) + self._left / len(self._admitted)
            pattern.limit = pattern.uncounted = cost.longest(share)
            if elements:  # which pay for themselves
                elements.add(share)
            else:
                pattern.uncounted = min(pattern.limit, cost.longest(allowance.UNCOUNTED))


def duration(nanoseconds: float) -> str:
    """Return a time as people read it."""
    if nanoseconds >= 60e9:
        return "minutes or longer"
    if nanoseconds >= 1e9:
        return f"{nanoseconds / 1e9:.1f} s"
    return f"{nanoseconds / 1e6:.{0 if nanoseconds >= 10e6 else 1}f} ms"
