"""Writes the tree of a regular expression as a Python pattern that needs no flags."""

from __future__ import annotations

from typing import Final

from abmiddleware.evaluation.patterns.sets import written
from abmiddleware.evaluation.patterns.tree import (
    ENDLESS,
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
from abmiddleware.evaluation.patterns.trim import captures, referenced

_EDGES: Final = {"^": "^", "$": r"\Z", r"\b": r"(?a:\b)", r"\B": r"(?!(?a:\b))"}


def write(tree: Node) -> str:
    """Write a tree so that Python's `re` and the module `regex` find what it stands for."""
    return _write(tree, frozenset(referenced(tree)))


def _write(node: Node, kept: frozenset[int]) -> str:
    """Write a part; of the groups that capture only those kept do so, as it costs time."""
    if isinstance(node, Units):
        return written(node.ranges)
    if isinstance(node, Chain):
        return "".join(_write(item, kept) for item in node.items)
    if isinstance(node, Choice):
        return "|".join(_write(option, kept) for option in node.options)
    if isinstance(node, Edge):
        return _EDGES[node.sign]
    if isinstance(node, Reference):
        same = f"(?P=g{node.group})"
        return f"(?(g{node.group}){f'(?i:{same})' if node.ignore_case else same})"
    if isinstance(node, Group):
        opener = f"(?P<g{node.number}>" if node.number in kept else "(?:"
        return f"{opener}{_write(node.body, kept)})"
    if isinstance(node, Look):
        return _look(node, kept)
    return _repeat(node, kept)


def _look(node: Look, kept: frozenset[int]) -> str:
    if not node.behind:
        return f"{node.opener}{_write(node.body, kept)})"
    # Each alternative stands for itself, because Python wants the same width of all in one.
    options = node.body.options if isinstance(node.body, Choice) else (node.body,)
    bar = "|" if node.opener == "(?<=" else ""
    return f"(?:{bar.join(f'{node.opener}{_write(option, kept)})' for option in options)})"


def _repeat(node: Repeat, kept: frozenset[int]) -> str:
    if node.high == 0 and not captures(node, kept):
        return ""
    body = _write(node.body, kept)
    if isinstance(node.body, (Look, Chain)):
        body = f"(?:{body})"
    lazy = "?" if node.lazy else ""
    if (node.low, node.high) in {(0, ENDLESS), (1, ENDLESS), (0, 1)}:
        return body + ("?" if node.high == 1 else "+" if node.low else "*") + lazy
    return f"{body}{{{node.low},{'' if node.high == ENDLESS else node.high}}}{lazy}"
