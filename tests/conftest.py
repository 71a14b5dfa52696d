"""What holds for the whole suite."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

from abmiddleware import MemorySink
from abmiddleware.notices import notices

#: On a machine that is made for tests (`CI=true`) a test that was skipped has not passed. Only
#: reasons that begin so are good everywhere: the right to mount a disk cannot be installed, and one
#: Python is enough for what is large.
MAY_LACK = ("only root", "only on Python")


@pytest.fixture(autouse=True)
def _said_nothing() -> None:
    """Let each test hear what the log says once."""
    notices.forget()


@pytest.fixture
def sink() -> MemorySink:
    """Return a sink that a test can look into."""
    return MemorySink()


# A busy machine is no reason to fail a property.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


def _refuse_skips(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI") != "true" or hasattr(report, "wasxfail"):
        return
    if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not reason.startswith(MAY_LACK):
            report.outcome = "failed"
            report.longrepr = f"skipped under CI=true, where nothing may be missing: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skips(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skips(report)
    return report
