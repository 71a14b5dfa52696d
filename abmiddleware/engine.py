"""The process-long object: the configuration, who visitors are, and where records go."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from abmiddleware.catalogue import Catalogue
from abmiddleware.client import ExperimentClient
from abmiddleware.context import RequestFacts, Resolver, UserContext
from abmiddleware.engine_checks import (
    check_attributes,
    check_cookie,
    check_experiments,
    check_flag,
    check_forced,
    check_journal,
    check_names,
    check_sink,
    check_text,
)
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.plan import EvaluationOptions
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.exposures.journal import Journal
from abmiddleware.exposures.sinks import Sink
from abmiddleware.identity import VisitorCookie
from abmiddleware.mistakes import Mistakes
from abmiddleware.recorder import Recorder
from abmiddleware.snapshot import Snapshot, by_key

#: Where the journal lies unless the engine or this environment variable says otherwise.
JOURNAL_VARIABLE: Final = "ABMIDDLEWARE_JOURNAL"
DEFAULT_JOURNAL: Final = "abmiddleware.jsonl"


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
        known = by_key(check_experiments(experiments))
        options = EvaluationOptions(
            check_flag("enabled", enabled),
            check_flag("qa_mode", qa_mode),
            check_forced({} if forced_variations is None else forced_variations, known),
        )
        mistakes = Mistakes(None if strict is None else check_flag("strict", strict))
        self._catalogue = Catalogue(Snapshot.of(known, options), mistakes)
        self._recorder = Recorder(
            _sink(journal, sink),
            check_text("service", service),
            check_names("record_attributes", record_attributes),
        )
        self._resolvers = check_attributes({} if attributes is None else attributes)
        self.cookie = check_cookie(VisitorCookie() if cookie is None else cookie)

    def client(self, /, **attributes: object) -> ExperimentClient:
        """Return a client outside of any web request, for scripts, workers and inference.

            with engine.client(id=customer_id, country="NL") as experiments:
                model = experiments.run("ranking-model").value

        Within `with`, records are written at its end; without, each at once. Without an `id`
        nobody is in an experiment that randomises by it.
        """
        context = UserContext(self._resolvers, None, self.cookie)
        context.identify(attributes)
        return ExperimentClient(self._catalogue, self._recorder, context)

    def request_client(self, facts: RequestFacts) -> ExperimentClient:
        """Return the client of one web request; for adapters."""
        context = UserContext(self._resolvers, facts, self.cookie)
        return ExperimentClient(self._catalogue, self._recorder, context, deferred=True)

    def owns(self, client: object) -> bool:
        """Tell whether a client is of this engine; for adapters."""
        return isinstance(client, ExperimentClient) and client.is_of(self._catalogue)

    def in_debug(self, debug: bool) -> None:
        """Take over the framework's debug mode where `strict` was not given; for adapters."""
        self._catalogue.mistakes.in_debug(debug)

    @property
    def strict(self) -> bool:
        """Whether a view's mistake raises."""
        return self._catalogue.mistakes.strict

    @property
    def snapshot(self) -> Snapshot:
        """The current configuration; requests that began keep the one they have."""
        return self._catalogue.snapshot

    @snapshot.setter
    def snapshot(self, snapshot: Snapshot) -> None:
        self._catalogue.snapshot = snapshot

    @property
    def sink(self) -> Sink:
        """Where records go."""
        return self._recorder.sink

    @property
    def service(self) -> str:
        """The name of this service in the records."""
        return self._recorder.service

    @property
    def lost(self) -> Counter[str]:
        """Records that never reached the sink, by reason; a journal counts its own besides."""
        return self._recorder.lost


def _sink(journal: object, sink: object) -> Sink:
    if sink is not None and journal is not None:
        raise ConfigurationError("journal: is given beside sink, must be one of the two")
    if sink is not None:
        return check_sink(sink)
    if journal is not None:
        return Journal(check_journal("journal", journal))
    if path := os.environ.get(JOURNAL_VARIABLE):
        return Journal(check_journal(JOURNAL_VARIABLE, path))
    return Journal(check_journal("journal", DEFAULT_JOURNAL))
