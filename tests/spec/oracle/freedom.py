"""Where the specification leaves a choice ("free"), or does not say.

The oracle has to do something there too; it notes the name of the choice, so that a comparison can
leave the example aside.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_touched: set[str] = set()


def free(name: str) -> None:
    """Note that the outcome from here on depends on a choice."""
    _touched.add(name)


@contextmanager
def watched() -> Iterator[set[str]]:
    """Collect the names of the choices that are met inside the block."""
    _touched.clear()
    yield _touched
