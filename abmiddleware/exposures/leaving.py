"""What is left to do when a process ends."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from weakref import WeakMethod


def call_at_exit(method: Callable[[], object]) -> None:
    """Call a method when this process ends, unless its object is gone by then.

    Children do not call what their parents were to call.
    """
    pid, weak = os.getpid(), WeakMethod(method)

    def leave() -> None:
        called = weak()
        if called is not None and os.getpid() == pid:
            called()

    atexit.register(leave)
    # A child that multiprocessing forked ends without atexit.
    if "multiprocessing.util" in sys.modules:
        from multiprocessing import parent_process
        from multiprocessing.util import Finalize

        if parent_process() is not None:
            Finalize(None, leave, exitpriority=0)
