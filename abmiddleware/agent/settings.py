"""What an agent is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

MIB: Final = 1024 * 1024
#: A smaller quota, in MiB, leaves no room for work beside the loader's own files.
LEAST_QUOTA: Final = 4


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """Which configuration is refreshed, and where."""

    #: The last-good file that the web workers follow.
    file: Path
    client_key: str
    host: str
    poll_seconds: float = 60.0
    decryption_key: str | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent is told; paths are absolute."""

    #: The journal's file.
    journal: Path
    #: Where to; see `docs/agent.md`. "" delivers nothing.
    destination: str
    #: The agent's own directory.
    directory: Path
    #: The schema or folder of the tables.
    dataset: str = "experiments"
    #: Records of one load package, at most.
    batch: int = 200_000
    #: Seconds between two deliveries, while there is less than a batch.
    interval: float = 10.0
    #: Seconds that one delivery may take, until it is given up and begun again.
    timeout: float = 600.0
    #: Bytes that the agent may keep on disk.
    quota: int = 1024 * MIB
    #: What to refresh; None for nothing.
    configuration: Configuration | None = None

    @property
    def quarantine(self) -> Path:
        """The file for what is no record."""
        return self.journal.with_name(f"{self.journal.name}.quarantine")


def directory_of(journal: str | os.PathLike[str]) -> Path:
    """Return where the agent of a journal keeps its state, unless it is told otherwise."""
    path = Path(journal).absolute()
    return path.with_name(f"{path.name}.agent")
