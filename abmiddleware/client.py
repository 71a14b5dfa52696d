"""The request-long object: what a view asks, each experiment decided and exposed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock
from typing import Any, Final, TypeVar, overload

from abmiddleware.asking import Asking, Effects
from abmiddleware.evaluation.automatic import redirect
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.features import Feature
from abmiddleware.evaluation.json_form import exposure_json
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.redirects import is_safe_redirect
from abmiddleware.evaluation.result import (
    FeatureResult,
    FeatureSource,
    Reason,
    Result,
    unknown_result,
)
from abmiddleware.evaluation.running import run
from abmiddleware.evaluation.scope import Scope
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.exposures.records import id_text
from abmiddleware.identity import SetCookie
from abmiddleware.notices import notices
from abmiddleware.recording import RecordingClient
from abmiddleware.snapshot import Snapshot

T = TypeVar("T")
D = TypeVar("D")

#: Experiments that a snapshot remembers to be decided the short way.
_MAX_SHORT: Final = 20_000

#: Held while a client gets its `Asking`, so that of many threads one makes it.
_making: Final = Lock()


class ExperimentClient(RecordingClient, eq=False, weakref=True):
    """Runs experiments for one visitor or user: `request.experiments`, or `engine.client(...)`.

    Every experiment is decided once and keeps its answer for the client's life, and is exposed
    once, whatever number of threads or tasks ask. Nothing is computed until something is asked.
    """

    #: The plan that decided, and its result, by experiment key.
    _answers: dict[str, tuple[Plan, Result[Any]]] = {}  # noqa: RUF012  # msgspec copies it
    _features: dict[str, FeatureResult[Any]] = {}  # noqa: RUF012
    #: The enrolments that features and prerequisites exposed: by experiment key, and further ones
    #: of the same experiment by all that tells them apart (17.2).
    _shown: dict[object, tuple[Plan, Result[Any]]] = {}  # noqa: RUF012
    _whole: Asking | None = None

    def __repr__(self) -> str:
        return f"<ExperimentClient: {len(self._answers)} experiments asked>"

    @overload
    def run(self, experiment: Experiment[T]) -> Result[T]: ...
    @overload
    def run(self, experiment: str) -> Result[Any]: ...
    def run(self, experiment: Experiment[Any] | str) -> Result[Any]:
        """Assign the variation and record the exposure; call it where the variation takes effect.

        Raises:
            UnknownExperimentError: in strict mode, no configuration knows the key.
            ConfigurationError: in strict mode, the sticky store must be awaited by `arun`.
        """
        if type(experiment) is str:
            asked: object = experiment
            key = experiment
        else:
            asked, key = _plan_of(experiment), _key(experiment)
        answer, snapshot = self._answers.get(key), self._snapshot
        if answer is not None or snapshot is None or self._whole is not None:
            return self._run(experiment, key)
        plan = snapshot.short.get(asked)
        if plan is None or not self._is_private:
            return self._run(experiment, key)
        # The short way, which most questions take, stands here in one piece: each call costs.
        try:
            result = plan.decide(self._context)
        except Exception as error:  # noqa: BLE001  # attributes may be objects of any type
            result = self._failed(plan, error)
        answer = (plan, result)
        first = self._answers.setdefault(key, answer)
        if first is not answer:  # another thread was quicker, and exposes it
            return first[1]
        if result.hash_used and not self._unlinked and not self._shown:
            self._expose(plan, result)
        else:
            self._take_up(plan, result)
        return result

    @overload
    async def arun(self, experiment: Experiment[T]) -> Result[T]: ...
    @overload
    async def arun(self, experiment: str) -> Result[Any]: ...
    async def arun(self, experiment: Experiment[Any] | str) -> Result[Any]:
        """Do as `run`, awaiting the sticky store.

        Raises:
            UnknownExperimentError: in strict mode, no configuration knows the key.
        """
        key = _key(experiment)
        if key in self._answers or self._services.stickiness is None:
            return self.run(experiment)
        plan = self._plan(experiment, key)
        if plan is None:
            return unknown_result()
        asking = self._asking()
        try:
            result, effects = await asking.aask(partial(run, plan), self._features)
            await asking.asave(effects)
        except Exception as error:  # noqa: BLE001  # attributes may be objects of any type
            result, effects = self._failed(plan, error), Effects()
        self._answer(asking, key, (plan, result), effects)
        return self.run(experiment)

    @overload
    def peek(self, experiment: Experiment[T]) -> Result[T]: ...
    @overload
    def peek(self, experiment: str) -> Result[Any]: ...
    def peek(self, experiment: Experiment[Any] | str) -> Result[Any]:
        """Assign the variation without recording an exposure; `expose` it when it is really shown.

        Raises:
            UnknownExperimentError: in strict mode, no configuration knows the key.
            ConfigurationError: in strict mode, the sticky store must be awaited by `arun`.
        """
        key = _key(experiment)
        answer = self._answers.get(key)
        if answer is None:
            plan = self._plan(experiment, key)
            return unknown_result() if plan is None else self._peeked(plan, key)
        return self._again(experiment, answer)

    def expose(self, experiment: Experiment[Any] | str) -> None:
        """Record the exposure of an experiment that was assigned by `peek`.

        Raises:
            UnknownExperimentError: in strict mode, no configuration knows the key.
        """
        self.run(experiment)

    def feature(self, feature: Feature[Any] | str) -> FeatureResult[Any]:
        """Evaluate a feature, recording the exposures of the experiments that it runs.

        Raises:
            UnknownFeatureError: in strict mode, no configuration knows the key.
            ConfigurationError: in strict mode, the sticky store must be awaited by `afeature`.
        """
        key = feature if type(feature) is str else _key(feature)
        known = self._features.get(key)
        if known is not None:
            return known
        snapshot = self._snapshot or self._pin()
        plan = snapshot.short_features.get(key) if type(feature) is str else None
        if plan is None or not self._is_private or self._whole is not None:
            return self._feature(feature, key)
        enrolled: list[tuple[Plan, Result[Any]]] = []
        try:
            result = plan(self._context, enrolled)
        except Exception as error:  # noqa: BLE001  # attributes may be objects of any type
            return self._feature_failed(key, error)
        first = self._features.setdefault(key, result)
        if first is not result:  # another thread was quicker, and exposes
            return first
        for enrolment in enrolled:
            if self._is_first(*enrolment):
                self._expose(*enrolment)
        if self._unlinked or self._services.on_feature_usage is not None:
            self._told(result)
        return result

    async def afeature(self, feature: Feature[Any] | str) -> FeatureResult[Any]:
        """Do as `feature`, awaiting the sticky store.

        Raises:
            UnknownFeatureError: in strict mode, no configuration knows the key.
        """
        key = _key(feature)
        if key in self._features or self._services.stickiness is None:
            return self.feature(feature)
        self._depend()
        asking = self._asking()
        try:
            result, effects = await asking.aask(_question(feature, key), self._features)
            await asking.asave(effects)
        except Exception as error:  # noqa: BLE001  # attributes may be objects of any type
            return self._feature_failed(key, error)
        self._use(effects)
        return self._known(feature, result)

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
        """
        facts = self._context.facts
        if facts is None or facts.method() not in ("GET", "HEAD") or not self._pin().redirects:
            return None
        asking, page, services = self._asking(), facts.url(), self._services
        try:
            chosen, effects = asking.ask(
                lambda scope: redirect(asking.snapshot.redirects, scope, services.redirects),
                self._features,
            )
            self._use(effects)
            target = None if chosen is None else chosen.target(page)
        except Exception as error:  # noqa: BLE001  # attributes may be objects of any type
            notices.warn("redirect", "nobody is redirected: %r", error, error=error)
            return None
        if chosen is None or target is None:
            return None
        if not is_safe_redirect(target, page, services.redirect_hosts):
            notices.warn(
                f"redirect {chosen.plan.key}",
                "experiment %r: nobody is redirected to %r, whose host is not the page's; "
                "name it in Engine(redirect_hosts=[...])",
                chosen.plan.key,
                target,
            )
            return None
        return target

    @property
    def assignments(self) -> Mapping[str, Result[Any]]:
        """The results of experiments so far, by experiment key."""
        return {key: result for key, (_, result) in list(self._answers.items())}

    def deferred_exposures(self) -> list[dict[str, Any]]:
        """Return the exposures so far for a browser's SDK, as JSON values (section 17.3)."""
        waiting = () if self._whole is None else self._whole.waiting
        enrolled = list(self._shown.values())
        for key, answer in list(self._answers.items()):
            if answer[1].hash_used and key not in waiting and answer not in enrolled:
                enrolled.append(answer)
        attributes, page = dict(self._context), self._context.page()
        return [
            exposure_json(plan.definition, result, attributes, page) for plan, result in enrolled
        ]

    def cookies(self) -> list[SetCookie]:
        """Return the cookies that the response must set. For adapters."""
        found = [self._context.set_cookie()]
        facts = self._context.facts
        if self._whole is not None and self._whole.buckets is not None and facts is not None:
            found.append(self._whole.buckets.set_cookie(facts.is_secure()))
        return [cookie for cookie in found if cookie is not None]

    def _run(self, experiment: Experiment[Any] | str, key: str) -> Result[Any]:
        """Run an experiment that was asked for before, or takes a longer way."""
        answer = self._answers.get(key)
        if answer is None:
            plan = self._plan(experiment, key)
            if plan is None:
                return unknown_result()
            if self._is_short(plan, experiment):
                return self.run(experiment)
            self._peeked(plan, key)
            answer = self._answers[key]
        if self._whole is not None and (effects := self._whole.waiting.pop(key, None)) is not None:
            self._use(effects)
        return self._again(experiment, answer)

    def _take_up(self, plan: Plan, result: Result[Any]) -> None:
        """Do what a decision asks for."""
        if self._unlinked:
            self._link()
        if result.hash_used:
            shown = self._shown.get(plan.key)
            if shown is None or not _same(shown[1], result):
                self._expose(plan, result)
        elif result.reason is Reason.NO_UNIT:
            self._context.warn_no_unit(plan.key, plan.hash_attribute)

    def _is_short(self, plan: Plan, experiment: Experiment[Any] | str) -> bool:
        """Tell whether nothing but the definition decides, and remember it."""
        snapshot = self._pin()
        if not plan.is_short or snapshot.options is not None or self._services.stickiness:
            return False
        if len(snapshot.short) >= _MAX_SHORT:
            return False
        snapshot.short[plan.key if isinstance(experiment, str) else plan] = plan
        # Where features were asked, an exposure may have been recorded with them.
        return self._whole is None

    def _peeked(self, plan: Plan, key: str) -> Result[Any]:
        """Decide an experiment that was not asked for before, the whole way; use nothing."""
        asking = self._asking()
        try:
            result, effects = asking.ask(partial(run, plan), self._features)
        except ConfigurationError:  # in strict mode: the store must be awaited
            raise
        except Exception as error:  # noqa: BLE001  # attributes may be objects of any type
            result, effects = self._failed(plan, error), Effects()
        return self._answer(asking, key, (plan, result), effects)

    def _answer(
        self, asking: Asking, key: str, answer: tuple[Plan, Result[Any]], effects: Effects
    ) -> Result[Any]:
        """Keep an answer, with what it brings about once it is used."""
        first = self._answers.setdefault(key, answer)
        if first is answer:  # else another thread was quicker
            asking.waiting[key] = effects
        if self._unlinked:
            self._link()
        plan, result = first
        if result.reason is Reason.NO_UNIT:
            self._context.warn_no_unit(key, plan.hash_attribute)
        return result

    def _use(self, effects: Effects) -> None:
        """Bring about what an answer brings about."""
        for enrolment in effects.enrolled:
            if self._is_first(*enrolment):
                self._expose(*enrolment)
        self._asking().save(effects)
        for key, result in effects.features.items():
            if self._features.setdefault(key, result) is result:
                self._told(result)

    def _is_first(self, plan: Plan, result: Result[Any]) -> bool:
        """Tell whether an enrolment is to be exposed, and note that it is (17.2)."""
        answer = self._answers.get(plan.key)
        is_waiting = self._whole is not None and plan.key in self._whole.waiting
        is_other = answer is not None and answer[1] is not result and not is_waiting
        if is_other and answer is not None and answer[1].hash_used and _same(answer[1], result):
            return False
        mine = (plan, result)
        first = self._shown.setdefault(plan.key, mine)
        if first is mine:
            return True
        if _same(first[1], result):
            return False
        return self._shown.setdefault(_identity(plan, result), mine) is mine

    def _feature(self, feature: Feature[Any] | str, key: str) -> FeatureResult[Any]:
        """Evaluate a feature that was not asked for before, the whole way."""
        if not self._is_private:
            self._depend()
        snapshot = self._pin()
        asking = self._asking()
        try:
            result, effects = asking.ask(_question(feature, key), self._features)
        except ConfigurationError:  # in strict mode: the store must be awaited
            raise
        except Exception as error:  # noqa: BLE001  # attributes may be objects of any type
            return self._feature_failed(key, error)
        self._use(effects)
        if isinstance(feature, str) and key in snapshot.features:
            self._remember(key, snapshot)
        return self._known(feature, result)

    def _remember(self, key: str, snapshot: Snapshot) -> None:
        """Remember that nothing but the definition decides a feature, where that is so."""
        short = snapshot.features[key].short
        if short is None or snapshot.options is not None or self._services.stickiness is not None:
            return
        if len(snapshot.short_features) < _MAX_SHORT:
            snapshot.short_features[key] = short

    def _told(self, result: FeatureResult[Any]) -> None:
        """Report that a feature was evaluated (17.5)."""
        if self._unlinked:
            self._link()
        tell = self._services.on_feature_usage
        if tell is None or result.source is FeatureSource.OVERRIDE:
            return
        try:
            tell(result, dict(self._context))
        except Exception as error:  # noqa: BLE001  # a team's function must not break a page
            notices.warn("feature usage", "on_feature_usage raised %r", error, error=error)

    def _plan(self, experiment: Experiment[Any] | str, key: str) -> Plan | None:
        """Return the plan of what a view asks for; None where nothing knows it."""
        snapshot, catalogue = self._snapshot or self._pin(), self._services.catalogue
        if isinstance(experiment, Experiment):
            plan = experiment.plan
            if plan not in catalogue.settled:
                catalogue.adopt(plan, snapshot)
        else:
            try:
                plan = snapshot.plans[key]
            except KeyError:
                catalogue.unknown_experiment(experiment, snapshot)
                return None
        if not self._is_private:
            self._depend()
        return plan

    def _again(
        self, experiment: Experiment[Any] | str, answer: tuple[Plan, Result[Any]]
    ) -> Result[Any]:
        """Return an answer that was given before.

        Raises:
            DefinitionError: in strict mode, to an experiment of the same key that differs.
        """
        plan, result = answer
        if not isinstance(experiment, Experiment) or experiment.plan is plan:
            return result
        if experiment.plan.config_hash == plan.config_hash:
            return result
        # The values of the other may be of another type; its exposure stays the only one.
        self._services.catalogue.adopt(experiment.plan, self._pin())
        try:
            return self._asking().ask(partial(run, experiment.plan), self._features)[0]
        except Exception as error:  # noqa: BLE001  # attributes may be objects of any type
            return self._failed(experiment.plan, error)

    def _asking(self) -> Asking:
        """Return what goes the whole way, which takes a while to make."""
        if self._whole is None:
            with _making:
                if self._whole is None:
                    self._whole = Asking(self._services, self._context, self._pin())
        return self._whole

    def _failed(self, plan: Plan, error: Exception) -> Result[Any]:
        notices.warn(
            f"evaluation {plan.key}",
            "experiment %r: the control is served, the evaluation raised %r",
            plan.key,
            error,
            error=error,
        )
        return plan.failed()

    def _feature_failed(self, key: str, error: Exception) -> FeatureResult[Any]:
        notices.warn(
            f"evaluation of feature {key}",
            "feature %r: it has no value, the evaluation raised %r",
            key,
            error,
            error=error,
        )
        return FeatureResult(key, None, FeatureSource.ERROR)

    def _known(self, feature: Feature[Any] | str, result: FeatureResult[Any]) -> FeatureResult[Any]:
        """Return the result of a feature, telling of one that nothing knows."""
        if result.source is FeatureSource.UNKNOWN:
            self._services.catalogue.unknown_feature(feature, self._pin())
        return result


def _same(left: Result[Any], right: Result[Any]) -> bool:
    """Tell whether two enrolments in one experiment are the same exposure (17.2)."""
    return (
        left.variation_id == right.variation_id
        and left.hash_attribute == right.hash_attribute
        and id_text(left.hash_value) == id_text(right.hash_value)
    )


def _identity(plan: Plan, result: Result[Any]) -> tuple[str, str, str, int]:
    return plan.key, result.hash_attribute, id_text(result.hash_value), result.variation_id


def _plan_of(experiment: object) -> Plan | None:
    return experiment.plan if isinstance(experiment, Experiment) else None


def _key(asked: Experiment[Any] | Feature[Any] | str) -> str:
    """Return the key of what is asked; what is nothing has one that nothing knows."""
    if isinstance(asked, str):
        return asked
    return asked.key if isinstance(asked, (Experiment, Feature)) else ""


def _question(feature: Feature[Any] | str, key: str) -> Callable[[Scope], FeatureResult[Any]]:
    if isinstance(feature, Feature):
        return lambda scope: scope.feature(key, feature.plan)
    return lambda scope: scope.feature(key)
