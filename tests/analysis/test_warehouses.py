"""The same answers from the journal, from Parquet, from PostgreSQL and from Spark."""

from __future__ import annotations

import gc
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from abmiddleware.analysis.analysing import analyse
from abmiddleware.analysis.analysis import Analysis
from abmiddleware.analysis.warehouse import Warehouse, open_journal, open_warehouse
from tests.analysis.records import (
    AB,
    DAY,
    START_US,
    after,
    exposure,
    outcome,
    suppression,
    write,
)
from tests.analysis.spark_program import DESIGNS
from tests.backends import postgres_server


def rows() -> list[dict[str, Any]]:
    """Return records with all that a metric looks at."""
    source = np.random.default_rng(1)
    found = []
    for unit in range(1_200):
        is_new = unit % 2 == 1
        at = START_US + int(source.integers(5 * DAY))
        found.append(exposure(f"ü{unit}", "ab"[is_new], at))
        for _ in range(int(source.integers(4))):
            when = at + int(source.integers(-10 * DAY, 10 * DAY))
            found.append(outcome(f"ü{unit}", "latency", float(source.lognormal(4, 1)), when))
        if source.random() < 0.3 + 0.1 * is_new:
            when = at + int(source.integers(-9 * DAY, 9 * DAY))
            found.append(outcome(f"ü{unit}", "purchase", float(source.exponential(20)), when))
    found.append(exposure("ü1", "a", START_US + 5 * DAY))
    found.append(exposure("forced", "a", START_US, forced=True))
    found += [suppression("excluded", count) for count in (5, 40)]
    return found


def agent(journal: Path, destination: str) -> None:
    """Deliver a journal as a team does."""
    # Each destination has an agent of its own.
    state = journal.with_name(destination.partition(":")[0])
    command = [sys.executable, "-m", "abmiddleware.cli", "agent", "--once", "--state", str(state)]
    done = subprocess.run(  # noqa: S603  # our own command
        [*command, "--journal", str(journal), "--destination", destination],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("journal") / "journal.jsonl", rows())


@pytest.fixture(scope="module")
def lake(journal: Path) -> Path:
    """Return the Parquet files of the agent."""
    place = journal.parent / "lake"
    agent(journal, f"parquet:{place}")
    return place


@pytest.fixture(scope="module")
def postgres(journal: Path) -> Iterator[Warehouse]:
    """Return a PostgreSQL that the agent has filled."""
    import ibis

    with postgres_server() as address:
        agent(journal, f"postgresql://{address}")
        backend = ibis.connect(f"postgresql://{address}")
        yield open_warehouse(backend, schema="experiments")
        backend.disconnect()


def told(warehouse: Warehouse) -> Analysis:
    return analyse(AB, DESIGNS, warehouse, now=after(24))


def test_the_journal_and_its_parquet_say_the_same(journal: Path, lake: Path) -> None:
    """Each alone, and both at once, though they hold the same events."""
    expected = told(open_journal(journal))

    assert near(told(open_journal(lake)), expected)
    assert near(told(open_journal([journal, lake])), expected, but=("exposures", "forced"))
    assert [arm.units for arm in expected.arms] == [600, 599]
    assert expected.health.left_out == {"excluded": 45, "forced": 1}


def test_a_journal_too_large_for_the_memory_says_the_same(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is parsed into a file, which is gone when nobody asks any more."""
    expected = told(open_journal(journal))
    monkeypatch.setattr("abmiddleware.analysis.warehouse._LARGE", 0)
    monkeypatch.setenv("TMPDIR", str(journal.parent))
    monkeypatch.setattr("tempfile.tempdir", None)
    found = open_journal(journal)
    (place,) = journal.parent.glob("abmiddleware-*")

    assert near(told(found), expected)
    assert [file.name for file in place.iterdir() if file.suffix == ".parquet"] == [
        "records.parquet"
    ]
    del found
    gc.collect()
    assert not place.exists()


def test_postgresql_says_the_same(journal: Path, postgres: Warehouse) -> None:
    """Through the agent's tables."""
    assert near(told(postgres), told(open_journal(journal)))


def test_spark_says_the_same(journal: Path, lake: Path) -> None:
    """Through the agent's Parquet files, in a Spark of this machine, which warns of much."""
    if sys.version_info >= (3, 12):
        pytest.skip("only on Python 3.11 is pyspark installed for tests")
    if shutil.which("java") is None or find_spec("pyspark") is None:
        pytest.skip("java or pyspark is not installed")
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-m", "tests.analysis.spark_program", lake],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = msgspec.to_builtins(told(open_journal(journal)))
    _compare(json.loads(done.stdout.splitlines()[-1]), expected, "", ())


def near(left: Analysis, right: Analysis, *, but: tuple[str, ...] = ()) -> bool:
    """Tell whether two analyses are the same to 1e-9."""
    _compare(msgspec.to_builtins(left), msgspec.to_builtins(right), "", but)
    return True


def _compare(left: Any, right: Any, place: str, but: tuple[str, ...]) -> None:
    if place.rpartition(".")[2] in but or (place.startswith(".health.warnings") and but):
        return
    if isinstance(left, dict):
        assert left.keys() == right.keys(), place
        for key in left:
            _compare(left[key], right[key], f"{place}.{key}", but)
    elif isinstance(left, list):
        assert len(left) == len(right), place
        for index, (one, two) in enumerate(zip(left, right, strict=True)):
            _compare(one, two, f"{place}.{index}", but)
    elif isinstance(left, float):
        assert left == pytest.approx(right, rel=1e-9, abs=1e-12), place
    else:
        assert left == right, place
