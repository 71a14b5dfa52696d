"""The figures that the suite has at the end, for the page that shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.faults.scale import LONG

Tell = Callable[[str], None]


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """Return a function that notes a figure, which the long form shows at its end."""
    return lambda text: record_property("figure", text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures of all tests, by name."""
    if not LONG:
        return
    terminalreporter.section("figures")
    for line in sorted(_figures(terminalreporter)):
        terminalreporter.write_line(line)


def _figures(reporter: pytest.TerminalReporter) -> Iterator[str]:
    for reports in reporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "call":
                name = report.nodeid.removeprefix("tests/faults/")
                yield from (f"{name}: {text}" for _, text in report.user_properties)
