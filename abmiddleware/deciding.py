"""The deciding half of a client: each experiment decided and exposed once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Self, TypeVar, overload

import msgspec

from abmiddleware.asking import Asking, Effects
from abmiddleware.context import PastContext
from abmiddleware.evaluation.arms import Arm
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
from abmiddleware.exceptions import ConfigurationError, MustBeAwaitedError
from abmiddleware.exposures.records import id_text
from abmiddleware.notices import notices
from abmiddleware.recording import RecordingClient

T = TypeVar("T")

#: Experiments that a snapshot remembers to be decided the short way.
_MAX_SHORT: Final = 20_000

_NO_UNIT: Final = Reason.NO_UNIT

#: Where `_once` has the client's `Asking`.
_ASKING: Final = None

#: The plan that decided, its result, and what waits for the answer to be used: at most one, which
#: of many threads one takes.
_Answer = tuple[Plan, Result[Any], list[Effects]]

#: Shared by the answers that are used at once.
_USED: Final[list[Effects]] = []


class DecidingClient(RecordingClient, eq=False, weakref=True):
    """Decides experiments, the short way or the whole one.

    `_once` has the results of features by their key, and the enrolments that they and prerequisites
    exposed: each by a tuple of the experiment's key, and further ones of the same experiment by all
    that tells them apart (17.2).
    """

    #: By experiment key.
    _answers: dict[str, _Answer] = {}  # noqa: RUF012  # msgspec copies it
    #: What goes the whole way; None while the short one does.
    _whole: Asking | None = None
    #: Whether a feature or a prerequisite exposed an experiment.
    _has_shown: bool = False

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
        else:  # also of a class of strings, such as Django's for safe HTML
            key = key_of(experiment)
            asked = experiment if isinstance(experiment, str) else _plan_of(experiment)
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
        answer = (plan, result, _USED)
        first = self._answers.setdefault(key, answer)
        if first is not answer:  # another thread was quicker, and exposes it
            return first[1]
        if result.hash_used:
            if not self._has_shown or self._is_first(plan, result):
                self._expose(plan, result)
        else:
            if result.reason is _NO_UNIT:
                self._context.warn_no_unit(key, plan.hash_attribute)
            self._unexposed(plan, result)
        if self._unlinked:
            self._link()
        return result

    @overload
    async def arun(self, experiment: Experiment[T]) -> Result[T]: ...
    @overload
    async def arun(self, experiment: str) -> Result[Any]: ...
    async def arun(self, experiment: Experiment[Any] | str) -> Result[Any]:
        """Do as `run`, awaiting the sticky store, and who is logged in if that matters.

        Raises:
            UnknownExperimentError: in strict mode, no configuration knows the key.
        """
        key = key_of(experiment)
        if key in self._answers or not self._must_await():
            return self.run(experiment)
        plan = self._plan(experiment, key)
        if plan is None:
            return unknown_result()
        asking = self._asking()
        try:
            result, effects = await asking.aask(partial(run, plan), self._once)
            await asking.asave(effects)
            await self._load_recorded()
        except Exception as error:  # noqa: BLE001  # attributes may be objects of any type
            result, effects = self._failed(plan, error), Effects()
        self._answer(key, plan, result, effects)
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

    def arms(self, experiment: Experiment[Any] | str) -> tuple[Arm, ...]:
        """Return the variations that an experiment has, none if nothing knows it. For adapters.

        Raises:
            UnknownExperimentError: in strict mode, no configuration knows the key.
        """
        plan = self._plan(experiment, key_of(experiment))
        return () if plan is None else plan.parts.arms

    def report(self, subject: str, problem: str) -> None:
        """Log what is wrong with a handler, once for its subject. For adapters.

        Raises:
            ConfigurationError: in strict mode, instead.
        """
        mistakes = self._services.catalogue.mistakes
        mistakes.report(subject, lambda: ConfigurationError(problem))

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
        self._use_once(answer)
        return self._again(experiment, answer)

    def _enrol(self, plan: Plan) -> Result[Any]:
        """Run an experiment that no view names, unless it was asked for before."""
        if plan.key not in self._answers:
            self._peeked(plan, plan.key)
        answer = self._answers[plan.key]
        if answer[0] is plan or answer[0].config_hash == plan.config_hash:
            self._use_once(answer)
            return answer[1]
        result, effects = self._asking().ask(partial(run, plan), self._once)
        self._use(effects)
        return result

    def _use_once(self, answer: _Answer) -> None:
        """Bring about what an answer brings about, unless it was used."""
        while answer[2]:
            try:
                self._use(answer[2].pop())
            except IndexError:  # another thread took it
                return
            if not answer[1].hash_used:
                self._unexposed(answer[0], answer[1])

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
            result, effects = asking.ask(partial(run, plan), self._once)
        except ConfigurationError:  # in strict mode: the store must be awaited
            raise
        except Exception as error:  # noqa: BLE001  # attributes may be objects of any type
            result, effects = self._failed(plan, error), Effects()
        return self._answer(key, plan, result, effects)

    def _answer(self, key: str, plan: Plan, result: Result[Any], effects: Effects) -> Result[Any]:
        """Keep an answer, with what it brings about once it is used."""
        # The first of several threads wins; the others see its answer.
        plan, result, _ = self._answers.setdefault(key, (plan, result, [effects]))
        if self._unlinked:
            self._link()
        if result.reason is Reason.NO_UNIT:
            self._context.warn_no_unit(key, plan.hash_attribute)
        return result

    def _use(self, effects: Effects) -> None:
        """Bring about what an answer brings about."""
        then = self._then(effects) if effects.changed else self
        for enrolment in effects.enrolled:
            if self._is_first(*enrolment):
                then._expose(*enrolment)
        self._asking().save(effects)
        for key, result in effects.features.items():
            if key not in self._once and self._once.setdefault(key, result) is result:
                self._told(result)

    def _then(self, effects: Effects) -> Self:
        """Return the client with the attributes that an answer was given for, to record it."""
        return msgspec.structs.replace(self, _context=PastContext(effects.changed, self._context))

    def _keep_recorded(self, attributes: Mapping[str, object]) -> None:
        """Keep the recorded attributes that change for the answers that wait to be used."""
        names = self._services.recorder.record_attributes
        changing = [name for name in names if name in attributes]
        waiting = [effects for *_, waits in list(self._answers.values()) for effects in waits]
        if changing and waiting:
            before = {name: self._context[name] for name in changing}
            for effects in waiting:
                effects.changed = before | effects.changed

    def _is_first(self, plan: Plan, result: Result[Any]) -> bool:
        """Tell whether an enrolment is to be exposed, and note that it is (17.2)."""
        self._has_shown = True  # first, so that a run meanwhile looks here
        if _was_used(self._answers.get(plan.key), result):
            return False
        mine = (plan, result)
        first = self._once.setdefault((plan.key,), mine)
        if first is mine:
            return True
        if same(first[1], result):
            return False
        return self._once.setdefault(identity(plan, result), mine) is mine

    def _told(self, result: FeatureResult[Any]) -> None:
        """Report that a feature was evaluated (17.5)."""
        if self._unlinked:
            self._link()
        self._signal(result)
        tell = self._services.on_feature_usage
        if tell is None or result.source is FeatureSource.OVERRIDE:
            return
        try:
            tell(result, dict(self._context))
        except Exception as error:  # noqa: BLE001  # a team's function must not break a page
            notices.warn("feature usage", "on_feature_usage raised %r", error, error=error)

    def _signal(self, result: FeatureResult[Any]) -> None:
        """Tell OpenTelemetry of a feature."""
        signals = self._services.signals
        if signals is not None and (self._trace or signals.is_heard()):
            signals.feature_evaluated(self._traced(), result)

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

    def _again(self, experiment: Experiment[Any] | str, answer: _Answer) -> Result[Any]:
        """Return an answer that was given before.

        Raises:
            DefinitionError: in strict mode, to an experiment of the same key that differs.
        """
        plan, result, _ = answer
        if not isinstance(experiment, Experiment) or experiment.plan is plan:
            return result
        if experiment.plan.config_hash == plan.config_hash:
            return result
        # The values of the other may be of another type; its exposure stays the only one.
        self._services.catalogue.adopt(experiment.plan, self._pin())
        try:
            return self._asking().ask(partial(run, experiment.plan), self._once)[0]
        except Exception as error:  # noqa: BLE001  # attributes may be objects of any type
            return self._failed(experiment.plan, error)

    def _asking(self) -> Asking:
        """Return what goes the whole way, which takes a while to make."""
        whole = self._whole
        if whole is None:
            made = Asking(self._services, self._context, self._pin())
            whole = self._whole = self._once.setdefault(_ASKING, made)
        return whole

    async def _load_recorded(self) -> None:
        """Find out who is logged in where exposures tell of it."""
        is_recorded = "user_id" in self._services.recorder.record_attributes
        if is_recorded and self._context.must_await_user():
            await self._context.load_user()

    def _must_await(self) -> bool:
        """Tell whether something may have to be awaited for an answer."""
        return self._services.stickiness is not None or self._context.must_await_user()

    def _failed(self, plan: Plan, error: Exception) -> Result[Any]:
        if isinstance(error, MustBeAwaitedError):  # in strict mode
            raise error
        notices.warn(
            f"evaluation {plan.key}",
            "experiment %r: the control is served, the evaluation raised %r",
            plan.key,
            error,
            error=error,
        )
        return plan.failed()


def _was_used(answer: _Answer | None, result: Result[Any]) -> bool:
    """Tell whether another answer for an experiment's key was used, for the same enrolment."""
    if answer is None or answer[1] is result or answer[2]:
        return False
    return answer[1].hash_used and same(answer[1], result)


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
