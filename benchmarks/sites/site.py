"""What every site has: the same page in several variants, driven without a client or a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Final, Protocol

from abmiddleware import Engine, Experiment

KEY: Final = "checkout-button"
COOKIE: Final = "ab_id"
#: The page that asks for nothing, and the one that runs an experiment.
PLAIN: Final = "/plain"
USED: Final = "/used"
#: What the plain page says.
BODY: Final = "checkout"


class Variant(StrEnum):
    """What stands before the page."""

    BARE = "bare"  #: nothing
    BARE_AGAIN = "bare again"  #: nothing, a second time: the noise
    EMPTY = "empty pass-through"  #: a middleware that does nothing
    UNUSED = "0 experiments"  #: the middleware, on a page that asks for nothing
    SINK = "1, no-op sink"  #: the middleware, on a page that runs an experiment
    JOURNAL = "1, journal"  #: the same, with its exposure on disk

    @property
    def path(self) -> str:
        """The page that it serves."""
        return USED if self in (Variant.SINK, Variant.JOURNAL) else PLAIN


#: The engine of each variant that has the middleware.
Engines = Mapping[Variant, Engine]
#: Holds for as long as a variant is driven.
Setting = Callable[[Variant], AbstractContextManager[object]]


class Site(Protocol):
    """An application in all variants."""

    @property
    def name(self) -> str:
        """What it is called in the tables."""

    def bodies(self, variant: Variant, cookies: Sequence[str]) -> list[bytes]:
        """Serve a request for each cookie and return what came."""

    def seconds(self, variant: Variant, cookies: Sequence[str]) -> float:
        """Serve a request for each cookie and return the CPU seconds that it took."""


def experiments() -> list[Experiment[str]]:
    """Return twenty experiments, as a site has; its page runs one of them."""
    keys = [KEY, *(f"experiment-{number}" for number in range(19))]
    return [Experiment(key, ["control", "one-click"], hash_version=2) for key in keys]
