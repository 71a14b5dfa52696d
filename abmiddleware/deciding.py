"""The deciding half of a client: each experiment decided and exposed once."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, TypeVar, overload

from abmiddleware.asking import Asking, Effects
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.features import Feature
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.result import (
    FeatureResult,
    FeatureSource,
    Reason,
    Result,
    unknown_result,
)
from abmiddleware.evaluation.running import run
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.exposures.records import id_text
from abmiddleware.notices import notices
from abmiddleware.recording import RecordingClient

T = TypeVar("T")

#: Experiments that a snapshot remembers to be decided the short way.
_MAX_SHORT: Final = 20_000

_NO_UNIT: Final = Reason.NO_UNIT

#: Where `_features` keeps the client's `Asking`, so that of many threads one makes it.
_ASKING: Final = None


class DecidingClient(RecordingClient, eq=False, weakref=True):
    """Decides experiments, the short way or the whole one."""

    #: The plan that decided, and its result, by experiment key.
    _answers: dict[str, tuple[Plan, Result[Any]]] = {}  # noqa: RUF012  # msgspec copies it
    #: What features brought: their results, by key, and the enrolments that they and prerequisites
    #: exposed, each by a tuple of the experiment's key, and of all that tells apart further ones of
    #: the same experiment (17.2). One dictionary, since one is made for every request.
    _features: dict[object, Any] = {}  # noqa: RUF012
    #: What goes the whole way; None while the short one does.
    _whole: Asking | None = None

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
            asked, key = _plan_of(experiment), key_of(experiment)
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
        if result.hash_used:
            if not self._features or self._is_first(plan, result):
                self._expose(plan, result)
        elif result.reason is _NO_UNIT:
            self._context.warn_no_unit(key, plan.hash_attribute)
        if self._unlinked:
            self._link()
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
        key = key_of(experiment)
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
        key = key_of(experiment)
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
            if key not in self._features and self._features.setdefault(key, result) is result:
                self._told(result)

    def _is_first(self, plan: Plan, result: Result[Any]) -> bool:
        """Tell whether an enrolment is to be exposed, and note that it is (17.2)."""
        answer = self._answers.get(plan.key)
        if answer is not None and answer[1] is not result and answer[1].hash_used:
            is_waiting = self._whole is not None and plan.key in self._whole.waiting
            if not is_waiting and same(answer[1], result):
                return False
        mine = (plan, result)
        first = self._features.setdefault((plan.key,), mine)
        if first is mine:
            return True
        if same(first[1], result):
            return False
        return self._features.setdefault(identity(plan, result), mine) is mine

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
        whole = self._whole
        if whole is None:
            made = Asking(self._services, self._context, self._pin())
            whole = self._whole = self._features.setdefault(_ASKING, made)
        return whole

    def _failed(self, plan: Plan, error: Exception) -> Result[Any]:
        notices.warn(
            f"evaluation {plan.key}",
            "experiment %r: the control is served, the evaluation raised %r",
            plan.key,
            error,
            error=error,
        )
        return plan.failed()


def same(left: Result[Any], right: Result[Any]) -> bool:
    """Tell whether two enrolments in one experiment are the same exposure (17.2)."""
    return (
        left.variation_id == right.variation_id
        and left.hash_attribute == right.hash_attribute
        and id_text(left.hash_value) == id_text(right.hash_value)
    )


def identity(plan: Plan, result: Result[Any]) -> tuple[str, str, str, int]:
    """Return what tells an enrolment from all others of a client (17.2)."""
    return plan.key, result.hash_attribute, id_text(result.hash_value), result.variation_id


def _plan_of(experiment: object) -> Plan | None:
    return experiment.plan if isinstance(experiment, Experiment) else None


def key_of(asked: Experiment[Any] | Feature[Any] | str) -> str:
    """Return the key of what is asked; what is nothing has one that nothing knows."""
    if isinstance(asked, str):
        return asked
    return asked.key if isinstance(asked, (Experiment, Feature)) else ""
