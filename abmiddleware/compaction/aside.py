"""What is no row, on its way into the quarantine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from abmiddleware.agent.quarantine import Bad, Quarantine

#: Bytes of pieces that are held in memory.
_HELD: Final = 16 * 1024 * 1024
#: Bytes that a piece takes besides its own, about.
_EACH: Final = 256


class Aside:
    """Puts pieces into the quarantine, once: neither the agent's nor a repetition's again.

    Args:
        quarantine: where to.
    """

    def __init__(self, quarantine: Quarantine) -> None:
        #: Pieces that were found, also those that were kept before.
        self.count = 0
        #: Pieces that there was no room for.
        self.unkept = 0
        self._quarantine = quarantine
        self._held: list[Bad] = []
        self._size = 0

    def add(self, pieces: Iterable[Bad]) -> None:
        """Take pieces.

        Raises:
            OSError: the quarantine cannot be read or written.
        """
        for bad in pieces:
            self.count += 1
            self._held.append(bad)
            self._size += len(bad.piece.raw) + _EACH
        if self._size > _HELD:
            self.flush()

    def flush(self) -> None:
        """Write what is held.

        Raises:
            OSError: the quarantine cannot be read or written.
        """
        held, self._held, self._size = self._held, [], 0
        self.unkept += self._quarantine.add(self._quarantine.without_kept(held))
