"""How the library is doing: for a health endpoint, a dashboard or an alarm."""

from __future__ import annotations

import msgspec

from abmiddleware.evaluation.patterns import cut_offs
from abmiddleware.exposures.sinks.counting import CountingSink, Counts
from abmiddleware.services import Services
from abmiddleware.sources import SourceStatus


class Health(msgspec.Struct, frozen=True):
    """The state of an engine in this process; `msgspec.to_builtins` makes plain JSON of it."""

    #: Whether every source has a configuration.
    ready: bool
    #: Whether every source was confirmed within three of its intervals.
    fresh: bool
    #: Seconds since the configuration was last confirmed, of the source that is worst off: None
    #: where one that refreshes was never confirmed in this process, or nothing can age.
    age_seconds: float | None
    experiments: int
    features: int
    sources: list[SourceStatus]
    #: Records that this process wrote.
    written: int
    #: Records on their way in this process, such as those that wait for a slow disk.
    queued: int
    #: Records that will not arrive, by reason.
    lost: dict[str, int]
    #: Exposures that were not recorded on purpose, by reason, such as those of forced variations.
    suppressed: dict[str, int]
    #: Loads and saves of sticky buckets that failed.
    sticky_failures: dict[str, int]
    #: Tests of regular expressions that were given up, by reason.
    pattern_cut_offs: dict[str, int]
    #: What OpenTelemetry was not told, by reason.
    telemetry_lost: dict[str, int]

    def json(self) -> bytes:
        """Return it as JSON, as the frameworks' health views answer with."""
        return msgspec.json.encode(self)

    @classmethod
    def of(cls, services: Services) -> Health:
        """Look at what the clients of an engine share."""
        configuration, recorder = services.catalogue.configuration, services.recorder
        statuses = configuration.statuses()
        sink = recorder.sink
        counts = sink if isinstance(sink, CountingSink) else Counts()
        stickiness, signals = services.stickiness, services.signals
        return cls(
            ready=configuration.is_ready,
            fresh=all(map(_is_fresh, statuses)),
            age_seconds=_age(statuses),
            experiments=len(configuration.snapshot.plans.known()),
            features=len(configuration.snapshot.features.known()),
            sources=statuses,
            written=counts.written,
            queued=counts.queued,
            lost=dict(recorder.lost + counts.lost),
            suppressed=dict(recorder.suppressed),
            sticky_failures={} if stickiness is None else dict(stickiness.failures),
            pattern_cut_offs=dict(cut_offs),
            telemetry_lost={} if signals is None else dict(signals.lost),
        )


def _age(statuses: list[SourceStatus]) -> float | None:
    ages = []
    for status in statuses:
        if status.age_seconds is not None:
            ages.append(status.age_seconds)
        elif status.interval_seconds is not None:
            return None  # older than can be told: worse off than all others
    return max(ages, default=None)


def _is_fresh(status: SourceStatus) -> bool:
    if status.age_seconds is None:
        return status.interval_seconds is None and status.ready
    return status.interval_seconds is None or status.age_seconds <= 3 * status.interval_seconds
