"""The request-long object: what a view asks, each experiment decided and exposed once."""

from __future__ import annotations

from collections.abc import Mapping
from time import time_ns
from types import TracebackType
from typing import Any, Final, Self, TypeVar, overload

import msgspec

from abmiddleware.catalogue import Catalogue
from abmiddleware.context import UserContext, warn_late
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.plan import Plan, evaluate
from abmiddleware.evaluation.result import Reason, Result
from abmiddleware.exceptions import RecordError
from abmiddleware.exposures.records import (
    Exposure,
    Link,
    Outcome,
    Record,
    frozen,
    id_text,
    now_us,
    unique_id,
)
from abmiddleware.identity import SetCookie
from abmiddleware.mistakes import outcome_problem
from abmiddleware.notices import notices
from abmiddleware.recorder import Recorder

T = TypeVar("T")
D = TypeVar("D")

#: Records that wait at most for the end of a response or of `with`.
_MAX_PENDING: Final = 1000


class _Answer(msgspec.Struct, frozen=True, eq=False):
    #: None where no configuration knows the key.
    plan: Plan | None
    result: Result[Any]
    #: Holds one token until the exposure takes it: of many threads, one gets it.
    to_expose: list[None]


class ExperimentClient:
    """Runs experiments for one visitor or user: `request.experiments`, or `engine.client(...)`.

    Every experiment is decided once and keeps its answer for the client's life, and is exposed
    once, whatever number of threads or tasks ask. Nothing is computed until something is asked.
    """

    __slots__ = (
        "__weakref__",
        "_answers",
        "_catalogue",
        "_context",
        "_deferred",
        "_is_private",
        "_linked",
        "_pending",
        "_recorder",
        "_snapshot",
        "_unlinked",
    )

    def __init__(
        self,
        catalogue: Catalogue,
        recorder: Recorder,
        context: UserContext,
        *,
        deferred: bool = False,
    ) -> None:
        self._catalogue = catalogue
        self._recorder = recorder
        self._snapshot = catalogue.snapshot
        self._context = context
        #: Whether records wait for the response to start, or for the end of `with`.
        self._deferred = deferred
        self._answers: dict[str, _Answer] = {}
        self._pending: list[Record] = []
        #: Whether the response depends on who asks.
        self._is_private = False
        #: The users whose link to the visitor is recorded, and waits for a visitor id.
        self._linked = self._unlinked = ""

    @overload
    def run(self, experiment: Experiment[T]) -> Result[T]: ...
    @overload
    def run(self, experiment: str) -> Result[Any]: ...
    def run(self, experiment: Experiment[Any] | str) -> Result[Any]:
        """Assign the variation and record the exposure; call it where the variation takes effect.

        Raises:
            UnknownExperimentError: in strict mode, no configuration knows the key.
        """
        answer = self._answer(experiment)
        if answer.to_expose:
            self._expose(answer)
        return answer.result

    @overload
    def peek(self, experiment: Experiment[T]) -> Result[T]: ...
    @overload
    def peek(self, experiment: str) -> Result[Any]: ...
    def peek(self, experiment: Experiment[Any] | str) -> Result[Any]:
        """Assign the variation without recording an exposure; `expose` it when it is really shown.

        Raises:
            UnknownExperimentError: in strict mode, no configuration knows the key.
        """
        return self._answer(experiment).result

    def expose(self, experiment: Experiment[Any] | str) -> None:
        """Record the exposure of an experiment that was assigned by `peek`.

        Raises:
            UnknownExperimentError: in strict mode, no configuration knows the key.
        """
        self.run(experiment)

    @overload
    def value(self, experiment: Experiment[T], default: D) -> T | D: ...
    @overload
    def value(self, experiment: str, default: Any) -> Any: ...
    def value(self, experiment: Experiment[Any] | str, default: Any) -> Any:
        """Run an experiment and return its value; outside of it the default.

        Raises:
            UnknownExperimentError: in strict mode, no configuration knows the key.
        """
        result = self.run(experiment)
        return result.value if result.in_experiment else default

    def track(self, event: str, /, value: float | None = None, **properties: object) -> None:
        """Record an outcome, such as `track("purchase", 42.0, currency="EUR")`.

        It carries the ids of all units that experiments randomise by, and so counts for each
        experiment that they are in. A visitor without an id gets one.

        Raises:
            RecordError: in strict mode, the event has no name, the value is no number, or there
                is no unit that it could count for.
        """
        problem = outcome_problem(event, value)
        unit_ids = {} if problem else self._unit_ids()
        if not problem and not unit_ids:
            problem = f"outcome {event!r}: has no unit, must have one, as of engine.client(id=...)"
        if problem:
            self._catalogue.mistakes.report(f"outcome {problem}", lambda: RecordError(problem))
            self._recorder.lose("outcome invalid", 1, RecordError(problem))
            return
        now = now_us()
        self._record(
            Outcome(
                now,
                unique_id(now),
                event,
                None if value is None else float(value),
                unit_ids,
                {name: frozen(item) for name, item in properties.items()},
                self._recorder.service,
            )
        )

    def identify(self, /, **attributes: object) -> None:
        """Say who this is, such as `identify(user_id=user.pk, country="NL")`.

        What is decided already keeps its answer. A `user_id` beside a visitor id is recorded as
        a link of the two, so that an analysis can follow a visitor over a login.
        """
        self._context.identify(attributes)
        user = id_text(self._context["user_id"]) if "user_id" in attributes else ""
        if user and user != self._linked:
            self._linked = self._unlinked = user
            self._link()

    def ensure_identity(self) -> None:
        """See that the visitor has an id, so that a streaming body may run experiments.

        Call it before the response starts: later, no cookie and no header can be set any more.
        """
        self._depend()
        _ = self._context["id"]
        self._link()

    @property
    def assignments(self) -> Mapping[str, Result[Any]]:
        """The results so far, by experiment key."""
        return {key: answer.result for key, answer in list(self._answers.items())}

    def flush(self) -> None:
        """Write the records that wait, in one write."""
        batch = []
        while self._pending:
            try:
                batch.append(self._pending.pop())
            except IndexError:  # another thread took it
                break
        if batch:
            batch.reverse()
            self._recorder.write(batch)

    def response_starts(self) -> bool:
        """Write the records that wait; from now on each is written at once. For adapters.

        Returns:
            Whether the response depends on who asks, so that `web.finish` must see its headers.
        """
        self._deferred = False
        self._context.is_late = True
        if self._pending:
            self.flush()
        return self._is_private or self._context.is_visitor_used

    def is_of(self, catalogue: Catalogue) -> bool:
        """Tell whether it answers from a catalogue. For the engine."""
        return self._catalogue is catalogue

    def cookie(self) -> SetCookie | None:
        """Return the visitor cookie if the response must set it. For adapters."""
        return self._context.set_cookie()

    def __enter__(self) -> Self:
        self._deferred = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._deferred = False
        if self._pending:
            self.flush()

    def _answer(self, experiment: Experiment[Any] | str) -> _Answer:
        key = experiment if isinstance(experiment, str) else _key(experiment)
        answer = self._answers.get(key)
        if answer is None:
            return self._assign(experiment, key)
        if isinstance(experiment, Experiment) and experiment.plan is not answer.plan:
            return self._twin(experiment, answer)
        return answer

    def _assign(self, experiment: Experiment[Any] | str, key: str) -> _Answer:
        snapshot = self._snapshot
        plan = snapshot.plans.get(key)
        if not isinstance(experiment, str):
            plan = self._catalogue.adopt(experiment, plan)
        if plan is None:
            return _Answer(None, self._catalogue.unknown(experiment, snapshot), [])
        if not self._is_private:
            self._depend()
        result = self._decide(plan)
        if self._unlinked:
            self._link()
        if result.reason is Reason.NO_UNIT:
            self._context.warn_no_unit(plan.key, plan.hash_attribute)
        # The first of several threads wins; the others see its answer.
        return self._answers.setdefault(key, _Answer(plan, result, [None]))

    def _twin(self, experiment: Experiment[Any], answer: _Answer) -> _Answer:
        """Answer for an experiment whose key another object has answered already.

        Raises:
            DefinitionError: in strict mode, their definitions differ.
        """
        plan = experiment.plan
        if answer.plan is not None and plan.config_hash == answer.plan.config_hash:
            return answer
        # The values of the other may be of another type; its exposure stays the only one.
        self._catalogue.adopt(experiment, answer.plan)
        return _Answer(plan, self._decide(plan), [])

    def _depend(self) -> None:
        """Note that the response depends on who asks."""
        self._is_private = True
        facts = self._context.facts
        if facts is not None:
            facts.keep_private()
            if self._context.is_late:
                warn_late()

    def _link(self) -> None:
        """Record that the user and the visitor are one person, once the visitor has an id."""
        user, visitor = self._unlinked, id_text(self._context.known("id"))
        if user and visitor:
            self._unlinked = ""
            self._record(
                Link(now_us(), "id", visitor, "user_id", user, "identify", self._recorder.service)
            )

    def _decide(self, plan: Plan) -> Result[Any]:
        options = self._snapshot.options
        try:
            if options is None:
                return plan.decide(self._context)
            return evaluate(plan, self._context, options)
        except Exception as error:  # noqa: BLE001  # attributes may be objects of any type
            notices.warn(
                f"evaluation {plan.key}",
                "experiment %r: the control is served, the evaluation raised %r",
                plan.key,
                error,
                error=error,
            )
            return plan.failed()

    def _expose(self, answer: _Answer) -> None:
        plan, result = answer.plan, answer.result
        try:
            answer.to_expose.pop()
        except IndexError:  # another thread took it
            return
        if plan is None or not result.hash_used:
            return
        recorder, context = self._recorder, self._context
        unit, unit_type = result.hash_value, result.hash_attribute
        names = recorder.record_attributes
        exposure = Exposure(
            time_ns() // 1000,
            plan.key,
            plan.phase,
            result.key,
            result.variation_id,
            unit_type,
            unit if type(unit) is str else id_text(unit),
            # Where nothing but the visitor id was read, there are no other ids.
            {} if unit_type == "id" and len(context) == 1 else self._known_ids(unit_type),
            {name: frozen(context[name]) for name in names} if names else {},
            plan.config_hash,
            recorder.service,
        )
        self._record(exposure)

    def _record(self, record: Record) -> None:
        self._pending.append(record)
        if not self._deferred or len(self._pending) >= _MAX_PENDING:
            self.flush()

    def _known_ids(self, besides: str) -> dict[str, str]:
        """Return the ids that are known already, without computing or issuing any."""
        ids: dict[str, str] = {}
        for name in (*self._snapshot.units, *self._catalogue.adopted_units, "user_id"):
            if name != besides and (text := id_text(self._context.known(name))):
                ids[name] = text
        return ids

    def _unit_ids(self) -> dict[str, str]:
        """Return the ids of all units, computing and issuing what is not known yet."""
        for name in (*self._snapshot.units, *self._catalogue.adopted_units):
            _ = self._context[name]
        if self._unlinked:
            self._link()
        return self._known_ids("")


def _key(experiment: object) -> str:
    """Return the key of an experiment; what is none has one that nothing knows."""
    return experiment.key if isinstance(experiment, Experiment) else ""
