"""The parts of a regular expression that has been read, and the limits that it is read under.

A tree is made by `parser`, estimated by `cost` and written by `writer`.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

#: The longest text that any pattern is searched in, in UTF-16 code units.
TEXT_LIMIT: Final = 16_384
#: The length of text up to which all patterns are searched, as those that it is too long for are
#: refused.
SURE_LENGTH: Final = 512
#: A count that no text reaches: one more round, even of one unit each, than a text has units.
ENDLESS: Final = TEXT_LIMIT + 1

#: Code units as ascending (first, last) pairs that neither overlap nor touch.
Ranges: TypeAlias = tuple[tuple[int, int], ...]


class PatternError(ValueError):
    """A pattern that ECMAScript refuses, or that cannot be run here."""


class RefusedPatternError(PatternError):
    """A valid pattern that is refused to bound the time of reading or searching."""


class Units(NamedTuple):
    """One code unit out of some."""

    ranges: Ranges


class Edge(NamedTuple):
    """A place between two units: `^`, `$`, `\\b` or `\\B`."""

    sign: str


class Reference(NamedTuple):
    """What the group of that number captured, or nothing."""

    group: int
    ignore_case: bool


class Group(NamedTuple):
    """Parentheses; their number if they capture, otherwise 0."""

    number: int
    body: Node


class Look(NamedTuple):
    """A look-around: what comes before or behind, without taking it."""

    opener: str
    body: Node

    @property
    def behind(self) -> bool:
        """Whether it looks at what comes before."""
        return self.opener in {"(?<=", "(?<!"}


class Repeat(NamedTuple):
    """`low` to `high` rounds of a part, where `ENDLESS` stands for that and everything above."""

    body: Node
    low: int
    high: int
    lazy: bool


class Chain(NamedTuple):
    """Parts one behind another."""

    items: tuple[Node, ...]


class Choice(NamedTuple):
    """Alternatives, tried from the first to the last."""

    options: tuple[Node, ...]


Node: TypeAlias = Units | Edge | Reference | Group | Look | Repeat | Chain | Choice


def children(node: Node) -> tuple[Node, ...]:
    """Return the parts directly below a part."""
    if isinstance(node, Chain):
        return node.items
    if isinstance(node, Choice):
        return node.options
    return (node.body,) if isinstance(node, (Group, Look, Repeat)) else ()
