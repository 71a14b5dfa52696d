from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from abmiddleware.exposures import guard as guards
from tests import disks


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a machine that stands still for a moment be no slow disk; `test_guard.py` has those."""
    monkeypatch.setattr(guards, "SLOW", 3600)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a disk of its own of 1 MiB."""
    with disks.small_disk(tmp_path) as disk:
        yield disk
