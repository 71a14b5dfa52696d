"""Definitions of every kind, built alike in the tests and in another process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import partial
from typing import Any

from abmiddleware import Experiment, Filter, VariationMeta


@dataclass
class Ranking:
    """A variation of a team's own type."""

    weight: float


class Layout(Enum):
    """Variations by name."""

    WIDE = "wide"
    NARROW = "narrow"


class Model:
    """A variation that only Python knows."""

    def score(self) -> float:
        """Return a score."""
        return 0.5


ALL = [(0.0, 1.0)]
LIST = ["a", "b"]

#: Each builds a definition that no other equals.
DEFINITIONS: dict[str, Callable[[], Experiment[Any]]] = {
    "plain": lambda: Experiment("exp", LIST),
    "key": lambda: Experiment("other", LIST),
    "values": lambda: Experiment("exp", ["a", "c"]),
    "numbers": lambda: Experiment("exp", [1.5, 2]),
    "nested": lambda: Experiment("exp", [{"a": [1, None]}, {"a": [1, True]}]),
    "functions": lambda: Experiment("exp", [json.dumps, json.loads]),
    "built-in functions": lambda: Experiment("exp", [len, sum]),
    "methods": lambda: Experiment("exp", [str.upper, str.lower]),
    "other methods": lambda: Experiment("exp", [str.upper, str.title]),
    "own methods": lambda: Experiment("exp", [Model.score, Model().score]),
    "classes": lambda: Experiment("exp", [Model, Ranking]),
    "objects": lambda: Experiment("exp", [Model(), partial(len, "a")]),
    "dataclasses": lambda: Experiment("exp", [Ranking(0.1), Ranking(0.2)]),
    "other dataclasses": lambda: Experiment("exp", [Ranking(0.1), Ranking(0.3)]),
    "enums": lambda: Experiment("exp", [Layout.WIDE, Layout.NARROW]),
    "dates": lambda: Experiment("exp", [date(2026, 1, 1), date(2026, 2, 1)]),
    "half a pair": lambda: Experiment("exp", ["\ud83d", "a"]),
    "other half of a pair": lambda: Experiment("exp", ["\ude00", "a"]),
    "half a pair and more": lambda: Experiment("exp", ["\ud83d", "b"]),
    "half a pair, targeted": lambda: Experiment("exp", ["\ud83d", "a"], condition={"a": 1}),
    "huge numbers": lambda: Experiment("exp", [2**70, 2**80]),
    "other huge numbers": lambda: Experiment("exp", [2**70, 2**81]),
    "tuple keys": lambda: Experiment("exp", [{(1, 2): 3}, None]),
    "other tuple keys": lambda: Experiment("exp", [{(1, 2): 4}, None]),
    "weights": lambda: Experiment("exp", LIST, weights=[0.9, 0.1]),
    "coverage": lambda: Experiment("exp", LIST, coverage=0.5),
    "attribute": lambda: Experiment("exp", LIST, hash_attribute="company"),
    "version": lambda: Experiment("exp", LIST, hash_version=2),
    "seed": lambda: Experiment("exp", LIST, seed="s"),
    "namespace": lambda: Experiment("exp", LIST, namespace=("shop", 0, 0.5)),
    "ranges": lambda: Experiment("exp", LIST, ranges=[(0, 0.1), (0.1, 0.2)]),
    "filters": lambda: Experiment("exp", LIST, filters=[Filter("s", ALL)]),
    "filter version": lambda: Experiment("exp", LIST, filters=[Filter("s", ALL, hash_version=1)]),
    "condition": lambda: Experiment("exp", LIST, condition={"a": {"$in": ["x", "y"]}}),
    "set": lambda: Experiment("exp", LIST, condition={"b": {"$in": {"x", "y", "z", "å", "1"}}}),
    "meta": lambda: Experiment("exp", LIST, meta=[VariationMeta("c"), VariationMeta("t")]),
    "force": lambda: Experiment("exp", LIST, force=1),
    "inactive": lambda: Experiment("exp", LIST, active=False),
    "name": lambda: Experiment("exp", LIST, name="Checkout"),
    "phase": lambda: Experiment("exp", LIST, phase=1),
}


def hashes() -> dict[str, str]:
    """Return the hash of every definition."""
    return {name: build().plan.config_hash for name, build in DEFINITIONS.items()}
