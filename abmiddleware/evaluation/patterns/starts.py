"""Which units the parts of a pattern can start with, and which alternatives exclude one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final, NamedTuple

from abmiddleware.evaluation.patterns.tree import (
    Chain,
    Choice,
    Edge,
    Group,
    Node,
    Ranges,
    Reference,
    Repeat,
    Units,
    children,
)

#: How many units ahead two alternatives are compared.
DEPTH: Final = 8
#: How many alternatives are compared with each other; more of them count as alike.
_COMPARED: Final = 64


class Path(NamedTuple):
    """Units one by one: as bits, and by how many ways one gets there.

    `ways` lead to the end of it, and `whole` tells whether that is the end of the part as well.
    """

    steps: list[tuple[int, int]]
    ways: int
    whole: bool


class Start(NamedTuple):
    """The units that a part can start with, as bits, whether it can take none, its least width."""

    first: int
    passes: bool
    width: int


def _ranges(node: Node) -> Iterator[Ranges]:
    if isinstance(node, Units):
        yield node.ranges
    for child in children(node):
        yield from _ranges(child)


class Starts:
    """The starts of all parts of a tree. Units that no set tells apart share one bit.

    The end of a text counts as one more unit, with a bit of its own: that which `$` starts with.
    """

    def __init__(self, tree: Node) -> None:
        bounds = {0, 0x10000}
        for ranges in _ranges(tree):
            for low, high in ranges:
                bounds.update((low, high + 1))
        self._bits = {bound: 1 << bit for bit, bound in enumerate(sorted(bounds))}
        self._known: dict[int, Start] = {}
        self._alike: dict[int, list[Sequence[int]]] = {}

    def of(self, node: Node) -> Start:
        """Return the start of a part."""
        known = self._known.get(id(node))
        if known is None:
            known = self._known[id(node)] = self._of(node)
        return known

    def _of(self, node: Node) -> Start:
        if isinstance(node, Units):
            first = sum(self._bits[high + 1] - self._bits[low] for low, high in node.ranges)
            return Start(first, passes=False, width=1)
        if isinstance(node, Group):
            return self.of(node.body)
        if isinstance(node, Chain):
            first, passes = self._behind(node.items, 0)
            return Start(first, passes, sum(self.of(item).width for item in node.items))
        if isinstance(node, Choice):
            return self._choice(node)
        if isinstance(node, Repeat):
            return self._repeat(node)
        if isinstance(node, Reference):
            return Start(2 * self._bits[0x10000] - 1, passes=True, width=0)
        if isinstance(node, Edge) and node.sign == "$":
            return Start(self._bits[0x10000], passes=False, width=0)
        return Start(0, passes=True, width=0)

    def _behind(self, items: tuple[Node, ...], after: int) -> tuple[int, bool]:
        """Return what parts and then `after` start with, and whether that is behind them all."""
        first = 0
        for item in items:
            start = self.of(item)
            first |= start.first
            if not start.passes:
                return first, False
        return first | after, True

    def _choice(self, node: Choice) -> Start:
        starts = [self.of(option) for option in node.options]
        first = 0
        for start in starts:
            first |= start.first
        return Start(first, any(start.passes for start in starts), min(s.width for s in starts))

    def _repeat(self, node: Repeat) -> Start:
        if node.high == 0:
            return Start(0, passes=True, width=0)
        body = self.of(node.body)
        return Start(body.first, body.passes or node.low == 0, body.width * node.low)

    def alike(self, node: Choice, after: int) -> list[Sequence[int]]:
        """Return sets of alternatives of which one holds all that any one text may fit.

        `after` is what starts behind the choice; it is the same whenever a choice is asked about.
        """
        known = self._alike.get(id(node))
        if known is None:
            known = self._alike[id(node)] = self._compare(node, after)
        return known

    def _compare(self, node: Choice, after: int) -> list[Sequence[int]]:
        every = range(len(node.options))
        if len(every) > _COMPARED:
            return [every]
        paths = [self._settled(option, after) for option in node.options]
        return [
            [two for two in every if two == one or _meet(paths[one], paths[two])] for one in every
        ]

    def _settled(self, option: Node, after: int) -> list[int]:
        """Return what the next units are, one by one, where an alternative is taken."""
        start = self.of(option)
        path = [start.first | (after if start.passes else 0)]
        items = option.items if isinstance(option, Chain) else (option,)
        units = list(takewhile(lambda item: isinstance(item, Units), items[:DEPTH]))
        path.extend(self.of(item).first for item in units[1:])
        return [*path, after] if 0 < len(units) == len(items) else path

    def path(self, node: Node) -> Path:
        """Return what a part begins with, as far as that has a fixed length."""
        if isinstance(node, Units):
            return Path([(self.of(node).first, 1)], 1, whole=True)
        if isinstance(node, Edge) and node.sign != "$":
            return Path([], 1, whole=True)
        if isinstance(node, Group):
            return self.path(node.body)
        if isinstance(node, Chain):
            return self.joined(node.items)
        if isinstance(node, Choice):
            return self._united([self.path(option) for option in node.options])
        if isinstance(node, Repeat) and node.low:
            path = self.path(node.body)
            return path if node.low == node.high == 1 else path._replace(whole=False)
        return Path([], 1, whole=False)

    def joined(self, items: Sequence[Node]) -> Path:
        """Return what parts one behind another begin with."""
        steps: list[tuple[int, int]] = []
        ways = 1
        for item in items:
            path = self.path(item)
            steps.extend((first, count * ways) for first, count in path.steps)
            ways *= path.ways
            if not path.whole or len(steps) >= 2 * DEPTH:
                return Path(steps, ways, whole=False)
        return Path(steps, ways, whole=True)

    def _united(self, paths: list[Path]) -> Path:
        length = min(len(path.steps) for path in paths)
        steps = [(0, 0)] * length
        for path in paths:
            steps = [
                (first | more, count + counted)
                for (first, count), (more, counted) in zip(steps, path.steps, strict=False)
            ]
        whole = all(path.whole and len(path.steps) == length for path in paths)
        return Path(steps, sum(path.ways for path in paths), whole)


def _meet(one: list[int], two: list[int]) -> bool:
    """Tell whether a text may go both ways."""
    return all(first & second for first, second in zip(one, two, strict=False))


def gaps(path: Path) -> list[int]:
    """Return for the first unit of a path, its first two and so on how close two finds can be."""
    firsts = [first for first, _ in path.steps]
    found, gap = [], 1
    for length in range(1, len(firsts) + 1):
        while not all(firsts[at] & firsts[at + gap] for at in range(length - gap)):
            gap += 1
        found.append(gap)
    return found
