"""What holds for all tests of sources."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sources.server import Server


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach the test's server directly, whatever this machine is told."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a server that answers 404 until it is told what to do."""
    with Server() as running:
        yield running
