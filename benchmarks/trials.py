"""What is decided: the same experiments in the words of every library."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from abmiddleware import Experiment

#: The one that a case decides, and the first of many.
KEY: Final = "checkout-button"
#: What a library says that tells who is outside from who has the control.
OUTSIDE: Final = "outside"
#: Half of the users of every namespace are in.
NAMESPACE: Final = ("checkout", 0.0, 0.5)
#: Holds for the attributes of every request that has some.
CONDITION: Final[Mapping[str, Any]] = {
    "country": {"$in": ["NL", "BE", "DE"]},
    "company.plan": "pro",
    "version": {"$vgte": "2.4.0"},
    "age": {"$gte": 18},
}


class Manner(Enum):
    """How a request asks."""

    ONE = auto()  #: runs one experiment
    TARGETED = auto()  #: runs one experiment, and has attributes that its condition reads
    MANY = auto()  #: runs all experiments
    SPREAD = auto()  #: runs one experiment, another than the request before
    FEATURE = auto()  #: asks for a feature that has one experiment


@dataclass(frozen=True, slots=True)
class Trial:
    """One experiment, by GrowthBook's rules with hash version 2."""

    key: str
    variations: tuple[str, ...] = ("control", "one-click")
    weights: tuple[float, ...] | None = None
    coverage: float | None = None
    condition: Mapping[str, Any] | None = None
    namespace: tuple[str, float, float] | None = None

    def given(self) -> dict[str, Any]:
        """Return what is not left to its default, in the words that all libraries share."""
        names = ("weights", "coverage", "condition", "namespace")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def experiment(self) -> Experiment[str]:
        """Return it in the words of this library."""
        return Experiment(self.key, self.variations, hash_version=2, **self.given())

    def rule(self) -> dict[str, Any]:
        """Return it as the rule of a GrowthBook feature."""
        own = {"key": self.key, "variations": self.variations, "hashVersion": 2}
        return {**own, **self.given()}

    def share_inside(self) -> float:
        """Return the share of all users that is in the experiment."""
        _, start, end = self.namespace or ("", 0.0, 1.0)
        return (1.0 if self.coverage is None else self.coverage) * (end - start)

    def shares(self) -> list[float]:
        """Return the share that each variation has of those who are in the experiment."""
        return list(self.weights or [1 / len(self.variations)] * len(self.variations))


@dataclass(frozen=True, slots=True)
class Case:
    """What one line of a table measures."""

    key: str
    title: str
    trials: Sequence[Trial]
    manner: Manner = Manner.ONE

    @property
    def decisions(self) -> int:
        """How many decisions a request takes."""
        return len(self.trials) if self.manner is Manner.MANY else 1

    @property
    def trial(self) -> Trial:
        """The one that is decided, or the first of many that are alike."""
        return next(trial for trial in self.trials if trial.key == KEY)


def _among(count: int) -> list[Trial]:
    """Return one trial in the midst of others that are like it."""
    trials = [Trial(f"experiment-{number:05}") for number in range(count)]
    trials[count // 2] = Trial(KEY)
    return trials


def _scale(count: int) -> Case:
    return Case(f"scale-{count}", f"1 of {count:,}", _among(count))


_THREE: Final = ("control", "one-click", "two-click")
_MAKERS: Final[Mapping[str, Callable[[], Case]]] = {
    "a": lambda: Case("a", "50/50", [Trial(KEY)]),
    "b": lambda: Case("b", "3 weights, coverage 0.5", [Trial(KEY, _THREE, (0.5, 0.3, 0.2), 0.5)]),
    "c": lambda: Case(
        "c", "condition on 4 attributes", [Trial(KEY, condition=CONDITION)], Manner.TARGETED
    ),
    "d": lambda: Case("d", "namespace, half are in", [Trial(KEY, namespace=NAMESPACE)]),
    "e": lambda: Case("e", "1 of 200", _among(200)),
    "f": lambda: Case("f", "20 in one request, each", _among(20), Manner.MANY),
    "spread": lambda: Case("spread", "another of 10,000 each time", _among(10_000), Manner.SPREAD),
    "g": lambda: Case("g", "feature with one experiment", [Trial(KEY)], Manner.FEATURE),
}
DECISION_CASES: Final = tuple("abcdefg")
SCALES: Final = (10, 100, 1_000, 10_000)
#: In the sizes, all requests run the same experiment, whose parts stay in the processor's caches;
#: where each runs another, they do not.
SCALE_CASES: Final = (*(f"scale-{count}" for count in SCALES), "spread")


def case_of(key: str) -> Case:
    """Return a case by its key."""
    scale = re.fullmatch(r"scale-(\d+)", key)
    return _scale(int(scale[1])) if scale else _MAKERS[key]()
