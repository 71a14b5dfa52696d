"""The last good configuration on disk, to start from while the server is down.

One file, replaced whole by a rename; several processes may share it. What was encrypted stays so.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError, DocumentError
from abmiddleware.notices import notices

#: Of the file's form; files of another one are moved aside.
VERSION: Final = 1
#: Larger files are not read, in bytes: sections of several payloads add up.
MAX_FILE: Final = 40 * 1024 * 1024
#: Broken files that are kept; a later one replaces the last of them.
MAX_BROKEN: Final = 5
#: Seconds between two looks whether the file must be written again.
_BETWEEN: Final = 1.0


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds."""

    #: Of the file's form.
    format: int
    #: Whose configuration it is: a hash of the client key.
    owner: str
    #: The configuration's version, as the status of a source tells it.
    version: str
    #: SHA-256 of `payload`, as hexadecimal digits.
    checksum: str
    #: Sections in GrowthBook's form, as they came.
    payload: msgspec.Raw


def read_kept(raw: bytes, name: str) -> Kept:
    """Return what a last-good file holds.

    Raises:
        DocumentError: it is broken.
    """
    if len(raw) > MAX_FILE:
        raise DocumentError(name, f"it is larger than {MAX_FILE} bytes")
    try:
        kept = msgspec.json.decode(raw, type=Kept)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DocumentError(name, f"it cannot be decoded ({error})") from None
    if kept.format != VERSION:
        raise DocumentError(name, f"its form is {kept.format}, not {VERSION}")
    if kept.checksum != sha256(kept.payload).hexdigest():
        raise DocumentError(name, "its checksum is wrong")
    return kept


def _checked(path: object) -> Path:
    problem = "must be the path of a file"
    if isinstance(path, (str, os.PathLike)) and os.fspath(path):
        place = Path(os.fsdecode(path)).absolute()
        try:
            if stat.S_ISREG(place.stat().st_mode):
                return place
            problem += ", and something else is there"
        except OSError:  # it is not there yet, or may not be looked at
            return place
        except ValueError:
            problem += ", without a NUL"
    raise ConfigurationError(f"last_good: is {shown(path)}, {problem}")


class LastGood:
    """Keeps one configuration in a file; its methods never raise, for it is only a help.

    Args:
        path: the file; its directory is made when it is needed.
        owner: whose configuration it is; a file of another owner is moved aside.

    Raises:
        ConfigurationError: there can be no file, or something else is in its place.
    """

    def __init__(self, path: str | os.PathLike[str], owner: str) -> None:
        self.path = _checked(path)
        self.owner = owner
        #: Writes of this process that failed.
        self.failures = 0
        #: The version that this process has found or put there.
        self._kept_version = ""
        #: The version that was looked after last, and when that may be done again.
        self._tried = ""
        self._due = 0.0

    def load(self) -> tuple[bytes, str] | None:
        """Return the payload and its version; None where there is nothing that can be used."""
        try:
            kept = self._kept()
        except FileNotFoundError:
            return None
        except DocumentError as error:
            self._move_aside(error.problem)
        except (OSError, ValueError) as error:  # no right to read it, or a NUL in its path
            self._warn("cannot be read, so nothing was loaded from it: %s", error)
        else:
            self._kept_version = kept.version
            return bytes(kept.payload), kept.version
        return None

    def _kept(self) -> Kept:
        """Return what the file holds.

        Raises:
            DocumentError: it is broken, or of somebody else.
            OSError: it cannot be read.
        """
        name = self.path.name
        if not stat.S_ISREG(self.path.stat().st_mode):  # a pipe would block
            raise OSError(f"{name} is not a file")
        with self.path.open("rb") as file:
            kept = read_kept(file.read(MAX_FILE + 1), name)
        if kept.owner != self.owner:
            raise DocumentError(name, "it is of another client key")
        return kept

    def keep(self, sections: Mapping[str, object], version: str) -> None:
        """See to it that the file is there and holds this configuration.

        Where it does, its time of change is set: it tells others when that was last known.
        What could not be written, and a file that is gone, is written a second later or more.

        Args:
            sections: as they came.
            version: the configuration's.
        """
        now = monotonic()
        if version == self._tried and now < self._due:
            return
        self._tried, self._due = version, now + _BETWEEN
        if version == self._kept_version and self._touch():
            return
        if self.save(msgspec.json.encode(sections), version):
            self._kept_version = version

    def _touch(self) -> bool:
        """Set the time of change to now; tell whether the file is there."""
        try:
            os.utime(self.path)
        except OSError:  # somebody else's
            return os.path.exists(self.path)  # never raises
        return True

    def save(self, payload: bytes, version: str) -> bool:
        """Replace the file; readers find the old one or the new one, whole.

        Returns:
            Whether that succeeded.
        """
        kept = Kept(
            format=VERSION,
            owner=self.owner,
            version=version,
            checksum=sha256(payload).hexdigest(),
            payload=msgspec.Raw(payload),
        )
        unique = f".{self.path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp"
        temporary = self.path.with_name(unique)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._write(temporary, msgspec.json.encode(kept))
            temporary.replace(self.path)
        except (OSError, ValueError) as error:
            self.failures += 1
            with suppress(OSError, ValueError):
                temporary.unlink()
            self._warn("cannot be written; a restart while the server is down has none: %s", error)
            return False
        return True

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        with open(descriptor, "wb") as file:
            file.write(content)

    def _move_aside(self, reason: str) -> None:
        """Keep what cannot be used under another name, so that somebody can look at it."""
        name = self.path.name
        numbers = range(1, MAX_BROKEN + 1)
        places = [self.path.with_name(f"{name}.broken-{number}") for number in numbers]
        place = next((place for place in places if not place.exists()), places[-1])
        with suppress(OSError):
            self.path.replace(place)
            self._warn("is moved to %s: %s", place.name, reason)

    def _warn(self, message: str, *arguments: object) -> None:
        notices.warn(
            f"last good {self.path} {message}",
            "the last-good file %s " + message,
            self.path,
            *arguments,
        )
