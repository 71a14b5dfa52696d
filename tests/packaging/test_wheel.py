"""The wheel, installed in clean environments as users install it."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parents[2]
PACKAGES = [
    "abmiddleware",
    "abmiddleware_django",
    "abmiddleware_fastapi",
    "abmiddleware_flask",
    "abmiddleware_pytest",
]
#: What each extra brings, and the package that it serves.
EXTRAS = {
    "": ([], "abmiddleware"),
    "django": (["django"], "abmiddleware_django"),
    "flask": (["flask"], "abmiddleware_flask"),
    "starlette": (["starlette"], "abmiddleware_fastapi"),
    "fastapi": (["fastapi", "starlette"], "abmiddleware_fastapi"),
}
#: The modules that cannot be imported without another extra, or a debug toolbar.
NEEDS_MORE = {
    "abmiddleware": ["abmiddleware.openfeature", "abmiddleware.analysis"],
    "abmiddleware_django": ["abmiddleware_django.panels"],
    "abmiddleware_fastapi": [],
    "abmiddleware_flask": ["abmiddleware_flask.panels"],
}
#: Imports every module of a package; those of Django need no settings for that.
IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
skipped = sys.argv[2:]
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not any(f"{module.name}.".startswith(f"{name}.") for name in skipped):
        importlib.import_module(module.name)
for name in getattr(package, "__all__", []):
    if "abmiddleware_fastapi.dependencies" not in skipped:
        getattr(package, name)
"""


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV", "DJANGO"))}
    return subprocess.run(  # noqa: S603  # our own commands
        command, capture_output=True, text=True, check=False, env=clean, cwd="/"
    )


def succeed(*command: str | Path) -> str:
    done = run(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as for a release."""
    out = tmp_path_factory.mktemp("wheel")
    succeed(sys.executable, "-m", "build", "--wheel", "--outdir", out, ROOT)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """The interpreter of a clean virtual environment."""
    home = tmp_path / "environment"
    venv.create(home, with_pip=False)
    return home / "bin" / "python"


def install_wheel(python: Path, wheel: Path, extra: str) -> None:
    target = f"{wheel}[{extra}]" if extra else str(wheel)
    succeed(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", target)


def test_the_wheel_holds_four_typed_packages_and_nothing_else(wheel: Path) -> None:
    """The wheel has the code, its types and its licence; no tests, demos or caches."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    (metadata,) = tops - set(PACKAGES)

    assert metadata.endswith(".dist-info")
    assert tops == {*PACKAGES, metadata}
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    assert f"{metadata}/licenses/LICENSE" in names
    code = {name for name in names if not name.startswith(metadata)}
    assert {Path(name).suffix for name in code} == {".py", ".typed"}
    assert code == {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", ".typed")
    }


@pytest.mark.parametrize("extra", EXTRAS, ids=lambda extra: extra or "none")
def test_each_extra_brings_what_its_package_needs(
    wheel: Path, environment: Path, extra: str
) -> None:
    """In a clean environment the wheel with one extra imports whole, and brings nothing else."""
    frameworks, package = EXTRAS[extra]
    install_wheel(environment, wheel, extra)
    succeed(
        environment, "-W", "error", "-c", IMPORT_ALL, "abmiddleware", *NEEDS_MORE["abmiddleware"]
    )
    skipped = ["abmiddleware_fastapi.dependencies"] if extra == "starlette" else NEEDS_MORE[package]
    if package != "abmiddleware":
        succeed(environment, "-W", "error", "-c", IMPORT_ALL, package, *skipped)

    listed = succeed(
        sys.executable, "-m", "pip", "--python", environment, "list", "--format=freeze"
    )
    installed = {line.split("==")[0].lower() for line in listed.split()}
    assert installed & {"django", "flask", "starlette", "fastapi"} == set(frameworks)
    assert {"abmiddleware", "msgspec", "fnv-hash-fast", "opentelemetry-api"} <= installed
    succeed(sys.executable, "-m", "pip", "--python", environment, "check")

    if extra == "starlette":
        failed = run(environment, "-c", "from abmiddleware_fastapi import Experiments")
        assert failed.returncode == 1
        assert failed.stderr.endswith(
            "ImportError: Experiments needs FastAPI, which is not installed: "
            "pip install 'abmiddleware[fastapi]'\n"
        )
        succeed(environment, "-c", "from abmiddleware_fastapi import ExperimentsMiddleware")


def test_a_record_tells_the_version_of_the_wheel(wheel: Path, environment: Path) -> None:
    """The library knows its version where it is installed, and writes records there."""
    install_wheel(environment, wheel, "")
    script = """
import sys
from abmiddleware import Engine, Experiment, JournalReader
engine = Engine([Experiment("button", ["a", "b"])], journal=sys.argv[1])
with engine.client(id="one") as experiments:
    experiments.run("button")
print(*(row.sdk for row in JournalReader(sys.argv[1])))
"""
    version = wheel.name.split("-")[1]
    journal = environment.parents[1] / "journal.jsonl"

    assert succeed(environment, "-c", script, journal).strip() == f"abmiddleware/{version}"
