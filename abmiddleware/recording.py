"""The recording half of a client: who is asked about, and what is written when."""

from __future__ import annotations

from collections.abc import Mapping
from time import time_ns
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from abmiddleware.context import UserContext, warn_late
from abmiddleware.evaluation.naming import shown_names
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.result import Reason, Result
from abmiddleware.exceptions import RecordError
from abmiddleware.exposures.records import Exposure, Link, Record, frozen, id_text, now_us
from abmiddleware.mistakes import outcome_problem
from abmiddleware.notices import notices
from abmiddleware.overrides import parsed
from abmiddleware.policy import Suppressed
from abmiddleware.recorder import known_ids
from abmiddleware.services import Services
from abmiddleware.snapshot import VISITOR, VISITORS, Snapshot
from abmiddleware.telemetry.spans import Trace

#: Shared by all records that have nothing to tell there.
_NONE: Final[dict[str, Any]] = {}
#: Where `_once` has the pinned snapshot.
SNAPSHOT: Final = 0
#: Where it has the trace.
_TRACE: Final = 1
_COUNTED: Final = Suppressed.NO
_FORCED: Final = Reason.FORCED
#: Outcomes of these are nobody's.
_NOBODYS: Final = (Suppressed.NO_CONSENT, Suppressed.OVERRIDE)
#: Records that wait at most for the end of a response or of `with`.
_MAX_PENDING: Final = 1000


