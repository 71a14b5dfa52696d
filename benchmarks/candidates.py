"""What every way of deciding has; each is measured in a process of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import import_module
from random import Random
from typing import Any, ClassVar, Final, cast

from abmiddleware.exposures.records import Record
from benchmarks.trials import Case, Manner

#: By name: the module and the class. A process imports only its own, so that none carries
#: the modules, threads or memory of another.
_PLACES: Final = {
    "abmiddleware": ("benchmarks.own_candidates", "ClientPerRequest"),
    "decision alone": ("benchmarks.own_candidates", "DecisionAlone"),
    "eppo": ("benchmarks.eppo_candidate", "Eppo"),
    "growthbook client": ("benchmarks.growthbook_candidates", "AsyncClient"),
    "growthbook run": ("benchmarks.growthbook_candidates", "RunPerRequest"),
    "growthbook README": ("benchmarks.growthbook_candidates", "Readme"),
}
OURS: Final = "abmiddleware"
EPPO: Final = "eppo"
GROWTHBOOK_CLIENT: Final = "growthbook client"
GROWTHBOOK_README: Final = "growthbook README"
#: The most that a batch has.
MOST_USERS: Final = 5000
#: All of them, ours first.
NAMES: Final = tuple(_PLACES)


class NotApplicableError(Exception):
    """This candidate has no such case; the message says why."""


class Listener:
    """Takes exposures and does nothing: as a sink, and as GrowthBook's callback."""

    def write(self, records: Sequence[Record], /) -> None:
        """Take the records of one client."""

    def viewed(self, *, experiment: Any, result: Any, user_context: Any) -> None:
        """Take one exposure, as GrowthBook hands it over."""

    def log_assignment(self, event: dict[str, Any]) -> None:
        """Take one exposure, as Eppo hands it over."""


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

    def log_assignment(self, event: dict[str, Any]) -> None:
        """Count one exposure."""
        self.count += 1


class Candidate(ABC):
    """One way of deciding a case; every user is new and has a request of their own.

    Its loops are written out as a view would have them: what a request makes is made within.
    """

    #: Whether exposures reach the listener.
    exposes: ClassVar[bool] = True
    #: Whether it hashes as GrowthBook does, and so gives every user the same variation.
    hashes_alike: ClassVar[bool] = True

    def __init__(self, case: Case, listener: Listener) -> None:
        self.case = case
        self.listener = listener
        #: As those that stand in a view, they are not the very objects of the configuration.
        self.keys = [trial.key.encode().decode() for trial in case.trials]
        #: For each user of a batch, another one.
        self.spread_keys = Random(1).choices(self.keys, k=MOST_USERS)  # noqa: S311  # hides nothing

    def prepare(self) -> None:  # noqa: B027  # most need nothing
        """Get ready for new users; not timed."""

    def decide(self, users: Sequence[str]) -> list[str]:
        """Return what each user gets; all that the case runs, where it runs many."""
        match self.case.manner:
            case Manner.ONE:
                return self.one(users)
            case Manner.TARGETED:
                return self.targeted(users)
            case Manner.MANY:
                return self.many(users)
            case Manner.SPREAD:
                return self.spread(users)
            case Manner.FEATURE:
                return self.feature(users)

    @abstractmethod
    def one(self, users: Sequence[str]) -> list[str]:
        """Run the experiment `KEY`."""

    @abstractmethod
    def targeted(self, users: Sequence[str]) -> list[str]:
        """Run it with the attributes that its condition reads."""

    @abstractmethod
    def many(self, users: Sequence[str]) -> list[str]:
        """Run the experiments of all `keys`."""

    def spread(self, users: Sequence[str]) -> list[str]:
        """Run one experiment for each user, of the `spread_keys`."""
        raise NotImplementedError

    def feature(self, users: Sequence[str]) -> list[str]:
        """Ask for the feature `KEY`; where features are the only way, that is `one`."""
        return self.one(users)


def candidate_class(name: str) -> type[Candidate]:
    """Return a candidate's class by name."""
    module, attribute = _PLACES[name]
    return cast(type[Candidate], getattr(import_module(module), attribute))
