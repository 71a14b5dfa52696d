"""The request-long object: what a view asks, each experiment decided and exposed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, cast, overload

from abmiddleware.asking import Effects
from abmiddleware.deciding import key_of
from abmiddleware.evaluation.automatic import (
    RedirectOptions,
    redirect,
    refused_target,
    relative_target,
    runs_on,
)
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.features import Feature
from abmiddleware.evaluation.patterns import paid_by
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.result import FeatureResult, FeatureSource, Result
from abmiddleware.evaluation.scope import Scope
from abmiddleware.exceptions import ConfigurationError, MustBeAwaitedError
from abmiddleware.handing import Era, HandingClient
from abmiddleware.identity import SetCookie
from abmiddleware.notices import notices
from abmiddleware.policy import Suppressed

T = TypeVar("T")
D = TypeVar("D")

#: Features that a snapshot remembers to be evaluated the short way.
_MAX_SHORT: Final = 20_000

_UNKNOWN: Final = FeatureSource.UNKNOWN


class ExperimentClient(HandingClient, eq=False, weakref=True):
    """Runs experiments for one visitor or user: `request.experiments`, or `engine.client(...)`.

    Every experiment is decided once and keeps its answer for the client's life, and is exposed
    once, whatever number of threads or tasks ask. Nothing is computed until something is asked.
    """

    def __repr__(self) -> str:
        return f"<ExperimentClient: {len(self._answers)} experiments asked>"

    def feature(self, feature: Feature[Any] | str) -> FeatureResult[Any]:
        """Evaluate a feature, recording the exposures of the experiments that it runs.

        Raises:
            UnknownFeatureError: in strict mode, no configuration knows the key.
            ConfigurationError: in strict mode, the sticky store must be awaited by `afeature`.
        """
        if type(feature) is str:
            key: str = feature
            place: object = feature
        else:
            key = key_of(feature)
            place = self._place(feature, key)
        known: FeatureResult[Any] | None = self._once.get(place)
        if known is not None:
            return known if known.source is not _UNKNOWN else self._known(feature, known)
        snapshot = self._snapshot or self._pin()
        plan = snapshot.short_features.get(key) if isinstance(feature, str) else None
        if plan is None or self._whole is not None:
            return self._feature(feature, key, place)
        if not self._is_private:
            self._depend()
        enrolled: list[tuple[Plan, Result[Any]]] = []
        try:
            result: FeatureResult[Any] = plan(self._context, enrolled)
        except Exception as error:  # noqa: BLE001  # attributes may be objects of any type
            return self._feature_failed(key, key, error)
        first: FeatureResult[Any] = self._once.setdefault(key, result)
        if first is not result:  # another thread was quicker, and exposes
            return first
        for enrolment in enrolled:
            if self._is_first(*enrolment):
                self._expose(*enrolment)
        if self._unlinked or self._services.on_feature_usage is not None:
            self._told(result)
        else:
            self._signal(result)
        return result

    async def afeature(self, feature: Feature[Any] | str) -> FeatureResult[Any]:
        """Do as `feature`, awaiting the sticky store, and who is logged in if that matters.

        Raises:
            UnknownFeatureError: in strict mode, no configuration knows the key.
        """
        key = key_of(feature)
        place = self._place(feature, key)
        if place in self._once or not self._must_await():
            return self.feature(feature)
        self._depend()
        asking = self._asking()
        try:
            question = _question(feature, key)
            result, effects = await asking.aask(question, self._but_for(key, place))
            await asking.asave(effects)
            await self._load_recorded()
        except Exception as error:  # noqa: BLE001  # attributes may be objects of any type
            return self._feature_failed(key, place, error)
        return self._featured(feature, place, result, effects)

    @overload
    def value(self, asked: Experiment[T], default: D) -> T | D: ...
    @overload
    def value(self, asked: Feature[T], default: D) -> T | D: ...
    @overload
    def value(self, asked: str, default: Any) -> Any: ...
    def value(self, asked: Experiment[Any] | Feature[Any] | str, default: Any) -> Any:
        """Run an experiment or evaluate a feature, and return its value.

        The default is returned for who is outside the experiment, and for a feature that is
        unknown or has no value. A key that both an experiment and a feature have names the
        experiment.

        Raises:
            UnknownExperimentError, UnknownFeatureError: in strict mode, no configuration knows
                the key.
        """
        if isinstance(asked, Feature) or (
            isinstance(asked, str) and asked in (self._snapshot or self._pin()).flags
        ):
            value = self.feature(asked).value
            return default if value is None else value
        result = self.run(asked)
        return result.value if result.in_experiment else default

    def is_on(self, feature: Feature[Any] | str) -> bool:
        """Tell whether a feature's value is truthy as JSON sees it: 0, "", false and null are not.

        Raises:
            UnknownFeatureError: in strict mode, no configuration knows the key.
        """
        return self.feature(feature).on

    def redirect(self) -> str | None:
        """Return the URL that an experiment of redirects sends this visitor to, or None.

        For GET and HEAD only. The exposure is recorded; answer with a redirect of status 302.

        Raises:
            ConfigurationError: in strict mode, the sticky store must be awaited, which this cannot.
        """
        facts = self._context.facts
        if facts is None or facts.method() not in ("GET", "HEAD") or not self._pin().redirects:
            return None
        return paid_by(self._context, self._redirected, facts.url())

    def _redirected(self, page: str) -> str | None:
        services, plans = self._services, self._pin().redirects
        for plan in plans:
            _tell_refused(plan, page, services.redirects)
        if not any(runs_on(plan, page, services.redirects) for plan in plans):
            return None
        if not self._is_private:
            self._depend()
        try:
            chosen = redirect(plans, page, self._enrol, services.redirects)
            return None if chosen is None else chosen.target(page)
        except ConfigurationError:  # in strict mode: the store must be awaited
            raise
        except Exception as error:  # noqa: BLE001  # attributes may be objects of any type
            notices.warn("redirect", "nobody is redirected: %r", error, error=error)
            return None

    @property
    def suppressed(self) -> Suppressed:
        """Why nothing of this request is recorded, such as `"prefetch"`; empty where it is."""
        return self._context.suppressed

    def must_look_ahead(self) -> bool:
        """Tell whether a predicate will be asked that may read a database. For adapters."""
        return self._context.may_ask()

    def look_ahead(self) -> None:
        """Ask it now, so that an event loop need not. For adapters."""
        _ = self._context.asked

    def identify(self, /, **attributes: object) -> None:
        """Say who this is, such as `identify(user_id=user.pk, country="NL")`.

        What is decided already keeps its answer. A `user_id` beside a visitor id is recorded as
        a link of the two, so that an analysis can follow a visitor over a login.
        """
        if self._answers or self._once:
            counts = (len(self._answers), len(self._once))
            era = Era(counts, dict(self._context))
            self._eras = (*self._eras, era)
            self._keep_recorded(attributes)
        self._identify(attributes)

    def cookies(self) -> list[SetCookie]:
        """Return the cookies that the response must set. For adapters."""
        found = [self._context.set_cookie()]
        if self._context.asked is not None:
            found.append(self._context.override_cookie())
        facts = self._context.facts
        if self._whole is not None and self._whole.buckets is not None and facts is not None:
            found.append(self._whole.buckets.set_cookie(facts.is_secure()))
        return [cookie for cookie in found if cookie is not None]

    def _place(self, feature: Feature[Any] | str, key: str) -> object:
        """Return where `_once` has a feature's result: by its key, or its plan for a twin's.

        The values of an object may be of another type than those of the feature that its key names.

        Raises:
            DefinitionError: in strict mode, another feature in use has the same key.
        """
        if not isinstance(feature, Feature):
            return key
        is_own = self._services.catalogue.owns(feature, self._snapshot or self._pin())
        known = self._once.get(key)
        is_unknown = known is not None and known.source is _UNKNOWN
        return key if is_own and not is_unknown else feature.plan

    def _but_for(self, key: str, place: object) -> Mapping[object, Any]:
        """Return what was evaluated before, as the feature of a place must see it."""
        if place == key:
            return self._once
        return {name: known for name, known in list(self._once.items()) if name != key}

    def _feature(self, feature: Feature[Any] | str, key: str, place: object) -> FeatureResult[Any]:
        """Evaluate a feature that was not asked for before, the whole way."""
        if isinstance(feature, str) and self._is_short_feature(key):
            return self.feature(feature)
        if not self._is_private:
            self._depend()
        asking = self._asking()
        try:
            result, effects = asking.ask(_question(feature, key), self._but_for(key, place))
        except ConfigurationError:  # in strict mode: the store must be awaited
            raise
        except Exception as error:  # noqa: BLE001  # attributes may be objects of any type
            return self._feature_failed(key, place, error)
        return self._featured(feature, place, result, effects)

    def _featured(
        self,
        feature: Feature[Any] | str,
        place: object,
        result: FeatureResult[Any],
        effects: Effects,
    ) -> FeatureResult[Any]:
        """Bring about what a feature's evaluation brings about, and keep its result."""
        is_apart = place != result.key
        if is_apart:  # what its key names has another result
            del effects.features[result.key]
        self._use(effects)
        first: FeatureResult[Any] = self._once.setdefault(place, result)
        if is_apart and first is result:
            self._told(result)
        return self._known(feature, first)

    def _is_short_feature(self, key: str) -> bool:
        """Tell whether nothing but the definition decides a feature, and remember it."""
        snapshot = self._pin()
        if snapshot.options is not None or self._services.stickiness or self._whole is not None:
            return False
        if key not in snapshot.features or len(snapshot.short_features) >= _MAX_SHORT:
            return False
        try:
            short = snapshot.features[key].short
        except Exception:  # noqa: BLE001  # compiled here; the whole way tells of the error
            return False
        if short is not None:
            snapshot.short_features[key] = short
        return short is not None

    def _feature_failed(self, key: str, place: object, error: Exception) -> FeatureResult[Any]:
        if isinstance(error, MustBeAwaitedError):  # in strict mode
            raise error
        notices.warn(
            f"evaluation of feature {key}",
            "feature %r: it has no value, the evaluation raised %r",
            key,
            error,
            error=error,
        )
        failed: FeatureResult[Any] = FeatureResult(key, None, FeatureSource.ERROR)
        first = cast(FeatureResult[Any], self._once.setdefault(place, failed))
        if first is failed:
            self._signal(failed)
        return first

    def _known(self, feature: Feature[Any] | str, result: FeatureResult[Any]) -> FeatureResult[Any]:
        """Return the result of a feature, telling of one that nothing knows."""
        if result.source is FeatureSource.UNKNOWN:
            self._services.catalogue.unknown_feature(feature, self._pin())
        return result


def _tell_refused(plan: Plan, page: str, options: RedirectOptions) -> None:
    if relative := relative_target(plan):
        notices.warn_once(
            f"redirect {plan.key} {relative}",
            lambda: (
                f"experiment {plan.key!r} does not run: it redirects to {relative!r}, which must "
                "be a whole URL, such as 'https://www.example.com/new'"
            ),
        )
    elif target := refused_target(plan, page, options):
        notices.warn_once(
            f"redirect {plan.key} {target}",
            lambda: (
                f"experiment {plan.key!r} does not run: it redirects to {target!r}, whose host is "
                "not the page's; name it in Engine(redirect_hosts=[...])"
            ),
        )


def _question(feature: Feature[Any] | str, key: str) -> Callable[[Scope], FeatureResult[Any]]:
    if isinstance(feature, Feature):
        return lambda scope: scope.feature(key, feature.plan)
    return lambda scope: scope.feature(key)
