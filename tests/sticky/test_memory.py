"""The store in memory: bounded, and safe under threads and forks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from abmiddleware import ConfigurationError
from abmiddleware.sticky import MemoryStickyStore, StickyDocument


def visitor(number: int, **assignments: str) -> StickyDocument:
    return StickyDocument("id", str(number), assignments or {"button__0": "1"})


def test_the_documents_used_last_are_kept() -> None:
    """Past its bound a store drops what was neither loaded nor saved for longest."""
    store = MemoryStickyStore(max_documents=3)
    for number in range(3):
        store.save(visitor(number))
    store.load(["id||0"])
    store.save(visitor(1, price__0="low"))
    store.save(visitor(3))

    assert list(store.load([f"id||{number}" for number in range(4)])) == ["id||0", "id||1", "id||3"]
    assert len(store) == 3


def test_a_loaded_document_stays_as_it_was() -> None:
    """A save behind it does not change a document that a request holds."""
    store = MemoryStickyStore()
    store.save(visitor(1))
    before = store.load(["id||1"])
    store.save(visitor(1, price__0="low"))

    assert before == {"id||1": visitor(1)}


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "100", None, True], ids=repr)
def test_a_wrong_bound_is_refused(wrong: object) -> None:
    """The error says what it must be."""
    with pytest.raises(ConfigurationError, match=r"max_documents: is .*, must be a number of at"):
        MemoryStickyStore(wrong)  # type: ignore[arg-type]


FORK = """
import os
from abmiddleware.sticky import MemoryStickyStore, StickyDocument
store = MemoryStickyStore()
store.save(StickyDocument("id", "u1", {"button__0": "1"}))
with store._lock:  # as another thread might
    pid = os.fork()
    if not pid:
        store.save(StickyDocument("id", "u1", {"price__0": "low"}))
        print(dict(store.load(["id||u1"])["id||u1"].assignments), flush=True)
        os._exit(0)
os.waitpid(pid, 0)
"""


def test_a_child_forked_while_the_store_was_in_use_goes_on() -> None:
    """A lock that was held at the fork does not stop the child."""
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-c", FORK],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    assert done.stdout == "{'button__0': '1', 'price__0': 'low'}\n"
