"""A process that saves 25 assignments of one visitor: `python -m tests.sticky.writer ...`."""

from __future__ import annotations

import sys

from abmiddleware.sticky import StickyDocument
from tests.sticky.places import PLACES

if __name__ == "__main__":
    place, address, number = sys.argv[1:]
    with PLACES[place][0](address) as store:
        for index in range(25):
            store.save(StickyDocument("id", "u1", {f"exp-{number}-{index}__0": number}))
