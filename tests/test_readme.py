"""Every block of the README, executed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from abmiddleware.exposures.reader import JournalReader
from abmiddleware.exposures.records import ExposureRow, OutcomeRow, decode

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()

#: Drives the application of one framework as two visits of one browser.
DRIVERS = {
    "fastapi": """
from starlette.testclient import TestClient
from fastapi_app import app
client = TestClient(app)
print(client.get("/checkout").json(), client.get("/checkout").json())
""",
    "flask": """
from flask_app import app
client = app.test_client()
print(client.get("/checkout").text, client.get("/checkout").text)
""",
    "django": """
import os, sys
import django
from django.conf import settings
import settings as project
from django.urls import path
settings.configure(
    **{name: getattr(project, name) for name in dir(project) if name.isupper()},
    ROOT_URLCONF="urls", ALLOWED_HOSTS=["*"], SECRET_KEY="x",
)
django.setup()
from django.core.management import call_command
call_command("check")
from django.test import Client
client = Client()
print(client.get("/checkout").content.decode(), client.get("/checkout").content.decode())
""",
    "script": "import score",
}


URLS = """
from django.urls import path
import views
urlpatterns = [path('checkout', views.checkout)]
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The README's modules, as files of a project."""
    for block in blocks("python"):
        name = re.match(r"# (\w+\.py)\n", block)
        assert name, f"a block without the name of its file: {block}"
        (tmp_path / name[1]).write_text(block)
    (tmp_path / "urls.py").write_text(URLS)
    return tmp_path


def run(project: Path, driver: str) -> list[str]:
    environment = {**os.environ, "PYTHONWARNINGS": "error", "DJANGO_SETTINGS_MODULE": ""}
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", driver],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("framework", ["fastapi", "flask", "django"])
def test_the_views_run(project: Path, framework: str) -> None:
    """Each framework's view serves one visitor the same variation twice, and records both."""
    first, second = run(project, DRIVERS[framework])[-2:]
    rows = list(JournalReader(project / "var" / "experiments.jsonl"))

    assert first == second
    assert first in ("control", "one-click")
    assert [type(row) for row in rows] == [ExposureRow, ExposureRow]
    assert len({row.unit_id for row in rows if isinstance(row, ExposureRow)}) == 1


def test_the_script_runs(project: Path) -> None:
    """The script records its exposure and its outcome."""
    (value,) = run(project, DRIVERS["script"])
    rows = list(JournalReader(project / "var" / "experiments.jsonl"))

    assert value in ("control", "one-click")
    assert [type(row) for row in rows] == [ExposureRow, OutcomeRow]


def test_the_journal_line_is_as_it_really_looks(project: Path) -> None:
    """The line in the README decodes, and has the fields of a line that is written now."""
    (shown,) = blocks("json")
    run(project, DRIVERS["script"])
    written = (project / "var" / "experiments.jsonl").read_bytes().split(b"\n")[1]
    row = decode(shown.encode())

    assert list(msgspec.json.decode(shown)) == list(msgspec.json.decode(written))
    assert isinstance(row, ExposureRow)
    assert (row.experiment_key, row.service) == ("checkout-button", "shop")
    assert row.config_hash == msgspec.json.decode(written)["config_hash"]


@pytest.mark.parametrize(
    "command", [line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]
)
def test_the_commands_exist(command: str) -> None:
    """Each command of the README is a target of the Makefile."""
    program, *arguments = command.split()
    done = subprocess.run(  # noqa: S603  # the README's own commands, not carried out
        [program, "--dry-run", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert program == "make"
    assert done.returncode == 0, done.stderr


def test_every_block_has_a_test() -> None:
    """No block is of a language that these tests do not execute."""
    assert set(re.findall(r"```(\w*)\n", README)) - {""} == {"python", "sh", "json"}


def test_the_readme_is_short() -> None:
    """The README has at most 120 lines."""
    assert len(README.splitlines()) <= 120
