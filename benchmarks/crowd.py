"""What an exposure takes of a request while a thousand others are under way, in µs of CPU."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import thread_time_ns
from typing import Any, Final, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from abmiddleware import Engine, Journal
from abmiddleware.identity import Visitor
from abmiddleware.sticky import MemoryStickyStore
from abmiddleware_fastapi import ExperimentsMiddleware, ExperimentsRequest
from benchmarks import bars
from benchmarks.bars import Verdict
from benchmarks.figures import Figure, shuffled, uncollected
from benchmarks.sites.asgi import Exchange, Message
from benchmarks.sites.site import KEY, USED, experiments

#: Requests under way at a time.
AT_ONCE: Final = 1000
#: The rounds.
USUAL: Final = 41
QUICK: Final = 3

#: When a request of a round asked, by its cookie, in nanoseconds.
_asked: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class CrowdRow:
    """The figures of one engine: of each round its middle request, and its hundredth worst."""

    name: str
    middle: Verdict
    worst: Verdict

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"name": self.name, "middle": self.middle.as_json(), "worst": self.worst.as_json()}


def measure(rounds: int, advance: Callable[[], None]) -> list[CrowdRow]:
    """Measure an engine as it comes, and one with everything on.

    Raises:
        RuntimeError: an exposure is missing from the journal.
    """
    with TemporaryDirectory(prefix="abmiddleware-") as folder:
        journals = {name: Journal(Path(folder) / name) for name in ("as it comes", "everything on")}
        engines = {
            "as it comes": Engine(experiments(), sink=journals["as it comes"]),
            "everything on": _full_engine(journals["everything on"]),
        }
        spent: dict[str, list[list[float]]] = {name: [] for name in engines}
        for turn in range(rounds):
            for name in shuffled(list(engines), turn):
                with uncollected():
                    spent[name].append(asyncio.run(_round(_app(engines[name]))))
            advance()
        for name, journal in journals.items():
            if journal.written != rounds * AT_ONCE:
                raise RuntimeError(f"{name}: {journal.written} of {rounds * AT_ONCE} exposures")
    return [_row(name, turns) for name, turns in spent.items()]


def _full_engine(journal: Journal) -> Engine:
    return Engine(
        experiments(),
        sink=journal,
        attributes={"country": "NL", "host": lambda request: request.headers["host"]},
        record_attributes=["country", "host"],
        sticky=MemoryStickyStore(),
        query_overrides=True,
        redirects=True,
        on_feature_usage=lambda *_: None,
    )


def _app(engine: Engine) -> Starlette:
    async def page(request: Request) -> PlainTextResponse:
        await asyncio.sleep(0)  # all have come by then
        _asked[request.headers["cookie"]] = thread_time_ns()
        return PlainTextResponse(cast(ExperimentsRequest, request).experiments.run(KEY).value)

    app = Starlette(routes=[Route(USED, page)])
    app.add_middleware(ExperimentsMiddleware, engine=engine)
    return app


async def _round(app: Starlette) -> list[float]:
    """Return what each request took from asking until its response started, in µs."""
    _asked.clear()
    taken: list[float] = []
    loop = asyncio.get_running_loop()

    async def serve(cookie: str) -> None:
        exchange = Exchange(USED, cookie, loop)
        header = exchange.scope["headers"][1][1].decode()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                taken.append((thread_time_ns() - _asked[header]) / 1000)

        await app(exchange.scope, exchange.receive, send)

    await asyncio.gather(*(serve(Visitor.issue().value()) for _ in range(AT_ONCE)))
    return taken


def _row(name: str, turns: Sequence[Sequence[float]]) -> CrowdRow:
    cuts = [quantiles(taken, n=100, method="inclusive") for taken in turns]
    return CrowdRow(
        name,
        Verdict(bars.EXPOSURE, Figure.with_quartiles([cut[49] for cut in cuts])),
        Verdict(bars.CROWD, Figure.with_quartiles([cut[98] for cut in cuts])),
    )
