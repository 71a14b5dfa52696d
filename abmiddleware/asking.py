"""The whole way of a question: features, prerequisites, options and sticky buckets.

Most questions of a request take the short way in `client.py` and need none of this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from abmiddleware.context import UserContext, UserNeededError, is_awaiting
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.result import FeatureResult, Result
from abmiddleware.evaluation.scope import Scope
from abmiddleware.evaluation.sticky import DocumentsNeededError, document_key
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.services import Services
from abmiddleware.snapshot import Snapshot
from abmiddleware.stickiness import RequestBuckets

R = TypeVar("R")

Enrolment = tuple[Plan, Result[Any]]


class Effects(msgspec.Struct, eq=False):
    """What an answer brings about once it is used."""

    enrolled: list[Enrolment] = []
    #: Sticky assignments to save, by document key.
    changes: dict[str, dict[str, str]] = {}
    features: dict[str, FeatureResult[Any]] = {}
    #: The attributes to be recorded that were changed since the evaluation, as they were (17.1).
    changed: dict[str, object] = {}


class Asking:
    """The questions of one client that the short way cannot answer."""

    __slots__ = ("_context", "_services", "buckets", "snapshot")

    def __init__(self, services: Services, context: UserContext, snapshot: Snapshot) -> None:
        self._services = services
        self._context = context
        self.snapshot = snapshot
        self.buckets = self._opened()

    def _opened(self) -> RequestBuckets | None:
        stickiness, facts = self._services.stickiness, self._context.facts
        if stickiness is None:
            return None
        return stickiness.open(None if facts is None else facts.cookie_header())

    def ask(
        self, question: Callable[[Scope], R], features: Mapping[object, Any]
    ) -> tuple[R, Effects]:
        """Answer a question, loading what it needs of the sticky store.

        Args:
            question: asks a scope.
            features: those that were evaluated before.

        Raises:
            ConfigurationError: in strict mode, the store must be awaited.
        """
        buckets = self.buckets
        if buckets is not None and buckets.is_async:
            self._refuse_async()
            buckets = None
        while True:
            scope = self._scope(buckets, features)
            try:
                return question(scope), _effects(scope)
            except DocumentsNeededError as needed:
                if buckets is not None:
                    buckets.load(self._keys(buckets, needed.keys))

    async def aask(
        self, question: Callable[[Scope], R], features: Mapping[object, Any]
    ) -> tuple[R, Effects]:
        """Answer a question, awaiting the sticky store, and who is logged in."""
        buckets = self.buckets
        while True:
            scope = self._scope(buckets, features)
            before = is_awaiting.set(True)
            try:
                return question(scope), _effects(scope)
            except DocumentsNeededError as needed:
                if buckets is not None:
                    await buckets.aload(self._keys(buckets, needed.keys))
            except UserNeededError:
                await self._context.load_user()
            finally:
                is_awaiting.reset(before)

    def save(self, effects: Effects) -> None:
        """Save the assignments that are to be kept."""
        changes, effects.changes = effects.changes, {}
        if changes and self.buckets is not None:
            self.buckets.save(changes)

    async def asave(self, effects: Effects) -> None:
        """Save the assignments that are to be kept, awaiting the store."""
        changes, effects.changes = effects.changes, {}
        if changes and self.buckets is not None:
            await self.buckets.asave(changes)

    def _scope(self, buckets: RequestBuckets | None, features: Mapping[object, Any]) -> Scope:
        context, snapshot = self._context, self.snapshot
        return Scope(
            context,
            snapshot.features,
            snapshot.options,
            context.page,
            None if buckets is None else buckets.seen(),
            results={key: told for key, told in list(features.items()) if type(key) is str},
        )

    def _keys(self, buckets: RequestBuckets, needed: tuple[str, ...]) -> list[str]:
        """Return the documents to load: what is needed, and what other experiments may need."""
        known = (document_key(name, self._context.known(name)) for name in self.snapshot.units)
        others = [key for key in known if key is not None and not buckets.is_loaded(key)]
        return list(dict.fromkeys((*needed, *others)))

    def _refuse_async(self) -> None:
        name = type(self._services.stickiness and self._services.stickiness.store).__name__
        self._services.catalogue.mistakes.report(
            "async sticky store",
            lambda: ConfigurationError(
                f"sticky: the store {name} must be awaited; use await experiments.arun(...) or "
                "afeature(...), since calls that are not awaited keep nobody in their variation"
            ),
        )


def _effects(scope: Scope) -> Effects:
    changes = {} if scope.sticky is None else scope.sticky.changes
    return Effects(scope.enrolled, changes, scope.results)
