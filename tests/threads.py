"""The threads that something started, whatever else of the process starts or ends meanwhile."""

from __future__ import annotations

import os
import threading


class Threads:
    """Those that were not there when this was made."""

    def __init__(self) -> None:
        self._before = set(threading.enumerate())
        self._tasks = set(os.listdir("/proc/self/task"))

    @property
    def started(self) -> list[threading.Thread]:
        """Those of Python."""
        return [one for one in threading.enumerate() if one not in self._before]

    @property
    def tasks(self) -> list[str]:
        """All that the kernel knows, those of libraries as well."""
        return [one for one in os.listdir("/proc/self/task") if one not in self._tasks]
