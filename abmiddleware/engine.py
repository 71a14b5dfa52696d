"""The process-long object: the configuration, who visitors are, and where records go."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from time import monotonic
from typing import Any, Final

from abmiddleware import live
from abmiddleware.attribute_values import SCALARS, plain
from abmiddleware.baggage import Baggage
from abmiddleware.catalogue import Catalogue
from abmiddleware.client import ExperimentClient
from abmiddleware.configuration import Configuration
from abmiddleware.context import RequestContext, UserContext
from abmiddleware.engine_checks import (
    check_attributes,
    check_baggage,
    check_cookie,
    check_definitions,
    check_forced,
    check_forced_features,
    check_id_header,
    check_journal,
    check_overrides,
    check_sink,
    check_sources,
    check_sticky,
    check_telemetry,
)
from abmiddleware.evaluation.automatic import RedirectOptions
from abmiddleware.evaluation.document import document_of
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.features import Feature
from abmiddleware.evaluation.scope import EvaluationOptions
from abmiddleware.exceptions import ConfigurationError, HandoverError
from abmiddleware.exposures.journal import Journal
from abmiddleware.exposures.sinks import Sink
from abmiddleware.facts import Predicate, RequestFacts
from abmiddleware.handover import TASK_HEADER, HandedContext, Handover
from abmiddleware.health import Health
from abmiddleware.identity import IdHeader, VisitorCookie
from abmiddleware.mistakes import Mistakes
from abmiddleware.notices import notices
from abmiddleware.overrides import Overrides
from abmiddleware.policy import Policy, Resolver
from abmiddleware.predicates import is_bot
from abmiddleware.recorder import Listener, Recorder
from abmiddleware.services import FeatureUsage, Services
from abmiddleware.snapshot import Snapshot
from abmiddleware.sources import Source
from abmiddleware.stickiness import AnyStore, Stickiness
from abmiddleware.telemetry import Telemetry
from abmiddleware.telemetry.spans import entered
from abmiddleware.value_checks import (
    check_flag,
    check_function,
    check_hosts,
    check_names,
    check_paths,
    check_text,
)

#: Where the journal lies unless the engine or this environment variable says otherwise.
JOURNAL_VARIABLE: Final = "ABMIDDLEWARE_JOURNAL"
DEFAULT_JOURNAL: Final = "abmiddleware.jsonl"


class Engine:
    """Holds what all requests share; make one when the application starts.

        engine = Engine([CHECKOUT, PRICE], journal="var/experiments.jsonl", service="shop")

    Args:
        experiments: those that views may name by key, and features. An `Experiment` or `Feature`
            object may be used without.
        sources: where more of both come from. Of several that know a key the first serves it;
            `experiments` come before all.
        journal: the file that records are appended to, or a `Journal(path, ...)` with options; by
            default the environment variable `ABMIDDLEWARE_JOURNAL`, or `abmiddleware.jsonl` in the
            working directory.
        sink: takes the records in the journal's place.
        cookie: how the visitor cookie is set.
        attributes: by name, functions that compute an attribute from the framework's request,
            each called at most once a request and only when an experiment reads the attribute;
            or values that hold for everybody.
        record_attributes: the attributes written with each exposure, none by default.
        service: the name of this service in the records.
        strict: whether a view's mistake, such as an unknown key, raises. By default in debug
            mode and under pytest; elsewhere it is logged and the visitor gets the control.
        enabled: false serves the control of every experiment and records nothing.
        qa_mode: serves only forced variations.
        forced_variations: index of a variation by experiment key, for everybody; not recorded.
        forced_features: value by feature key, for everybody.
        query_overrides: whether `?<experiment key>=1` in a URL forces a variation, for anybody who
            types it; not recorded.
        sticky: keeps units in the variation that they had before, such as `RedisStickyStore`.
        redirects: whether the middleware itself answers with the redirects of experiments; else a
            view asks `request.experiments.redirect()`.
        redirect_hosts: hosts beside the page's own that a redirect may lead to.
        on_feature_usage: is told of every feature that is evaluated, once a request.
        telemetry: what OpenTelemetry is told, which costs next to nothing where the application
            sets up no SDK; false tells nothing.
        consent: tells of a request whether its visitor may be remembered. Without consent no
            cookie is read or set, each experiment serves its control, and nothing is recorded.
        exclude: tells of a request whether it is nobody's, as bots' are: it gets no cookie, and is
            not recorded. None excludes nobody.
        exempt_paths: paths whose requests are not recorded, such as "/health", and with a slash at
            the end all below, such as "/internal/".
        count_prefetch: whether a page that a browser loads before its visitor asks for it counts.
        overrides: how people of the team may see the variation of their choice; None for not.
        id_header: a header by which a gateway or an app tells who visits, before the cookie.
        country_header: the header by which a CDN tells the country, such as "cf-ipcountry".
        baggage: takes over variations that a calling service of the team shows already.

    Raises:
        ConfigurationError: an argument is wrong.
        DefinitionError: two experiments or features have the same key.
        DocumentError: a file that a source must have cannot be used.
    """

    def __init__(
        self,
        experiments: Iterable[Experiment[Any] | Feature[Any]] = (),
        *,
        sources: Sequence[Source] = (),
        journal: str | os.PathLike[str] | Journal | None = None,
        sink: Sink | None = None,
        cookie: VisitorCookie | None = None,
        attributes: Mapping[str, Resolver | object] | None = None,
        record_attributes: Sequence[str] = (),
        service: str = "",
        strict: bool | None = None,
        enabled: bool = True,
        qa_mode: bool = False,
        forced_variations: Mapping[str, int] | None = None,
        forced_features: Mapping[str, object] | None = None,
        query_overrides: bool = False,
        sticky: AnyStore | None = None,
        redirects: bool = False,
        redirect_hosts: Sequence[str] = (),
        on_feature_usage: FeatureUsage | None = None,
        telemetry: Telemetry | bool = True,
        consent: Predicate | None = None,
        exclude: Predicate | None = is_bot,
        exempt_paths: Sequence[str] = (),
        count_prefetch: bool = False,
        overrides: Overrides | None = None,
        id_header: IdHeader | None = None,
        country_header: str = "",
        baggage: Baggage | None = None,
    ) -> None:
        definitions = check_definitions(experiments)
        checked_sources = check_sources(sources)
        options = EvaluationOptions(
            enabled=check_flag("enabled", enabled),
            qa_mode=check_flag("qa_mode", qa_mode),
            # Experiments of a source may not be known yet.
            forced_variations=check_forced(
                forced_variations, None if checked_sources else definitions
            ),
            forced_features=check_forced_features(forced_features),
            query_overrides=check_flag("query_overrides", query_overrides),
        )
        mistakes = Mistakes(None if strict is None else check_flag("strict", strict))
        recorder = Recorder(
            _sink(journal, sink),
            check_text("service", service),
            check_names("record_attributes", record_attributes),
        )
        self._configuration = Configuration(document_of(definitions), checked_sources, options)
        self._services = Services(
            Catalogue(self._configuration, mistakes),
            recorder,
            Stickiness(check_sticky(sticky)) if sticky is not None else None,
            check_function("on_feature_usage", on_feature_usage),
            RedirectOptions(hosts=check_hosts("redirect_hosts", redirect_hosts)),
            check_telemetry(telemetry),
        )
        self._is_traced = self._services.signals is not None
        self._constants, resolvers = _split(
            check_attributes({} if attributes is None else attributes)
        )
        self._policy = Policy(
            resolvers,
            check_cookie(VisitorCookie() if cookie is None else cookie),
            check_function("consent", consent),
            check_function("exclude", exclude),
            check_paths("exempt_paths", exempt_paths),
            check_flag("count_prefetch", count_prefetch),
            check_overrides(overrides),
            check_id_header(id_header),
            check_text("country_header", country_header).lower(),
            check_baggage(baggage),
            mistakes,
        )
        #: How people of the team may ask for a variation; None where they may not.
        self.overrides = overrides
        #: Whether the middleware answers with redirects itself.
        self.redirects = check_flag("redirects", redirects)
        if self.redirects and sticky is not None and Stickiness(sticky).is_async:
            raise ConfigurationError(
                f"sticky: a store that must be awaited, {type(sticky).__name__}, cannot be used "
                "where the middleware redirects; use one that is not awaited"
            )
        live.join(self)

    def rehearse(self, rehearsal: live.Rehearsal) -> None:
        """Serve and record as tests say; see `abmiddleware.testing`."""
        self._configuration.force(rehearsal.forced)
        self._services.recorder.rehearse(rehearsal.sink, is_forced=bool(rehearsal.forced))

    def client(self, /, *, id: object = None, **attributes: object) -> ExperimentClient:  # noqa: A002
        """Return a client outside of any web request, for scripts, workers and inference.

            with engine.client(id=customer_id, country="NL") as experiments:
                model = experiments.run("ranking-model").value

        Within `with`, records are written at its end; without, each at once. Without an `id`
        nobody is in an experiment that randomises by it.
        """
        context = UserContext(self._constants) if self._constants else UserContext()
        if id is not None:
            context["id"] = id if type(id) is str else plain("id", id)
        if attributes:
            context.update(attributes)
            if not {*map(type, attributes.values())} <= SCALARS:
                context.identify(attributes)
        return ExperimentClient(self._services, context, True, False, self._configuration.fixed)

    def client_from(self, data: Mapping[str, Any]) -> ExperimentClient:
        """Return the client of a request that another process has begun.

            with engine.client_from(data) as experiments:
                experiments.track("invoice-sent")

        Its ids and answers are those of the request, whatever the configuration says by now;
        experiments that the request has not asked about are decided here. What the request was
        not to record, a bot's say, is not recorded here.

        Args:
            data: what `experiments.to_dict()` returned, from a queue that only the team writes to:
                whoever writes to it says who a visitor is.

        Raises:
            HandoverError: in strict mode, it is something else. In production it is logged, and
                nobody asks: the client has no id, and serves the control.
        """
        try:
            handover = Handover.read(data)
        except HandoverError as error:
            problem = error  # the name is gone outside of the block
            self._services.catalogue.mistakes.report("client_from", lambda: problem)
            handover = Handover()
        context = HandedContext(handover, self._constants)
        client = ExperimentClient(self._services, context, True, False, None)
        client.resume(handover)
        return client

    def client_of_task(self, request: object) -> ExperimentClient:
        """Return the client of the request that queued a task of Celery, by `task_headers`.

            @celery.task(bind=True)
            def send_invoice(self, order):
                with engine.client_of_task(self.request) as experiments:

        A task that no request queued has nobody's: it has no id, and serves the control.

        Args:
            request: of the task, whose `headers` are looked at; or a mapping of headers.

        Raises:
            HandoverError: in strict mode, the header holds something else.
        """
        headers = request if isinstance(request, Mapping) else getattr(request, "headers", None)
        data = headers.get(TASK_HEADER) if isinstance(headers, Mapping) else None
        return self.client() if data is None else self.client_from(data)

    def request_client(self, facts: RequestFacts) -> ExperimentClient:
        """Return the client of one web request; for adapters."""
        context = RequestContext(self._policy, facts)
        trace = entered() if self._is_traced else None
        return ExperimentClient(self._services, context, False, True, None, [], trace)

    def wait_until_ready(self, timeout: float = 5.0) -> bool:
        """Wait until every source has a configuration, as a script does before it starts.

        Returns:
            Whether they have; else the others serve, and the refresh goes on.
        """
        return self._configuration.wait_until_ready(timeout)

    def on_exposure(self, listener: Listener) -> None:
        """Have a function told of each exposure at the line that asks, with the request or None.

        It is on the way of the request, so it should be quick; what it raises is logged. One that
        is told already is not told twice.

        Raises:
            ConfigurationError: it is no function.
        """
        checked = check_function("on_exposure", listener)
        if checked is None:
            raise ConfigurationError("on_exposure: is None, must be a function of two arguments")
        if checked not in self._services.recorder.listeners:
            self._services.recorder.listeners.append(checked)

    def health(self) -> Health:
        """Return how old the configuration is, what is wrong with it, and what was lost."""
        return Health.of(self._services)

    def close(self, timeout: float = 5.0) -> None:
        """Close the sink and stop refreshing the configuration; what is there serves on.

        A journal writes what waits for its disk, and records are written on.

        Args:
            timeout: how long both may take together, in seconds.
        """
        deadline = monotonic() + timeout
        recorder = self._services.recorder
        if counts := recorder.suppressions.take():
            recorder.write(counts)
        close = getattr(self.sink, "close", None)
        if close is not None:
            try:
                close(timeout)
            except Exception as error:  # noqa: BLE001  # a team's sink may raise anything
                notices.warn("closing", "the sink could not be closed: %r", error, error=error)
        self._configuration.close(max(0.0, deadline - monotonic()))

    def owns(self, client: object) -> bool:
        """Tell whether a client is of this engine; for adapters."""
        return isinstance(client, ExperimentClient) and client.is_of(self._services)

    def in_debug(self, debug: bool) -> None:
        """Take over the framework's debug mode where `strict` was not given; for adapters."""
        self._services.catalogue.mistakes.in_debug(debug)

    @property
    def strict(self) -> bool:
        """Whether a view's mistake raises."""
        return self._services.catalogue.mistakes.strict

    @property
    def snapshot(self) -> Snapshot:
        """The current configuration; requests that began keep the one they have."""
        return self._configuration.snapshot

    @snapshot.setter
    def snapshot(self, snapshot: Snapshot) -> None:
        self._configuration.replace(snapshot)

    @property
    def cookie(self) -> VisitorCookie:
        """How the visitor cookie is set."""
        return self._policy.cookie

    @property
    def excludes(self) -> bool:
        """Whether requests of bots, or of whom the team names, are left out."""
        return self._policy.exclude is not None

    def known_keys(self) -> set[str]:
        """Return the keys of all experiments and features, of objects in use too."""
        snapshot, settled = self.snapshot, self._services.catalogue.settled
        listed = {*snapshot.plans.known(), *snapshot.features.known(), *snapshot.rule_keys()}
        return listed | {plan.key for plan in list(settled)}

    @property
    def attributes(self) -> Collection[str]:
        """The names of the attributes that the engine itself was given."""
        return self._policy.resolvers.keys()

    @property
    def sink(self) -> Sink:
        """Where records go."""
        return self._services.recorder.sink

    @property
    def service(self) -> str:
        """The name of this service in the records."""
        return self._services.recorder.service

    @property
    def lost(self) -> Counter[str]:
        """Records that never reached the sink, by reason; a journal counts its own besides."""
        return self._services.recorder.lost

    @property
    def telemetry_lost(self) -> Counter[str]:
        """What OpenTelemetry was not told, by reason."""
        signals = self._services.signals
        return Counter() if signals is None else signals.lost


def _sink(journal: object, sink: object) -> Sink:
    if sink is not None and journal is not None:
        raise ConfigurationError("journal: is given beside sink, must be one of the two")
    if sink is not None:
        return check_sink(sink)
    if isinstance(journal, Journal):
        check_journal("journal", journal.path)
        return journal
    if journal is not None:
        return Journal(check_journal("journal", journal))
    if path := os.environ.get(JOURNAL_VARIABLE):
        return Journal(check_journal(JOURNAL_VARIABLE, path))
    return Journal(check_journal("journal", DEFAULT_JOURNAL))


def _split(attributes: Mapping[str, object]) -> tuple[dict[str, object], dict[str, Resolver]]:
    """Return attributes that are values, for scripts, and all as functions, for requests."""
    constants = {
        name: plain(name, value) for name, value in attributes.items() if not callable(value)
    }
    resolvers: dict[str, Resolver] = {}
    for name, value in attributes.items():
        resolvers[name] = value if callable(value) else _constant(constants[name])
    return constants, resolvers


def _constant(value: object) -> Resolver:
    return lambda _: value