class RecordingClient(msgspec.Struct, eq=False, weakref=True):
    """Takes note of who somebody is and of what happens, and writes it at the right time.

    It is a Struct since one is made for every request, and that takes a third of the time.
    """

    _services: Services
    _context: UserContext
    #: Whether the response depends on who asks; a script has none, so nothing is left to do.
    _is_private: bool
    #: Whether records wait for the response to start, or for the end of `with`.
    _deferred: bool
    #: Pinned by the first question.
    _snapshot: Snapshot | None = None
    #: The records that wait; None until they do.
    _pending: list[Record] | None = None
    #: Where OpenTelemetry shows variations; None until it is told of one, unless a span was there.
    _trace: Trace | None = None
    #: What is made once for all threads: the snapshot, and what `deciding.py` says.
    _once: dict[object, Any] = {}  # msgspec copies it
    #: The users whose link to the visitor is recorded, and waits for a visitor id.
    _linked: str = ""
    _unlinked: str = ""

    def track(self, event: str, /, value: float | None = None, **properties: object) -> None:
        """Record an outcome, such as `track("purchase", 42.0, currency="EUR")`.

        It carries the ids of all units that experiments randomise by, and so counts for each
        experiment that they are in. A visitor without an id gets one.

        Raises:
            RecordError: in strict mode, the event has no name, the value is no number, or there
                is no unit that it could count for.
        """
        problem = outcome_problem(event, value)
        if not problem and self._context.suppressed in _NOBODYS:
            self._services.recorder.suppress(self._context.suppressed)
            return
        unit_ids = {} if problem else self._unit_ids()
        if not problem and not unit_ids and (reason := self._context.suppressed):
            self._services.recorder.suppress(reason)
            return
        if not problem and not unit_ids:
            problem = f"outcome {event!r}: has no unit, must have one, as of engine.client(id=...)"
        recorder = self._services.recorder
        if problem:
            mistakes = self._services.catalogue.mistakes
            mistakes.report(f"outcome {problem}", lambda: RecordError(problem))
            recorder.lose("outcome invalid", 1, RecordError(problem))
            return
        self._record(recorder.outcome(event, value, unit_ids, properties))

    def ensure_identity(self) -> None:
        """See that the visitor has an id, so that a streaming body may run experiments.

        Call it before the response starts: later, no cookie and no header can be set any more.
        """
        self._depend()
        _ = self._context["id"]
        self._link()

    def flush(self) -> None:
        """Write the records that wait, in one write."""
        pending, batch = self._pending, []
        try:
            while pending:
                batch.append(pending.pop(0))
        except IndexError:  # another thread took it
            pass
        if batch:
            self._services.recorder.write(batch)

    def write_at_once(self) -> None:
        """Write each record when it is made, as no response will start. For adapters."""
        self._deferred = False

    def response_starts(self) -> bool:
        """Write the records that wait; from now on each is written at once. For adapters.

        Returns:
            Whether the response depends on who asks, so that `web.finish` must see its headers.
        """
        self._deferred = False
        if self._context.asked is not None and self._context.override_cookie() is not None:
            self._depend()
        self._context.is_late = True
        if self._pending:
            self.flush()
        if self._trace is not None and (signals := self._services.signals) is not None:
            signals.response_starts(self._trace)
        return self.depends_on_visitor

    @property
    def depends_on_visitor(self) -> bool:
        """Whether the answer depends on who asks, so that no cache may keep it for others."""
        return self._is_private or self._context.is_visitor_used

    def is_of(self, services: Services) -> bool:
        """Tell whether it is a client of the engine that has these services. For the engine."""
        return self._services is services

    def __enter__(self) -> Self:
        if self._pending is None:
            self._pending = []
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

    def _pin(self) -> Snapshot:
        """Pin the configuration, at the first question."""
        snapshot = self._snapshot
        if snapshot is None:
            pinned = self._services.catalogue.configuration.pin()
            asked, has_consent = self._context.asked, self._context.has_consent
            if asked is not None and asked.override.values:
                pinned = pinned.overridden(asked.override.values, parsed, alone=not has_consent)
            elif not has_consent:
                pinned = pinned.switched_off()
            elif inherited := self._context.inherited():
                pinned = pinned.overridden(inherited)
            snapshot = self._snapshot = self._once.setdefault(SNAPSHOT, pinned)
        return snapshot

    def _depend(self) -> None:
        """Note that the response depends on who asks."""
        self._is_private = True
        facts = self._context.facts
        if facts is not None:
            facts.keep_private()
            if self._context.is_late:
                warn_late()

    def _expose(self, plan: Plan, result: Result[Any]) -> None:
        """Record an enrolment that takes effect now."""
        services, context = self._services, self._context
        if context.suppressed is not _COUNTED:
            self._unexposed(plan, result)
            return
        recorder, signals = services.recorder, services.signals
        trace_id = None
        if signals is not None and (self._trace or signals.is_heard()):
            trace_id = signals.exposed(self._traced(), plan, result)
        unit, unit_type, names = (
            result.hash_value,
            result.hash_attribute,
            recorder.record_attributes,
        )
        # Where experiments randomise by visitors only, all but `user_id` is no id.
        ids = self._ids()
        is_alone = ids is VISITORS and unit_type == VISITOR and "user_id" not in context
        record = Exposure(
            time_ns() // 1000,
            plan.key,
            plan.phase,
            result.key,
            result.variation_id,
            unit_type,
            unit if type(unit) is str else id_text(unit),
            _NONE if is_alone else known_ids(context, ids, unit_type),
            {name: frozen(context[name]) for name in names} if names else _NONE,
            plan.config_hash,
            recorder.service,
            "exposed",
            result.reason is _FORCED,
            result.feature_id,
            trace_id,
        )
        if recorder.listeners:
            recorder.tell(record, context.facts)
        if self._deferred:
            self._record(record)
            return
        try:
            recorder.sink.write((record,))
        except Exception as error:  # noqa: BLE001  # whatever a sink does, the page is served
            recorder.lose("sink failed", 1, error)

    def _unexposed(self, plan: Plan, result: Result[Any]) -> None:
        """Take note of a unit that was asked about, and is not counted."""
        if result.reason is Reason.FORCED:
            if not result.in_experiment:
                _tell_unknown(plan)
            elif self._services.recorder.is_rehearsal and not self._context.suppressed:
                self._expose(plan, self._with_unit(plan, result))
                return
            self._suppress(plan, "forced")
        elif result.hash_used or _is_nobodys(result, self._context):
            self._suppress(plan, self._context.suppressed)
        signals = self._services.signals
        if signals is not None and (self._trace or signals.is_heard()):
            signals.evaluated(self._traced(), plan, result)

    def _suppress(self, plan: Plan, reason: str) -> None:
        """Count an exposure that is not recorded on purpose."""
        recorder = self._services.recorder
        recorder.suppress(reason)
        for count in recorder.suppressions.add(plan.key, plan.phase, reason):
            self._record(count)

    def _with_unit(self, plan: Plan, result: Result[Any]) -> Result[Any]:
        """Return a result that no hash decided with the unit that one would have had."""
        attribute = plan.hash_attribute
        unit = self._context[attribute]
        return msgspec.structs.replace(
            result, hash_attribute=attribute, hash_value="" if unit is None else unit
        )

    def _traced(self) -> Trace:
        """Return where OpenTelemetry shows variations, one for all threads."""
        trace = self._trace
        if trace is None:
            trace = self._trace = self._once.setdefault(_TRACE, Trace())
        return trace

    def _record(self, record: Record) -> None:
        pending = self._pending
        if pending is None:
            self._services.recorder.write((record,))
            return
        pending.append(record)
        if not self._deferred or len(pending) >= _MAX_PENDING:
            self.flush()

    def _identify(self, attributes: Mapping[str, object]) -> None:
        """Set attributes, and note a login."""
        self._context.identify(attributes)
        user = id_text(self._context["user_id"]) if "user_id" in attributes else ""
        if user and user != self._linked:
            self._linked = self._unlinked = user
            self._link()

    def _link(self) -> None:
        """Record that the user and the visitor are one person, once the visitor has an id."""
        user, visitor = self._unlinked, id_text(self._context.known("id"))
        if user and visitor and self._context.has_consent:
            self._unlinked = ""
            service = self._services.recorder.service
            self._record(Link(now_us(), "id", visitor, "user_id", user, "identify", service))

    def _ids(self) -> tuple[str, ...]:
        """Return the attributes that may identify somebody: of all units, and `user_id`."""
        snapshot, adopted = self._snapshot or self._pin(), self._services.catalogue.adopted_units
        return (*snapshot.ids, *adopted) if adopted else snapshot.ids

    def _unit_ids(self) -> dict[str, str]:
        """Return the ids of all units, computing and issuing what is not known yet."""
        for name in (*self._pin().units, *self._services.catalogue.adopted_units):
            _ = self._context[name]
        if self._unlinked:
            self._link()
        return known_ids(self._context, self._ids())


def _is_nobodys(result: Result[Any], context: UserContext) -> bool:
    """Tell whether only a bot, or who is excluded, has no unit: they get no visitor id."""
    return result.reason is Reason.NO_UNIT and context.suppressed is Suppressed.EXCLUDED


def _tell_unknown(plan: Plan) -> None:
    """Tell of a variation that was asked for and is not there."""
    notices.warn(
        f"forced {plan.key}",
        "experiment %r serves its control: it has no such variation as it is forced into, only %s",
        plan.key,
        shown_names(plan.parts.arms),
    )
