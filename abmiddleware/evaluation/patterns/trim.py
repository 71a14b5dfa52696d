"""Takes away from a pattern what makes no difference to whether it is found somewhere.

Where a search may start and end anywhere, repeats at the ends of a pattern need no more rounds than
they must have: `.*x+` is found where `x` is. This spares the commonest slow patterns their cost.
"""

from __future__ import annotations

from collections.abc import Iterator

from abmiddleware.evaluation.patterns.tree import (
    Chain,
    Choice,
    Group,
    Node,
    Reference,
    Repeat,
    children,
)


def trim(tree: Node) -> Node:
    """Return a tree that is found in the same texts."""
    kept = frozenset(referenced(tree))
    return _trim(_trim(tree, 0, kept), -1, kept)


def referenced(node: Node) -> Iterator[int]:
    """Yield the numbers of the groups that are referred to."""
    if isinstance(node, Reference):
        yield node.group
    for child in children(node):
        yield from referenced(child)


def _trim(node: Node, end: int, kept: frozenset[int]) -> Node:
    """Trim a part at its first (`end` is 0) or last (-1) end, unless a group in it is kept."""
    if isinstance(node, Choice):
        return Choice(tuple(_trim(option, end, kept) for option in node.options))
    if isinstance(node, Chain):
        return _trim_chain(node, end, kept)
    if isinstance(node, Group) and node.number not in kept:
        return Group(node.number, _trim(node.body, end, kept))
    if isinstance(node, Repeat) and not captures(node, kept):
        body = _trim(node.body, end, kept) if node.low == 1 else node.body
        return Repeat(body, node.low, node.low, node.lazy)
    return node


def _trim_chain(chain: Chain, end: int, kept: frozenset[int]) -> Chain:
    items = list(chain.items)
    while items:
        items[end] = trimmed = _trim(items[end], end, kept)
        if not (isinstance(trimmed, Repeat) and trimmed.high == 0) or captures(trimmed, kept):
            break
        del items[end]
    return Chain(tuple(items))


def captures(node: Node, kept: frozenset[int]) -> bool:
    """Tell whether a group that is kept is in a part."""
    if isinstance(node, Group) and node.number in kept:
        return True
    return any(captures(child, kept) for child in children(node))
