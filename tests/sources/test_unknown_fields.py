"""Fields of files that nothing reads: told, and in nobody's way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from abmiddleware import Engine, MemorySink
from abmiddleware.sources import File

EXPERIMENT: dict[str, Any] = {"variations": [0, 1], "hashVersion": 2}
EFFECT = "and has no effect"


def problems_of(tmp_path: Path, payload: object) -> list[tuple[str, str]]:
    """Return the problems that the health of an engine tells of a file."""
    path = tmp_path / "experiments.json"
    path.write_text(json.dumps(payload))
    (status,) = Engine(sources=[File(path)], sink=MemorySink()).health().sources
    return [(problem.path, problem.problem) for problem in status.problems]


@pytest.mark.parametrize(
    ("payload", "path", "problem"),
    [
        pytest.param(
            {"experiments": {"a": {**EXPERIMENT, "coverge": 0}}},
            "experiments.a.coverge",
            f"is no field of an experiment {EFFECT}, did you mean 'coverage'?",
            id="experiment",
        ),
        pytest.param(
            {"experiments": [{**EXPERIMENT, "key": "a", "hash_version": 2}]},
            "experiments.a.hash_version",
            f"is no field of an experiment {EFFECT}, did you mean 'hashVersion'?",
            id="python-spelling",
        ),
        pytest.param(
            {"features": {"f": {"default": 1}}},
            "features.f.default",
            f"is no field of a feature {EFFECT}, did you mean 'defaultValue'?",
            id="feature",
        ),
        pytest.param(
            {"features": {"f": {"rules": [{"force": 1}, {"force": 1, "covrage": 0.1}]}}},
            "features.f.rules[1].covrage",
            f"is no field of a rule {EFFECT}, did you mean 'coverage'?",
            id="rule",
        ),
        pytest.param(
            {"features": {"f": {"rules": [{"force": 1, "filters": [{"sed": "x"}]}]}}},
            "features.f.rules[0].filters[0].sed",
            f"is no field of a filter {EFFECT}, did you mean 'seed'?",
            id="filter",
        ),
        pytest.param(
            {"experiments": {"a": {**EXPERIMENT, "jiraTicket": "X-1"}}},
            "experiments.a.jiraTicket",
            f"is no field of an experiment {EFFECT}; a note of yours may begin with _",
            id="like-nothing",
        ),
        pytest.param(
            {"features": {}, "expriments": []},
            "expriments",
            "is no section, did you mean 'experiments'?",
            id="section",
        ),
    ],
)
def test_an_unknown_field_is_told(tmp_path: Path, payload: Any, path: str, problem: str) -> None:
    """With its place and what was most likely meant."""
    assert (path, problem) in problems_of(tmp_path, payload)


def test_an_experiment_with_an_unknown_field_serves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The field is told in the log, and nothing else is changed by it."""
    path = tmp_path / "experiments.json"
    path.write_text(json.dumps({"experiments": {"a": {**EXPERIMENT, "coverge": 0}}}))
    engine = Engine(sources=[File(path)], sink=MemorySink())
    assert engine.client(id="u1").run("a").in_experiment
    assert "experiments.a.coverge" in caplog.text


def test_what_growthbook_keeps_beside_is_no_slip(tmp_path: Path) -> None:
    """A payload that was saved from GrowthBook, with notes of people, has no problem."""
    notes = {
        "project": "shop",
        "dateUpdated": "2026-11-23T00:00:00Z",
        "tags": ["checkout"],
        "description": "a test",
        "archived": False,
        "owner": "ann",
        "metadata": {"projects": ["shop"]},
        "_ticket": "X-1",
    }
    rule = {**notes, "id": "fr_1", "force": 2, "parentConditions": [{"id": "g", "condition": {}}]}
    payload = {
        "status": 200,
        "dateUpdated": "2026-11-23T00:00:00Z",
        "features": {"f": {**notes, "valueType": "number", "defaultValue": 1, "rules": [rule]}},
        "experiments": [
            {
                **EXPERIMENT,
                **notes,
                "key": "a",
                "status": "running",
                "changeId": "c1",
                "changeType": "redirect",
                "manual": False,
                "meta": [{"key": "0", "name": "control"}, {"key": "1"}],
                "urlPatterns": [{"type": "simple", "pattern": "/x", "include": True}],
                "persistQueryString": True,
                "disableStickyBucketing": True,
            }
        ],
        "savedGroups": {"g": ["u1"]},
    }
    assert problems_of(tmp_path, payload) == []
