"""The quick form of the benchmarks runs; how long anything takes is not asserted."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from benchmarks.bars import Bar, Verdict
from benchmarks.checks import check
from benchmarks.figures import Figure
from benchmarks.payload import EXPERIMENTS, growthbook_payload
from benchmarks.trials import DECISION_CASES, OUTSIDE, case_of
from benchmarks.worker import Checked

ROOT = Path(__file__).parents[1]
MISSING = [
    name
    for name in (
        *("growthbook", "eppo_client", "rich", "starlette", "fastapi", "flask", "django"),
        "ibis",
    )
    if find_spec(name) is None
]
CANDIDATES = [
    "abmiddleware",
    "decision alone",
    "eppo",
    "growthbook client",
    "growthbook run",
    "growthbook README",
]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(  # noqa: S603  # our own command
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if MISSING:
        pytest.skip(f"the benchmarks need {', '.join(MISSING)}, which is not installed")
    output = tmp_path_factory.mktemp("benchmarks") / "results.json"
    done = run("--quick", "--json", str(output))
    assert done.returncode == 0, done.stderr
    for title in ("One decision with its exposure", "by the number of experiments"):
        assert title in done.stdout
    for title in (
        "A configuration of 10,000",
        "What the middleware adds",
        "One exposure on disk",
        "A journal that",
        "An analysis with three metrics",
    ):
        assert title in done.stdout
    told: dict[str, Any] = json.loads(output.read_text("utf-8"))
    return told


def answers(
    values: Sequence[str], exposures: int | None = None, *, alike: bool = True
) -> dict[str, Checked]:
    """Return what the first candidate says in case a, and what another does."""
    first = ["control", "one-click"] * (len(values) // 2)
    other = Checked(list(values), len(values) if exposures is None else exposures, True, alike)
    return {"first": Checked(first, len(first), True, True), "other": other}


def test_every_case_has_a_row_for_every_candidate(report: dict[str, Any]) -> None:
    rows = [(row["case"], row["name"]) for row in report["decision"]]
    assert rows == [(case, name) for case in DECISION_CASES for name in CANDIDATES]


def test_who_has_no_figures_in_a_case_has_a_reason(report: dict[str, Any]) -> None:
    for row in report["decision"]:
        if row["left_out"]:
            assert row["microseconds"] is None
        else:
            assert row["microseconds"]["median"] > 0
    lacking = {(row["case"], row["name"]) for row in report["decision"] if row["left_out"]}
    assert lacking - {("g", "abmiddleware")} == {
        *((case, "decision alone") for case in "efg"),
        *((case, "growthbook run") for case in "eg"),
    }


def test_peers_are_held_against_their_bars(report: dict[str, Any]) -> None:
    bars = {row["name"]: row["verdict"]["bar"] for row in report["decision"] if row["verdict"]}
    assert bars == {
        "eppo": "≤ 0.8 × eppo",
        "growthbook client": "≥ 15 × faster",
        "growthbook README": "≥ 30 × faster",
    }


def test_every_size_has_figures(report: dict[str, Any]) -> None:
    assert [row["name"] for row in report["scale"]] == ["abmiddleware", "eppo", "growthbook client"]
    for row in report["scale"]:
        assert list(row["microseconds"]) == [
            "1 of 10",
            "1 of 100",
            "1 of 1,000",
            "1 of 10,000",
            "another of 10,000 each time",
        ]
        assert all(figure["median"] > 0 for figure in row["microseconds"].values())
        assert row["growth"]["figure"]["median"] > 0


def test_loading_has_figures_or_a_reason(report: dict[str, Any]) -> None:
    names = {row["name"] for row in report["load"]}
    assert names == {"abmiddleware", "eppo", "growthbook client", "json.loads alone"}
    for row in report["load"]:
        assert bool(row["left_out"]) == (row["figure"] is None)


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


def test_a_crowd_is_held_against_its_bars(report: dict[str, Any]) -> None:
    assert [row["name"] for row in report["crowd"]] == ["as it comes", "everything on"]
    for row in report["crowd"]:
        assert (row["middle"]["bar"], row["worst"]["bar"]) == ("≤ 60 µs", "≤ 200 µs")
        assert row["worst"]["figure"]["median"] >= row["middle"]["figure"]["median"] > 0


def test_an_analysis_is_held_against_its_bars(report: dict[str, Any]) -> None:
    assert [(row["form"], row["exposures"]) for row in report["analysis"]] == [
        (form, size) for size in (1_000, 10_000) for form in ("Parquet", "JSON lines")
    ]
    for row in report["analysis"]:
        assert (row["seconds"]["bar"], row["mebibytes"]["bar"]) == ("≤ 15 s", "≤ 2048 MiB")
        assert row["seconds"]["figure"]["median"] > 0


def test_the_machine_and_the_packages_are_named(report: dict[str, Any]) -> None:
    assert report["machine"]["python"]
    assert report["packages"]["growthbook"] != "not installed"
    assert report["packages"]["eppo-server-sdk"] != "not installed"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["decisions"], "is 'decisions', must be of decision, scale, load, middleware, crowd"),
        (["--cases", "az"], "is 'az', must be letters of abcdefg"),
    ],
)
def test_an_unknown_part_or_case_is_refused(arguments: list[str], says: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert says in done.stderr


def test_candidates_that_agree_pass() -> None:
    check(case_of("a"), answers(["control", "one-click"] * 50))
    check(case_of("a"), answers(["one-click", "control"] * 50, alike=False))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (answers(["one-click", "control"] * 50), "decides differently"),
        (answers(["control", "one-click"] * 50, 99), "exposures: 99 of 100"),
        (answers(["control"] * 100, alike=False), "control: 100 of 100, must be about 50%"),
        (answers(["control", "blue"] * 50, alike=False), "must say"),
        (answers([OUTSIDE, *["control", "one-click"] * 50], alike=False), "outside: 1 of 101"),
    ],
)
def test_a_candidate_that_decides_wrongly_is_found(wrong: dict[str, Checked], says: str) -> None:
    with pytest.raises(RuntimeError, match=f"other, case a.*{says}"):
        check(case_of("a"), wrong)


def test_an_exposure_of_who_is_outside_is_found() -> None:
    values = [OUTSIDE, "control", OUTSIDE, "one-click"] * 25
    first = Checked(["control", "one-click", "control", "control"] * 25, 50, True, True)
    check(case_of("d"), {"first": first, "other": Checked(values, 50, True, False)})
    with pytest.raises(RuntimeError, match="other, case d: 52 exposures, must be 50"):
        check(case_of("d"), {"first": first, "other": Checked(values, 52, True, False)})


def test_a_median_at_the_bar_meets_it() -> None:
    at = Figure(2.0, 1.0, 3.0)
    assert Verdict(Bar("ms", 2), at).is_met
    assert Verdict(Bar("ms", 2, at_most=False), at).is_met
    assert not Verdict(Bar("ms", 1.9), at).is_met
    assert not Verdict(Bar("ms", 2.1, at_most=False), at).is_met


def test_the_large_payload_is_as_large_as_its_table_says() -> None:
    body = growthbook_payload()
    assert len(json.loads(body)["features"]) == EXPERIMENTS
    assert round(len(body) / 2**20, 1) == 3.4
