"""What the three start commands share: their options, the journal's place, and one line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Options:
    """How a shop is to be served."""

    port: int
    workers: int


def journal_path(shop: str) -> Path:
    """Return where a shop's journal lies: `ABMIDDLEWARE_JOURNAL`, or a file in `var`."""
    return Path(os.environ.get("ABMIDDLEWARE_JOURNAL") or f"var/{shop}.jsonl")


def parse_options(module: str, arguments: Sequence[str] | None = None) -> Options:
    """Return the options of a start command such as `python -m example_apps.shop_flask`."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {module}",
        description="Serve the example shop. ABMIDDLEWARE_JOURNAL says where the journal lies.",
    )
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=1, help="server processes")
    parsed = parser.parse_args(arguments)
    return Options(parsed.port, parsed.workers)


def announce(shop: str, options: Options) -> None:
    """Say where the shop is open and where its journal lies."""
    line = f"{shop}: http://{HOST}:{options.port}/ · journal: {journal_path(shop)}\n"
    sys.stdout.write(line)
    sys.stdout.flush()


def run_gunicorn(application: str, options: Options) -> None:
    """Become gunicorn, with threads; a signal to this process is a signal to gunicorn."""
    command = [
        *(sys.executable, "-m", "gunicorn", application),
        *("--bind", f"{HOST}:{options.port}"),
        *("--workers", str(options.workers)),
        *("--worker-class", "gthread", "--threads", "4"),
        *("--log-level", "warning"),
    ]
    os.execv(sys.executable, command)  # noqa: S606  # the command is our own
