"""The process-long object: the configuration, who visitors are, and where records go."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from abmiddleware.client import ExperimentClient
from abmiddleware.context import RequestFacts, Resolver, UserContext
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.plan import EvaluationOptions, Plan
from abmiddleware.evaluation.result import Result, unknown_result
from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError, DefinitionError, UnknownExperimentError
from abmiddleware.exposures.journal import Journal
from abmiddleware.exposures.records import Record
from abmiddleware.exposures.sinks import Sink
from abmiddleware.identity import VisitorCookie
from abmiddleware.notices import notices
from abmiddleware.snapshot import Snapshot

#: Where the journal lies unless the engine or this environment variable says otherwise.
JOURNAL_VARIABLE: Final = "ABMIDDLEWARE_JOURNAL"
DEFAULT_JOURNAL: Final = "abmiddleware.jsonl"

#: Experiments used without being registered that the engine remembers.
_MAX_ADOPTED: Final = 10_000


class Engine:
    """Holds what all requests share; make one when the application starts.

        engine = Engine([CHECKOUT, PRICE], journal="var/experiments.jsonl", service="shop")

    Args:
        experiments: those that views may name by key. An `Experiment` object may be run without.
        journal: the file that records are appended to; by default the environment variable
            `ABMIDDLEWARE_JOURNAL`, or `abmiddleware.jsonl` in the working directory.
        sink: takes the records in the journal's place.
        cookie: how the visitor cookie is set.
        attributes: functions that compute an attribute from the framework's request, each called
            at most once a request and only when an experiment reads the attribute.
        record_attributes: the attributes written with each exposure, none by default.
        service: the name of this service in the records.
        strict: whether a view's mistake, such as an unknown key, raises. By default in debug
            mode and under pytest; elsewhere it is logged and the visitor gets the control.
        enabled: false serves the control of every experiment and records nothing.
        qa_mode: serves only forced variations.
        forced_variations: index of a variation by experiment key, for everybody; not recorded.

    Raises:
        ConfigurationError: an argument is wrong.
        DefinitionError: two experiments have the same key.
    """

    def __init__(
        self,
        experiments: Iterable[Experiment[Any]] = (),
        *,
        journal: str | os.PathLike[str] | None = None,
        sink: Sink | None = None,
        cookie: VisitorCookie | None = None,
        attributes: Mapping[str, Resolver] | None = None,
        record_attributes: Sequence[str] = (),
        service: str = "",
        strict: bool | None = None,
        enabled: bool = True,
        qa_mode: bool = False,
        forced_variations: Mapping[str, int] | None = None,
    ) -> None:
        options = EvaluationOptions(enabled, qa_mode, dict(forced_variations or {}))
        self.snapshot = Snapshot.of(experiments, options)
        self.sink = _sink(journal, sink)
        self.cookie = cookie if cookie is not None else VisitorCookie()
        self.attributes = _resolvers(attributes or {})
        self.record_attributes = tuple(record_attributes)
        self.service = service
        self.strict = strict if strict is not None else "PYTEST_VERSION" in os.environ
        self._strict_is_given = strict is not None
        #: Records that never reached the sink, by reason.
        self.lost: Counter[str] = Counter()
        self._adopted: dict[str, Plan] = {}

    def client(self, **attributes: object) -> ExperimentClient:
        """Return a client outside of any web request, for scripts, workers and inference.

            with engine.client(id=customer_id, country="NL") as experiments:
                model = experiments.run("ranking-model").value

        Within `with`, records are written at its end; without, each at once. Without an `id`
        nobody is in an experiment that randomises by it.
        """
        context = UserContext(self.attributes, None, self.cookie.name)
        context.identify(attributes)
        return ExperimentClient(self, context)

    def request_client(self, facts: RequestFacts) -> ExperimentClient:
        """Return the client of one web request; for adapters."""
        return ExperimentClient(
            self, UserContext(self.attributes, facts, self.cookie.name), deferred=True
        )

    def in_debug(self, debug: bool) -> None:
        """Take over the framework's debug mode where `strict` was not given; for adapters."""
        if debug and not self._strict_is_given:
            self.strict = True

    def adopt(self, experiment: object, known: Plan | None) -> Plan | None:
        """Return the plan of an experiment object; None for what is none.

        Args:
            experiment: what a view asked for.
            known: the plan that the configuration has for its key.

        Raises:
            DefinitionError: in strict mode, another experiment in use has the same key.
        """
        if not isinstance(experiment, Experiment):
            return None
        plan = experiment.plan
        if plan is known:
            return plan
        known = known or self._adopted.get(plan.key)
        if known is None and len(self._adopted) < _MAX_ADOPTED:
            known = self._adopted.setdefault(plan.key, plan)
        if known is not None and known.config_hash != plan.config_hash:
            self._refuse_twin(plan.key)
        return plan

    def _refuse_twin(self, key: str) -> None:
        problem = "is the key of two different experiments in use, must be its own"
        if self.strict:
            raise DefinitionError(key, problem)
        notices.warn(f"twin {key}", "%s: %s", key, problem)

    def unknown(self, key: object, snapshot: Snapshot) -> Result[Any]:
        """Return the result of a key that nothing knows.

        Raises:
            UnknownExperimentError: in strict mode.
        """
        name = key if isinstance(key, str) else shown(key)
        error = UnknownExperimentError(name, get_close_matches(name, snapshot.plans, n=3))
        if self.strict:
            raise error
        notices.warn_once(f"unknown {name}", "%s", error)
        return unknown_result()

    def record(self, records: Sequence[Record]) -> None:
        """Hand records to the sink; never raises."""
        try:
            self.sink.write(records)
        except Exception as error:  # noqa: BLE001  # whatever a sink does, the page is served
            self.lose("sink failed", len(records), error)

    def lose(self, reason: str, count: int = 1, error: Exception | None = None) -> None:
        """Count records that are lost before they reach the sink, and say so in the log."""
        self.lost[reason] += count
        notices.warn(
            f"lost {reason}",
            "%d records lost (%s, %d in all): %r",
            count,
            reason,
            self.lost[reason],
            error,
            error=error,
        )


def _sink(journal: str | os.PathLike[str] | None, sink: Sink | None) -> Sink:
    if sink is None:
        return Journal(journal or os.environ.get(JOURNAL_VARIABLE) or DEFAULT_JOURNAL)
    if journal is not None:
        raise ConfigurationError("journal: is given beside sink, must be one of the two")
    if not isinstance(sink, Sink):
        raise ConfigurationError(
            f"sink: is {sink!r}, must have a method write(records), as Journal(path) has"
        )
    return sink


def _resolvers(attributes: Mapping[str, Callable[[Any], object]]) -> dict[str, Resolver]:
    for name, resolver in attributes.items():
        if not callable(resolver):
            raise ConfigurationError(
                f"attributes[{name!r}]: is {resolver!r}, must be a function of the request"
            )
    return dict(attributes)
