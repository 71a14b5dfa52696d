"""Sticky buckets of one request: loaded from the store when needed, saved when they change.

A store that fails makes assignments unsticky: it is counted and logged, and breaks no request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from inspect import iscoroutinefunction
from typing import cast

from abmiddleware.evaluation.sticky import StickyBuckets
from abmiddleware.exposures.losses import count_loss
from abmiddleware.identity import SetCookie
from abmiddleware.notices import notices
from abmiddleware.sticky.cookie import CookieSession, CookieStickyStore
from abmiddleware.sticky.document import StickyDocument
from abmiddleware.sticky.stores import AsyncStickyStore, StickyStore

#: What an engine takes.
AnyStore = StickyStore | AsyncStickyStore | CookieStickyStore


class Stickiness:
    """The store of an engine."""

    __slots__ = ("failures", "is_async", "store")

    def __init__(self, store: AnyStore) -> None:
        self.store = store
        self.is_async = iscoroutinefunction(getattr(store, "load", None))
        #: Loads and saves that failed, and saves that were not tried after one.
        self.failures: Counter[str] = Counter()

    def open(self, cookie_header: str | None) -> RequestBuckets | None:
        """Return the buckets of one request; None where the store has no place for them.

        Args:
            cookie_header: the request's `Cookie` header; None where there is no request.
        """
        if not isinstance(self.store, CookieStickyStore):
            return RequestBuckets(self, self.store)
        return (
            None if cookie_header is None else RequestBuckets(self, self.store.open(cookie_header))
        )

    def skip(self) -> None:
        """Count an assignment that is not saved, since the store failed in the same request."""
        count_loss(self.failures, "skipped", 1)

    def fail(self, what: str, error: Exception) -> None:
        """Count a failure of the store, and say so once a minute."""
        total = count_loss(self.failures, what, 1)
        notices.warn(
            f"sticky {what}",
            "sticky buckets could not be %s (%d times): assignments are as if there were none: %r",
            what,
            total,
            error,
            error=error,
        )


class RequestBuckets:
    """The documents of one request.

    After a failure the store is left alone: what could not be loaded must not be saved over, and a
    store that is down must not cost each experiment of a page its timeout.
    """

    __slots__ = ("_documents", "_is_down", "_owner", "_store")

    def __init__(
        self, owner: Stickiness, store: StickyStore | AsyncStickyStore | CookieSession
    ) -> None:
        self._owner = owner
        self._store = store
        self._documents: dict[str, Mapping[str, str]] = {}
        self._is_down = False

    @property
    def is_async(self) -> bool:
        """Whether the store must be awaited."""
        return self._owner.is_async

    def seen(self) -> StickyBuckets:
        """Return what an evaluation sees of them."""
        return StickyBuckets(self._documents)

    def is_loaded(self, key: str) -> bool:
        """Tell whether a document was loaded."""
        return key in self._documents

    def load(self, keys: Sequence[str]) -> None:
        """Load documents; those that cannot be loaded are empty."""
        if self._is_down:
            self._take(keys, {})
            return
        try:
            self._take(keys, cast(StickyStore, self._store).load(keys))
        except Exception as error:  # noqa: BLE001  # a store may raise whatever its backend does
            self._failed("loaded", error)
            self._take(keys, {})

    async def aload(self, keys: Sequence[str]) -> None:
        """Load documents from a store that is awaited, or from any other."""
        if self._is_down or not self.is_async:
            self.load(keys)
            return
        try:
            self._take(keys, await cast(AsyncStickyStore, self._store).load(keys))
        except Exception as error:  # noqa: BLE001
            self._failed("loaded", error)
            self._take(keys, {})

    def save(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        """Save new assignments, by document key."""
        for key, assignments in changes.items():
            if self._is_down:
                self._owner.skip()
                continue
            try:
                cast(StickyStore, self._store).save(StickyDocument.of(key, assignments))
            except Exception as error:  # noqa: BLE001
                self._failed("saved", error)
            else:
                self._note(key, assignments)

    async def asave(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        """Save new assignments in a store that is awaited, or in any other."""
        if not self.is_async:
            self.save(changes)
            return
        for key, assignments in changes.items():
            if self._is_down:
                self._owner.skip()
                continue
            try:
                await cast(AsyncStickyStore, self._store).save(StickyDocument.of(key, assignments))
            except Exception as error:  # noqa: BLE001
                self._failed("saved", error)
            else:
                self._note(key, assignments)

    def set_cookie(self, is_secure: bool) -> SetCookie | None:
        """Return the cookie that the response must set, if they are kept in one."""
        if isinstance(self._store, CookieSession):
            return self._store.set_cookie(is_secure)
        return None

    def _failed(self, what: str, error: Exception) -> None:
        self._is_down = True
        self._owner.fail(what, error)

    def _take(self, keys: Sequence[str], found: Mapping[str, StickyDocument]) -> None:
        taken = {key: found[key].assignments if key in found else {} for key in keys}
        self._documents.update(taken)

    def _note(self, key: str, assignments: Mapping[str, str]) -> None:
        """Note what the store has now, so that what follows in the request sees it."""
        self._documents[key] = {**self._documents.get(key, {}), **assignments}
