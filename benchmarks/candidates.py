"""What is compared: the same 50/50 experiment, decided by this library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from abmiddleware import Engine, Experiment
from abmiddleware.evaluation.values import Attributes
from abmiddleware.exposures.records import Record

KEY: Final = "checkout-button"
VARIATIONS: Final = ("control", "one-click")


class Listener:
    """Takes exposures and does nothing: as a sink, and as GrowthBook's callback."""

    def write(self, records: Sequence[Record], /) -> None:
        """Take the records of one client."""

    def viewed(self, *, experiment: Any, result: Any, user_context: Any) -> None:
        """Take one exposure, as GrowthBook hands it over."""


class CountingListener(Listener):
    """Counts the exposures, to check that every candidate tells of each."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, records: Sequence[Record], /) -> None:
        """Count the records of one client."""
        self.count += len(records)

    def viewed(self, *, experiment: Any, result: Any, user_context: Any) -> None:
        """Count one exposure."""
        self.count += 1


class Candidate(Protocol):
    """One way of deciding; every user is new and has a request of their own."""

    @property
    def name(self) -> str:
        """What it is called in the tables."""

    @property
    def exposes(self) -> bool:
        """Whether an exposure per user reaches the listener."""

    def prepare(self, users: Sequence[str]) -> None:
        """Get ready for these users; not timed."""

    def decide(self) -> list[str]:
        """Return the variation of each of the prepared users."""


class ClientPerRequest:
    """The whole of what a script or a request does: client, decision, exposure, flush."""

    name = "abmiddleware: client, run, exposure"
    exposes = True

    def __init__(self, listener: Listener) -> None:
        self._engine = Engine([Experiment(KEY, VARIATIONS, hash_version=2)], sink=listener)
        self._users: Sequence[str] = ()

    def prepare(self, users: Sequence[str]) -> None:
        """Keep the users."""
        self._users = users

    def decide(self) -> list[str]:
        """Run the experiment with a client per user."""
        values, engine = [], self._engine
        for user in self._users:
            with engine.client(id=user) as experiments:
                values.append(experiments.run(KEY).value)
        return values


class DecisionAlone:
    """The pure decision, its attributes there already."""

    name = "abmiddleware: decision alone"
    exposes = False

    def __init__(self) -> None:
        self._plan = Experiment(KEY, VARIATIONS, hash_version=2).plan
        self._attributes: list[Attributes] = []

    def prepare(self, users: Sequence[str]) -> None:
        """Make the attributes of each user."""
        self._attributes = [Attributes(id=user) for user in users]

    def decide(self) -> list[str]:
        """Decide for each user."""
        values, plan = [], self._plan
        for attributes in self._attributes:
            values.append(plan.decide(attributes).value)  # noqa: PERF401  # as the others do
        return values
