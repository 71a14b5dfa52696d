"""Configuration of GrowthBook from the file in which another process keeps it."""

from __future__ import annotations

import os
import re
from time import time_ns
from typing import BinaryIO, Final

from abmiddleware.evaluation.document import Document
from abmiddleware.notices import notices
from abmiddleware.sources.encryption import check_key
from abmiddleware.sources.file import File
from abmiddleware.sources.last_good import MAX_FILE, read_kept
from abmiddleware.sources.payloads import Held
from abmiddleware.sources.retry import check_seconds

#: A warning follows after that many intervals without a confirmation.
_MISSED: Final = 3
#: What stands before the payload, in bytes at most.
_HEAD: Final = 512
_VERSION: Final = re.compile(rb'^\{"format":1,[^{}]*"version":"([^"{}]*)"')


class GrowthBookFile(File):
    """Follows the last-good file of a `GrowthBook` source in another process, such as the agent's.

        GrowthBookFile("var/growthbook.json")

    No thread and no network: as with `File`, the first request of each second looks whether the
    file has changed. Its time of change tells when the server last confirmed what is in it.

    Args:
        path: the file, which need not be there yet.
        poll_seconds: within which the other process asks the server; a warning follows when the
            file was not confirmed for three of them.
        decryption_key: of an SDK connection that encrypts; needs the extra `crypto`.

    Raises:
        ConfigurationError: an argument is wrong, or a package is missing.
    """

    origin = "last good"
    may_be_half_written = False

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        poll_seconds: float = 60.0,
        decryption_key: str | None = None,
    ) -> None:
        self._key = None if decryption_key is None else check_key(decryption_key)
        self.interval = check_seconds("poll_seconds", poll_seconds)
        super().__init__(path, required=False)

    def _look(self) -> None:
        super()._look()
        age = self._age()
        if age is not None and age > _MISSED * self.interval:
            notices.warn(
                f"{self.name} age",
                "%s was not confirmed for %.0f seconds: does the agent that refreshes it run?",
                self.name,
                age,
            )

    def _check_name(self, path: str | os.PathLike[str]) -> None:
        """Take any name: the form is known."""

    @property
    def max_bytes(self) -> int:
        """The size of the largest file that is used."""
        return MAX_FILE

    def _decoded(self, raw: bytes) -> Document:
        document = Held().merged(bytes(read_kept(raw, self.path.name).payload), self._key).document
        assert document is not None  # else it would have raised
        return document

    def _version_of(self, raw: bytes) -> str:
        found = _VERSION.match(raw[:_HEAD])
        return str(found[1], "utf-8", "replace") if found else super()._version_of(raw)

    def _still_holds(self, file: BinaryIO) -> bool:
        """Tell whether a file whose time has changed holds what serves: it was but confirmed."""
        head = file.read(_HEAD)
        file.seek(0)
        return bool(self._version) and self._version_of(head) == self._version

    def _age(self) -> float | None:
        modified = self._modified
        return None if modified is None else max(0.0, (time_ns() - modified) / 1e9)
