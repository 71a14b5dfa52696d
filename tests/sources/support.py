"""Sources under test, and the wait for what they should come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

from abmiddleware.sources import Deadlines, GrowthBook, Retry, Source
from tests.sources.server import Server

#: As the defaults are, but a hundred times as fast.
QUICK = Retry(first=0.02, most=0.2, refused=0.1, healthy=0.3, spread=0.05)
PATIENT = Deadlines(connect=2, read=2, total=4, silence=4)


class Watched:
    """A source as an engine uses it; its `value` is that of the feature `flag`."""

    def __init__(self, source: GrowthBook) -> None:
        self.source = source
        contract: Source = source
        #: The value at each change.
        self.values: list[object] = []
        contract.open(lambda: self.values.append(self.value))

    @property
    def value(self) -> object:
        document = self.source.document
        if document is None:
            return None
        feature: Any = document.features["flag"]
        return feature["defaultValue"]

    def until(self, condition: Callable[[], object], seconds: float = 10.0) -> None:
        """Serve requests until a condition holds."""
        end = monotonic() + seconds
        while not condition():
            assert monotonic() < end, self.source.status()
            self.source.look()
            sleep(0.005)

    def sees(self, value: object, seconds: float = 10.0) -> None:
        """Serve requests until the flag has a value."""
        self.until(lambda: self.value == value, seconds)

    def keeps(self, value: object, until: Callable[[], object]) -> None:
        """Serve requests until a condition holds, and see the flag keep its value."""

        def condition() -> object:
            assert self.value == value
            return until()

        self.until(condition)


@contextmanager
def watching(server: Server, **options: Any) -> Iterator[Watched]:
    """Follow a server quickly; the source is closed afterwards, within its deadline."""
    settings = {"host": server.url, "poll_seconds": 0.1, "retry": QUICK, "deadlines": PATIENT}
    source = GrowthBook("sdk-abc123", **{**settings, **options})
    try:
        yield Watched(source)
    finally:
        began = monotonic()
        source.close()
        assert monotonic() - began < 5
