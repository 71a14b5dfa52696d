"""A store in the memory of the process: for tests, scripts, and services of one process."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock
from weakref import WeakSet

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.sticky.document import StickyDocument, storable


class MemoryStickyStore:
    """Keeps the documents that were used last.

    Args:
        max_documents: how many are kept; those that were not used for longest go first. One with
            an assignment takes about a kilobyte.

    Raises:
        ConfigurationError: `max_documents` is no number of documents.
    """

    def __init__(self, max_documents: int = 100_000) -> None:
        if type(max_documents) is not int or max_documents < 1:
            raise ConfigurationError(
                f"max_documents: is {shown(max_documents)}, must be a number of at least 1"
            )
        self._max = max_documents
        self._documents: OrderedDict[str, StickyDocument] = OrderedDict()
        self._lock = Lock()
        _stores.add(self)

    def __len__(self) -> int:
        return len(self._documents)

    def load(self, keys: Sequence[str]) -> Mapping[str, StickyDocument]:
        """Return the documents that are kept, by key."""
        found = {}
        with self._lock:
            for key in keys:
                document = self._documents.get(key)
                if document is not None:
                    self._documents.move_to_end(key)
                    found[key] = document
        return found

    def save(self, document: StickyDocument) -> None:
        """Lay the document's assignments over those that are kept."""
        fresh = storable(document)
        if fresh is None:
            return
        with self._lock:
            kept = self._documents.pop(fresh.key, None)
            self._documents[fresh.key] = kept.merged(fresh) if kept else fresh
            if len(self._documents) > self._max:
                self._documents.popitem(last=False)

    def _forked(self) -> None:
        self._lock = Lock()


_stores: WeakSet[MemoryStickyStore] = WeakSet()


def _forget_locks() -> None:
    # A thread of the parent may have held one at the fork; nobody in the child would release it.
    for store in _stores:
        store._forked()


os.register_at_fork(after_in_child=_forget_locks)
