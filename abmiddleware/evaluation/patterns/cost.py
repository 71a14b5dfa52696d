"""Estimates from the tree of a pattern what a backtracking search for it costs at most.

A matcher that backtracks walks all ways through a pattern that a text leaves open. A decision
(which alternative, another round or not) leaves one way where the next unit settles it, because
the sets of units that the branches start with have none in common; otherwise its ways multiply
with those of what follows. The estimate counts ways and steps so, from the right to the left; it
bounds what Python's `re` does whatever the text, but may be far above it.

Costs are nanoseconds on a slow core.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from abmiddleware.evaluation.patterns.growth import (
    ONE,
    PLACES,
    ZERO,
    Growth,
    constant,
    least,
    most,
    plus,
    powers,
    times,
)
from abmiddleware.evaluation.patterns.spend import (
    NOTHING,
    Line,
    Spend,
    bounded,
    fixed_value,
    one_way,
)
from abmiddleware.evaluation.patterns.starts import DEPTH, Starts, gaps
from abmiddleware.evaluation.patterns.tree import (
    ENDLESS,
    SURE_LENGTH,
    Chain,
    Choice,
    Edge,
    Group,
    Look,
    Node,
    Reference,
    Repeat,
    Units,
)

_CALL: Final = 1_000
_START: Final = 20
_SURROGATE: Final = 100  # what telling surrogates takes for each unit
_UNIT: Final = 5
_BRANCH: Final = 5
_EXIT: Final = 6
_LAZY_EXIT: Final = 12
_SKIPPED: Final = 3
_ROUND: Final = 45
_LOOK: Final = 30
_REFERENCE: Final = 30
_MARK: Final = 10


def search_cost(tree: Node) -> Growth:
    """Return how many nanoseconds a search takes at most; infinity if that has no useful bound."""
    starts = Starts(tree)
    first = _Estimate(starts, at_start=True).search(tree)
    later = _Estimate(starts, at_start=False).searches(tree)
    return plus(plus(first, later), (_CALL, _START + _SURROGATE, 0, 0))


class _After(NamedTuple):
    """What comes behind a part: the units that it starts with, and what it costs to see others.

    `literal` tells that it is one certain unit, which `re` looks for before it does anything else.
    """

    first: int
    entry: Growth
    literal: bool = False


_END: Final = _After(0, ZERO)  # found: nothing behind it can fail


def _literal(node: Node) -> bool:
    if isinstance(node, Chain) and node.items:
        return _literal(node.items[0])
    if isinstance(node, Group) and node.number == 0:
        return _literal(node.body)
    return (
        isinstance(node, Units) and len(node.ranges) == 1 and node.ranges[0][0] == node.ranges[0][1]
    )


class _Estimate:
    """What searches cost that start at the first unit of a text, or behind it, where `^` fails."""

    def __init__(self, starts: Starts, *, at_start: bool) -> None:
        self._starts = starts
        self._at_start = at_start
        self._entries: dict[int, Growth] = {}

    def search(self, tree: Node) -> Growth:
        return self._spend(tree, _END).steps

    def searches(self, tree: Node) -> Growth:
        """Return what a search costs that starts at one place after the other."""
        return self._tried(PLACES, self._spend(tree, _END), (tree,))[1]

    def _look(self, node: Look) -> Growth:
        """Return what a look-around costs; one behind may see the start of the text again."""
        inside = _Estimate(self._starts, at_start=True).search(node.body)
        return plus(constant(_LOOK), inside)

    def _entry(self, node: Node) -> Growth:
        """Return what it costs at most to see that a part does not start with the next unit."""
        known = self._entries.get(id(node))
        if known is None:
            known = self._entries[id(node)] = self._seen(node)
        return known

    def _seen(self, node: Node) -> Growth:
        if isinstance(node, Group):
            return plus(constant(_MARK), self._entry(node.body))
        if isinstance(node, Look):
            return self._look(node)
        if isinstance(node, Reference):
            return (_REFERENCE, 2, 0, 0)
        if isinstance(node, Repeat):
            rounds = node.low + 1 if self._starts.of(node.body).passes else 1
            entry = plus(constant(_ROUND), self._entry(node.body))
            return times(constant(rounds), entry) if node.high else constant(_ROUND)
        if isinstance(node, Chain):
            return self._entry_of(node.items)
        if not isinstance(node, Choice):
            return constant(_UNIT)
        total = constant(len(node.options) * _BRANCH)
        for option in node.options:
            total = plus(total, self._entry(option))
        return total

    def _entry_of(self, items: Sequence[Node]) -> Growth:
        """Return the same for parts one behind another."""
        total = ZERO
        for item in items:
            total = plus(total, self._entry(item))
            if not self._starts.of(item).passes:
                break
        return total

    def _before(self, node: Node, after: _After) -> _After:
        """Return what comes where a part and what is behind it come."""
        start = self._starts.of(node)
        if not start.passes:
            return _After(start.first, self._entry(node), _literal(node))
        return _After(start.first | after.first, plus(self._entry(node), after.entry))

    def _spend(self, node: Node, after: _After) -> Spend:
        if isinstance(node, Units):
            return Spend(ONE, constant(_UNIT), Line(_UNIT, 0))
        if isinstance(node, Chain):
            return self._chain(node, after)
        if isinstance(node, Group):
            ways, steps, line, apart = self._spend(node.body, after)
            line = line and Line(line.once + _MARK, line.rate)
            return Spend(ways, plus(steps, constant(_MARK)), line, apart)
        if isinstance(node, Choice):
            return self._choice(node, after)
        if isinstance(node, Repeat):
            return self._repeat(node, after)
        entry = self._entry(node)
        cost = fixed_value(entry)
        fails = node == Edge("^") and not self._at_start
        return Spend(ZERO if fails else ONE, entry, None if cost is None else Line(cost, 0))

    def _chain(self, node: Chain, after: _After) -> Spend:
        behind = NOTHING
        for at in range(len(node.items) - 1, -1, -1):
            item = node.items[at]
            spend = self._spend(item, after)
            behind = self._joined(spend, behind, node.items[at + 1 :])
            after = self._before(item, after)
        return behind

    def _joined(self, spend: Spend, behind: Spend, rest: tuple[Node, ...]) -> Spend:
        """Return what a part and then the `rest` cost, which costs `behind` from one place."""
        if spend.apart and rest:
            ways, steps = self._tried(spend.ways, behind, rest)
            apart = all(isinstance(node, Units) for node in rest)  # each way is as much longer
            return Spend(ways, plus(spend.steps, steps), None, apart)
        line = None
        if behind.line and spend.line:
            rate = max(behind.line.rate, spend.line.rate)
            line = Line(behind.line.once + spend.line.once, rate)
        steps = plus(spend.steps, times(spend.ways, behind.steps))
        apart = spend.apart or (behind.apart and one_way(spend.ways))
        return bounded(times(spend.ways, behind.ways), steps, line)._replace(apart=apart)

    def _tried(self, places: Growth, spend: Spend, rest: tuple[Node, ...]) -> tuple[Growth, Growth]:
        """Return ways and steps of parts that are tried at places in a row.

        Where they begin with some units of which no two finds overlap much, only few of the places
        get as far as behind these units.
        """
        path, few = self._starts.joined(rest), places
        literal = bool(rest) and _literal(rest[0])
        steps = times(places, constant(_SKIPPED) if literal else self._entry_of(rest))
        for at, ((_, count), gap) in enumerate(zip(path.steps, gaps(path), strict=True)):
            steps = plus(steps, times(few, constant(count * _UNIT)) if at else ZERO)
            few = least(places, (1, 1 / gap, 0, 0))
        steps = plus(steps, times(few, spend.steps))
        return times(few, spend.ways), least(steps, times(places, spend.steps))

    def _choice(self, node: Choice, after: _After) -> Spend:
        spends = [self._spend(option, after) for option in node.options]
        alike = self._starts.alike(node, after.first)
        ways = steps = ZERO
        for others in alike:
            together = together_ways = ZERO
            for other in others:
                together = plus(together, spends[other].steps)
                together_ways = plus(together_ways, spends[other].ways)
            ways, steps = most(ways, together_ways), most(steps, together)
        refused = constant(len(spends) * (_BRANCH + DEPTH * _UNIT))
        for option in node.options:
            refused = plus(refused, plus(self._before(option, after).entry, after.entry))
        steps = plus(steps, refused)
        once = fixed_value(refused)
        lines = [spend.line for spend in spends if spend.line]
        if once is None or len(lines) < len(spends) or any(len(others) > 1 for others in alike):
            return Spend(ways, steps, None)
        rate = max(line.rate for line in lines)
        return bounded(ways, steps, Line(once + max(line.once for line in lines), rate))

    def _repeat(self, node: Repeat, after: _After) -> Spend:
        if node.high == 0:
            return Spend(ONE, constant(_ROUND), Line(_ROUND, 0))
        if isinstance(node.body, Units):
            return self._run(node, after)
        start = self._starts.of(node.body)
        lap = plus(constant(_ROUND), plus(self._entry(node.body), after.entry))
        again = ZERO if node.high == 1 else lap
        inner = _After(
            after.first | (start.first if node.high > 1 else 0), plus(after.entry, again)
        )
        body = self._spend(node.body, inner)
        fixed = node.low == node.high < ENDLESS
        settled = fixed or not after.first & self._before(node.body, after).first
        if not one_way(body.ways):
            return self._many(node, body, lap, settled=settled)
        return self._laps(node, body, lap, settled=settled)

    def _many(self, node: Repeat, body: Spend, lap: Growth, *, settled: bool) -> Spend:
        """Return what rounds cost each of which leaves several ways."""
        laps = times(powers(body.ways, node.high - 1), plus(body.steps, lap))
        ways = powers(body.ways, node.high)
        if settled and node.high == 1:
            ways = most(body.ways, ONE)
        apart = node.high == 1 and body.apart and self._starts.of(node.body).width > 0
        return Spend(ways, plus(laps, lap), None, apart)

    def _laps(self, node: Repeat, body: Spend, lap: Growth, *, settled: bool) -> Spend:
        """Return what rounds cost each of which leaves one way."""
        width = self._starts.of(node.body).width
        rounds: Growth = (node.high, 0, 0, 0)
        exits: Growth = (node.high - node.low + 1, 0, 0, 0)
        if width == 0 and node.high == ENDLESS:
            rounds = exits = (node.low + 2, 1, 0, 0)  # an empty round is the last
        elif node.high * width > SURE_LENGTH:
            rounds = exits = (1, 1 / width, 0, 0)
        steps = plus(times(rounds, plus(body.steps, lap)), lap)
        ways, cost, line = (ONE if settled else exits), fixed_value(lap), None
        if body.line and cost is not None and width:
            once = body.line.once + cost
            line = Line(once, body.line.rate + once / width)
        spend = bounded(ways, steps, line)
        return spend if settled else spend._replace(line=None, apart=width > 0)

    def _run(self, node: Repeat, after: _After) -> Spend:
        """Return what the rounds of a single unit cost, which `re` counts in a tight loop."""
        fixed = node.low == node.high < ENDLESS
        settled = fixed or not self._starts.of(node.body).first & after.first
        leaves = _LAZY_EXIT if node.lazy else _SKIPPED if after.literal else _EXIT
        each = plus(constant(leaves), after.entry if settled else ZERO)
        short = node.high < SURE_LENGTH
        steps = times(constant(node.high + 1) if short else (1, 1, 0, 0), each)
        cost = fixed_value(each)
        if settled:
            return bounded(ONE, steps, None if cost is None else Line(_UNIT + cost, cost))
        ways = constant(node.high - node.low + 1) if short else PLACES
        return Spend(ways, steps, None, apart=True)
