"""What one evaluation is about, what it may look up, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.result import FeatureResult, FeatureSource, Result
from abmiddleware.evaluation.sticky import StickyBuckets
from abmiddleware.evaluation.values import Attributes

_NOTHING: Final[Mapping[str, Any]] = {}
#: Features that are evaluated within one another at most, four calls each: the interpreter allows a
#: thousand in all, and what serves the request has its own.
_MAX_NESTED: Final = 16


class EvaluationOptions(msgspec.Struct, frozen=True):
    """What applies to every experiment beside its definition (specification, section 2)."""

    enabled: bool = True
    qa_mode: bool = False
    #: Variation index by experiment key: who runs the experiment gets it, and is not counted.
    forced_variations: Mapping[str, object] = _NOTHING
    #: Value by feature key.
    forced_features: Mapping[str, object] = _NOTHING
    #: Whether `?<experiment key>=1` in a page's URL forces a variation, for anybody.
    query_overrides: bool = False
    #: Of old payloads: fields in GrowthBook's JSON form that replace those of an experiment (8.4).
    overrides: Mapping[str, object] = _NOTHING
    #: Of old payloads: whether the unit is in a group, by its name.
    groups: Mapping[str, object] = _NOTHING


NEUTRAL: Final = EvaluationOptions()


class Askable(Protocol):
    """A compiled feature."""

    def evaluate(self, scope: Scope) -> FeatureResult[Any]:
        """Go through the rules."""


class _DeeperError(Exception):
    """A feature must be evaluated before the ones that ask for it, which begin again then."""

    def __init__(self, key: str) -> None:
        self.key = key


class Scope(msgspec.Struct):
    """One evaluation from its first question to its end; not shared between threads."""

    attributes: Attributes
    #: The compiled features, by key.
    features: Mapping[str, Askable] = _NOTHING
    #: None where nothing but the definitions decides.
    options: EvaluationOptions | None = None
    #: Returns the URL of the page, or "".
    page: Callable[[], str] = str
    #: None where no unit keeps its variation.
    sticky: StickyBuckets | None = None
    #: The enrolments so far, in their order: each is to be exposed.
    enrolled: list[tuple[Plan, Result[Any]]] = []
    #: The features that were evaluated, by key, in the order in which they ended.
    results: dict[str, FeatureResult[Any]] = {}
    #: The features that are being evaluated, each asked for by the one before it.
    path: dict[str, None] = {}
    #: How many of them wait until what they ask for is known, rather than ask.
    waiting: int = 0

    def feature(self, key: str, plan: Askable | None = None) -> FeatureResult[Any]:
        """Evaluate a feature (10.2); once for all that ask for it.

        Args:
            key: its key.
            plan: the feature, where it is not the one that `features` has.
        """
        if key in self.results:
            return self.results[key]
        if key in self.path:
            return FeatureResult(key, None, FeatureSource.CYCLE)
        if not self.path:
            return self._first(key, plan)
        if len(self.path) - self.waiting >= _MAX_NESTED:
            raise _DeeperError(key)
        return self._nested(key, plan)

    def _first(self, key: str, plan: Askable | None) -> FeatureResult[Any]:
        """Evaluate a feature that no other asks for, whatever number of them it leads to."""
        stack: list[tuple[str, Askable | None, int]] = [(key, plan, 0)]
        while True:
            key, plan, self.waiting = stack[-1]
            try:
                result = self._nested(key, plan)
            except _DeeperError as deeper:
                # The path stays as it is, by which a circle is found.
                stack.append((deeper.key, None, len(self.path)))
                continue
            stack.pop()
            if not stack:
                return result
            while len(self.path) > stack[-1][2]:
                self.path.popitem()

    def _nested(self, key: str, plan: Askable | None) -> FeatureResult[Any]:
        self.path[key] = None
        result = self._feature(key, plan)
        del self.path[key]
        self.results[key] = result
        return result

    def _feature(self, key: str, plan: Askable | None) -> FeatureResult[Any]:
        options = self.options
        if options is not None and key in options.forced_features:
            return FeatureResult(key, options.forced_features[key], FeatureSource.OVERRIDE)
        if plan is None:
            try:
                plan = self.features[key]
            except KeyError:
                return FeatureResult(key, None, FeatureSource.UNKNOWN)
        return plan.evaluate(self)

    @property
    def usages(self) -> list[FeatureResult[Any]]:
        """The evaluations that are reported as usage: all but forced values (17.5)."""
        return [
            result
            for result in self.results.values()
            if result.source is not FeatureSource.OVERRIDE
        ]
