"""What a store of sticky documents must do; `RedisStickyStore` and others do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from abmiddleware.sticky.document import StickyDocument


@runtime_checkable
class StickyStore(Protocol):
    """Keeps the assignments of units.

    Both methods may raise whatever their backend raises; the assignment then is not sticky. They
    are called on the path of a request, so a store must not wait for long.
    """

    def load(self, keys: Sequence[str]) -> Mapping[str, StickyDocument]:
        """Return the documents that are stored, by key, in one round trip for all.

        What is stored in another form than a document's counts as missing.
        """

    def save(self, document: StickyDocument) -> None:
        """Lay the document's assignments over what is stored under its key, in one step.

        An assignment that another process saved meanwhile stays.
        """


@runtime_checkable
class AsyncStickyStore(Protocol):
    """A `StickyStore` whose methods are awaited."""

    async def load(self, keys: Sequence[str]) -> Mapping[str, StickyDocument]:
        """Return the documents that are stored, by key, in one round trip for all."""

    async def save(self, document: StickyDocument) -> None:
        """Lay the document's assignments over what is stored under its key, in one step."""
