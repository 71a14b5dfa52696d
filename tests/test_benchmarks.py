"""The quick form of the benchmarks runs; how long anything takes is not asserted."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
MISSING = [
    name
    for name in ("growthbook", "rich", "starlette", "fastapi", "flask", "django")
    if find_spec(name) is None
]

pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"the benchmarks need {', '.join(MISSING)}, which is not installed"
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    output = tmp_path_factory.mktemp("benchmarks") / "results.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--output", str(output)]
    done = subprocess.run(  # noqa: S603  # our own command
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "One decision" in done.stdout
    assert "What the middleware adds" in done.stdout
    told: dict[str, Any] = json.loads(output.read_text("utf-8"))
    return told


def test_every_way_of_deciding_has_figures(report: dict[str, Any]) -> None:
    rows = report["decision"]
    assert len(rows) == 5
    assert [row["name"] for row in rows if row["microseconds"]["median"] <= 0] == []
    assert [row["name"] for row in rows if row["ratio"]["median"] <= 0] == []


def test_every_framework_has_figures_for_every_variant(report: dict[str, Any]) -> None:
    rows = {row["name"]: row for row in report["middleware"]}
    assert list(rows) == [
        "Starlette",
        "FastAPI",
        "FastAPI, dependency",
        "Flask",
        "Django WSGI",
        "Django ASGI",
    ]
    for row in rows.values():
        assert len(row["microseconds"]) == 6
        assert all(figure["median"] > 0 for figure in row["microseconds"].values())
        assert len(row["added"]) == 5
        assert all(math.isfinite(figure["median"]) for figure in row["added"].values())


def test_the_machine_and_the_packages_are_named(report: dict[str, Any]) -> None:
    assert report["machine"]["python"]
    assert report["packages"]["growthbook"] != "not installed"
