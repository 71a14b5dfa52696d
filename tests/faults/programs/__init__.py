"""Programs that tests run as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.faults.scale import times


def run_program(name: str, *arguments: str, **environment: str) -> str:
    """Run a program of this package to its good end; return what it prints.

    Coverage does not watch it: the memory that it needs would be taken for ours.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_")}
    ended = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-m", f"tests.faults.programs.{name}", *arguments],
        cwd=Path(__file__).parents[3],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=times(300, 3600),
        check=False,
    )
    assert ended.returncode == 0, f"{name} ended with {ended.returncode}: {ended.stderr[-4000:]}"
    return ended.stdout
