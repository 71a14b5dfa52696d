"""What the agent must not forget: how far each file was delivered, and what is on its way."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Final

import msgspec

from abmiddleware.exposures.tail import Place
from abmiddleware.notices import notices

VERSION: Final = 1
_NAME: Final = "state.json"


class Pending(msgspec.Struct):
    """A batch that is on its way: read again, it is the same."""

    #: Names the files of a destination that has files, so that a repetition replaces them.
    batch: str
    #: Where it ends, in each file.
    until: dict[str, Place]
    #: Parts of it that have arrived; days for destinations that keep days apart.
    done: list[str] = msgspec.field(default_factory=list)
    #: The part that the loader has taken over, and its load package.
    part: str = ""
    package: str = ""


class Counts(msgspec.Struct):
    """Since the state was made."""

    delivered: dict[str, int] = msgspec.field(default_factory=dict)
    quarantined: int = 0
    #: Pieces that the quarantine had no room for.
    unkept: int = 0
    #: Batches that had to wait because of the quota.
    over_quota: int = 0
    failures: int = 0
    troubles: dict[str, int] = msgspec.field(default_factory=dict)


class State(msgspec.Struct):
    """What is kept between two runs."""

    #: What no other agent has.
    agent: str = msgspec.field(default_factory=partial(token_hex, 8))
    places: dict[str, Place] = msgspec.field(default_factory=dict)
    pending: Pending | None = None
    counts: Counts = msgspec.field(default_factory=Counts)
    last_error: str = ""
    #: In seconds since 1970; 0 for never.
    last_error_at: float = 0.0
    last_delivery_at: float = 0.0
    #: Where it goes, without secrets.
    destination: str = ""


class _Kept(msgspec.Struct):
    version: int
    checksum: str
    state: msgspec.Raw


class StateFile:
    """Keeps a state in a directory; replaced whole, with a checksum.

    Args:
        directory: of the agent.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / _NAME

    def load(self) -> State:
        """Return what was kept.

        A broken file is moved aside and the journal is delivered anew: what arrives twice has
        the same `event_id`.

        Raises:
            OSError: it cannot be read.
        """
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return State()
        try:
            return _read(raw)
        except ValueError as error:
            place = self.path.with_name(f"{_NAME}.broken")
            self.path.replace(place)
            notices.warn(
                f"state {self.path}",
                "%s is moved to %s, and the whole journal is delivered again: %s",
                self.path,
                place.name,
                error,
            )
            return State()

    def save(self, state: State) -> None:
        """Replace what is kept.

        Raises:
            OSError: it cannot be written.
        """
        told = msgspec.json.encode(state)
        kept = _Kept(VERSION, sha256(told).hexdigest(), msgspec.Raw(told))
        temporary = self.path.with_name(f".{_NAME}.tmp")
        try:
            with temporary.open("wb") as file:
                file.write(msgspec.json.encode(kept))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise


def _read(raw: bytes) -> State:
    kept = msgspec.json.decode(raw, type=_Kept)
    if kept.version != VERSION:
        raise ValueError(f"its version is {kept.version}, not {VERSION}")
    if kept.checksum != sha256(kept.state).hexdigest():
        raise ValueError("its checksum is wrong")
    return msgspec.json.decode(kept.state, type=State)
