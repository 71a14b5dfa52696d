"""What the middleware adds to a request, in µs of CPU, in every framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from abmiddleware import Engine, Journal, Sink
from abmiddleware.identity import Visitor
from benchmarks.candidates import Listener
from benchmarks.figures import Figure, paired, shuffled, uncollected
from benchmarks.sites.django_site import asgi_site, wsgi_site
from benchmarks.sites.fastapi_site import dependency_site, fastapi_site
from benchmarks.sites.flask_site import flask_site
from benchmarks.sites.site import BODY, Engines, Site, Variant, experiments
from benchmarks.sites.starlette_site import starlette_site


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    rounds: int
    #: Requests of one variant in one round, in turn with the other variants.
    requests: int


@dataclass(frozen=True, slots=True)
class SiteKind:
    """A site, and how much of it is measured."""

    build: Callable[[Engines], Site]
    usual: Effort
    quick: Effort


#: Django under ASGI hops between threads, which makes it slow and its figures uneven.
KINDS: Final = (
    SiteKind(starlette_site, Effort(301, 100), Effort(15, 20)),
    SiteKind(fastapi_site, Effort(301, 50), Effort(15, 20)),
    SiteKind(dependency_site, Effort(301, 50), Effort(15, 20)),
    SiteKind(flask_site, Effort(301, 50), Effort(15, 20)),
    SiteKind(wsgi_site, Effort(301, 50), Effort(15, 20)),
    SiteKind(asgi_site, Effort(401, 20), Effort(15, 5)),
)


@dataclass(frozen=True, slots=True)
class SiteRow:
    """The figures of one site, by variant: medians with quartiles."""

    name: str
    #: Of one request.
    microseconds: Mapping[Variant, Figure]
    #: Over the bare application, paired by round.
    added: Mapping[Variant, Figure]
    #: Without an experiment used, over an empty pass-through.
    over_empty: Figure


def rounds(*, quick: bool) -> int:
    """Return the number of rounds in all."""
    return sum((kind.quick if quick else kind.usual).rounds for kind in KINDS)


def measure(advance: Callable[[], None], *, quick: bool) -> list[SiteRow]:
    """Measure every site, after a check that its pages say what they should.

    Raises:
        RuntimeError: a page is wrong, or an exposure is missing from the journal.
    """
    rows = []
    for kind in KINDS:
        with TemporaryDirectory(prefix="abmiddleware-") as folder:
            journal = Journal(Path(folder) / "records.jsonl")
            site = kind.build(_engines(journal))
            _check(site, journal)
            rows.append(_row(site, kind.quick if quick else kind.usual, advance))
            if journal.lost:
                raise RuntimeError(f"{site.name}: the journal lost {dict(journal.lost)}")
    return rows


def _engines(journal: Journal) -> Engines:
    sinks: dict[Variant, Sink] = {
        Variant.UNUSED: journal,
        Variant.SINK: Listener(),
        Variant.JOURNAL: journal,
    }
    return {variant: Engine(experiments(), sink=sink) for variant, sink in sinks.items()}


def _new_cookies(count: int) -> list[str]:
    return [Visitor.issue().value() for _ in range(count)]


def _check(site: Site, journal: Journal) -> None:
    cookies = _new_cookies(50)
    values = site.bodies(Variant.SINK, cookies)
    if set(values) != {b"control", b"one-click"}:
        raise RuntimeError(f"{site.name}: serves {set(values)}, must serve both variations")
    if site.bodies(Variant.JOURNAL, cookies) != values:
        raise RuntimeError(f"{site.name}: the same visitors get other variations")
    if journal.written != len(cookies):
        raise RuntimeError(f"{site.name}: {journal.written} exposures, {len(cookies)} requests")
    for variant in (Variant.BARE, Variant.BARE_AGAIN, Variant.EMPTY, Variant.UNUSED):
        if set(site.bodies(variant, cookies)) != {BODY.encode()}:
            raise RuntimeError(f"{site.name}, {variant}: the page is wrong")


def _row(site: Site, effort: Effort, advance: Callable[[], None]) -> SiteRow:
    times: dict[Variant, list[float]] = {variant: [] for variant in Variant}
    for turn in range(effort.rounds):
        cookies = _new_cookies(effort.requests)
        with uncollected():
            for variant in shuffled(list(Variant), turn):
                spent = site.seconds(variant, cookies)
                times[variant].append(spent / effort.requests * 1e6)
        advance()
    return SiteRow(
        site.name,
        {variant: Figure.with_quartiles(spent) for variant, spent in times.items()},
        {
            variant: _difference(spent, times[Variant.BARE])
            for variant, spent in times.items()
            if variant is not Variant.BARE
        },
        _difference(times[Variant.UNUSED], times[Variant.EMPTY]),
    )


def _difference(left: Sequence[float], right: Sequence[float]) -> Figure:
    return Figure.with_quartiles([one - other for one, other in paired(left, right)])
