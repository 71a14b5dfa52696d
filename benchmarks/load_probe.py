"""One measurement in a fresh process: `python -m benchmarks.load_probe LOADER FILE`."""

from __future__ import annotations

import gc
import json
import resource
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time

from benchmarks.candidates import NotApplicableError
from benchmarks.loaders import LOADERS
from benchmarks.payload import EXPERIMENTS, key_of


def main(name: str, path: Path) -> dict[str, float | str]:
    """Return the figures of one loader, and why it has some not or none at all.

    The garbage collector is on, as in a service that loads a configuration.
    """
    body = path.read_bytes()
    try:
        loader = LOADERS[name]()
    except NotApplicableError as error:
        return {"left_out": str(error)}
    before = _resident()
    figures: dict[str, float | str] = {"load_ms": _milliseconds(lambda: loader.load(body))}
    figures["loaded_mib"] = _resident() - before
    figures["used_ms"] = _milliseconds(lambda: _use_all(loader.use))
    figures["used_mib"] = _resident() - before
    loader.settle(body)
    try:
        figures["unchanged_ms"] = _milliseconds(partial(loader.again, bytes(bytearray(body))))
    except NotApplicableError as error:
        figures["unchanged_ms_left_out"] = str(error)
    return figures


def _use_all(use: Callable[[str, str], None]) -> None:
    """Use each experiment once, which compiles what was put off."""
    for number in range(EXPERIMENTS):
        use(key_of(number), "user")


def _milliseconds(call: Callable[[], None]) -> float:
    began = process_time()
    call()
    return (process_time() - began) * 1000


def _resident() -> float:
    """Return the resident memory in MiB; its peak where the system does not tell the present."""
    gc.collect()
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except FileNotFoundError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], Path(sys.argv[2]))))
