"""The three shops, each under its real server."""

from __future__ import annotations

import ssl
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from abmiddleware import JournalReader
from abmiddleware.exposures.records import ExposureRow, OutcomeRow
from example_apps.demo.server import FRAMEWORKS, running_shop

#: Made once: it takes longer than ten requests, and no shop speaks TLS.
_TLS = ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop that runs."""

    address: str
    journal: Path
    log: Path

    def visitor(self, company: str | None = None) -> httpx2.Client:
        """Return a browser without cookies, perhaps of somebody in a company."""
        headers = {"X-Company": company} if company else {}
        return httpx2.Client(base_url=self.address, headers=headers, verify=_TLS, trust_env=False)

    def exposures(self, unit: str) -> list[ExposureRow]:
        """Return the exposures of a unit."""
        rows = JournalReader(self.journal)
        return [row for row in rows if isinstance(row, ExposureRow) and row.unit_id == unit]

    def purchases(self, visitor_id: str) -> list[OutcomeRow]:
        """Return the outcomes of a visitor."""
        rows = [row for row in JournalReader(self.journal) if isinstance(row, OutcomeRow)]
        return [row for row in rows if row.unit_ids.get("id") == visitor_id]


@pytest.fixture(scope="session", params=FRAMEWORKS)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """A shop, started by its one command."""
    place = tmp_path_factory.mktemp(request.param)
    journal, log = place / "journal.jsonl", place / "server.log"
    with running_shop(request.param, journal, log) as address:
        yield Shop(address, journal, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the server's log beside a failure."""
    report = yield
    running = getattr(item, "funcargs", {}).get("shop")
    if report.failed and isinstance(running, Shop):
        report.sections.append(("server log", running.log.read_text(errors="replace")))
    return report
