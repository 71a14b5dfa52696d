"""Configuration from a file, read again when it changes, without a thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import BinaryIO, Final
from weakref import WeakSet

from abmiddleware.evaluation.conditions import Problem
from abmiddleware.evaluation.document import Document
from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError, DocumentError
from abmiddleware.notices import notices
from abmiddleware.sources.formats import DECODERS, max_bytes, read_document
from abmiddleware.sources.holding import version_of
from abmiddleware.sources.marks import SETTLING, Mark
from abmiddleware.sources.problems import Search, report_problems
from abmiddleware.sources.source import SourceStatus, warn_of_second_engine
from abmiddleware.sources.yaml_text import check_yaml

#: Seconds between two looks at the file.
INTERVAL: Final = 1.0
#: Seconds in which nobody else looks while one reads it.
_READING: Final = 30.0
#: Looks in a row that wait for a file to be left alone; then it is read as it is.
_MAX_WAITS: Final = 10
#: Parts of a changed file that one look compiles to see what is wrong with them, which takes some
#: 25 milliseconds of a request: all ten thousand of a large one would take half a second.
_MAX_CHECKED: Final = 500


class File:
    """Experiments and features of a `.json`, `.toml`, `.yaml` or `.yml` file.

        File("experiments.toml")

    It holds what GrowthBook's payloads hold, in the same words; `experiments` may also be a
    mapping of experiments by key. The first request of each second looks whether the file has
    changed, and reads it where it has. What cannot be used changes nothing, and is told once.

    Args:
        path: the file; relative to the working directory at the time the source is made.
        required: whether a file that is missing or broken at the start is an error. Else it is
            told in the log, and read once it is there.

    Raises:
        ConfigurationError: the path is of no such file, or a package is missing.
    """

    #: What the status calls it.
    origin = "file"
    #: Seconds within which a change should be seen.
    interval = INTERVAL
    #: Whether somebody may write it in place.
    may_be_half_written = True

    def __init__(self, path: str | os.PathLike[str], *, required: bool = True) -> None:
        if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
            raise ConfigurationError(f"path: is {shown(path)}, must be the path of a file")
        self.path = Path(os.fsdecode(path)).absolute()
        self._check_name(path)
        self.required = required
        self.name = f"{type(self).__name__}({os.fsdecode(path)})"
        self.document: Document | None = None
        self._changed: Callable[[], None] = lambda: None
        self._due = 0.0
        self._is_open = False
        self._is_closed = False
        self._mark: Mark | None = None
        #: Looks in a row that found somebody writing.
        self._waits = 0
        self._seen: float | None = None
        #: The file's time of change when it was last read, in nanoseconds since 1970.
        self._modified: int | None = None
        self._error = ""
        #: Of what serves; "" until all have been told of it.
        self._version = ""
        #: The version whose parts were looked at, one by one.
        self._examined = ""
        self._search: Search | None = None
        self._problems: tuple[Problem, ...] = ()
        self._attempts = 0
        self._failures = 0
        _files.add(self)

    def __repr__(self) -> str:
        return self.name

    def _check_name(self, path: str | os.PathLike[str]) -> None:
        """Refuse a path whose name does not tell the file's form.

        Raises:
            ConfigurationError: it does not, or a package is missing.
        """
        suffix = self.path.suffix.lower()
        if suffix not in DECODERS:
            names = ", ".join(DECODERS)
            raise ConfigurationError(f"path: is {shown(path)}, must end in one of {names}")
        if suffix in (".yaml", ".yml"):
            check_yaml()

    @property
    def max_bytes(self) -> int:
        """The size of the largest file that is used."""
        return max_bytes(self.path.suffix.lower())

    def _decoded(self, raw: bytes) -> Document:
        """Return the document of what the file holds.

        Raises:
            DocumentError: nothing of it may be used.
        """
        return read_document(raw, self.path.suffix.lower(), self.path.name)

    def _version_of(self, raw: bytes) -> str:
        """Return the short hash that tells what the file holds apart."""
        return version_of(raw)

    def _still_holds(self, file: BinaryIO) -> bool:
        """Tell from its first bytes whether a file whose time has changed holds what serves."""
        return False

    def _age(self) -> float | None:
        """Return the seconds since what serves was last known to be the current one."""
        return None if self._seen is None else monotonic() - self._seen

    def open(self, changed: Callable[[], None]) -> None:
        """Read the file.

        Raises:
            ConfigurationError: it is required, and cannot be read.
            DocumentError: it is required, and nothing of it may be used.
        """
        if self._is_open:
            warn_of_second_engine(self.name)
        try:
            self._read(Mark.at(self.path))
            self._examine()
        except DocumentError as error:
            if self.required:
                raise
            self._fail(error)
        except (OSError, ValueError) as error:
            if self.required:
                hint = (
                    "; required=False waits for it" if isinstance(error, FileNotFoundError) else ""
                )
                raise ConfigurationError(f"{self.name}: cannot be read: {error}{hint}") from error
            self._fail(error)
        self._changed, self._is_open = changed, True
        self._due = monotonic() + INTERVAL

    def look(self) -> None:
        """Read the file if it has changed, and nobody looked within the last second."""
        if monotonic() >= self._due:
            self._look()

    def _look(self) -> None:
        # Others pass meanwhile. A lock would do so, too, but be held in a child that is forked at
        # that moment.
        self._due = monotonic() + _READING
        pause = INTERVAL
        try:
            mark = Mark.at(self.path)
            if self._must_wait(mark):
                pause = SETTLING
            else:
                self._read(mark)
                self._examine()
        except Exception as error:  # noqa: BLE001  # a request must not fail for it
            self._fail(error)
        finally:
            self._due = float("inf") if self._is_closed else monotonic() + pause

    def _must_wait(self, mark: Mark) -> bool:
        """Tell whether the file has changed, and somebody may still be writing it."""
        is_changing = self.may_be_half_written and mark != self._mark and mark.is_settling()
        self._waits = self._waits + 1 if is_changing and self._waits < _MAX_WAITS else 0
        return self._waits > 0

    def _read(self, mark: Mark) -> None:
        """Read the file, unless it is as it was.

        Raises:
            OSError: it cannot be read.
            DocumentError: nothing of it may be used.
        """
        if mark == self._mark:
            if not self._error:
                self._seen = monotonic()
            return
        self._attempts += 1
        # Set at the end only: who is interrupted, by a signal or a fork, leaves all to the next.
        self._mark = None
        with self.path.open("rb") as file:
            # Of what is read, and before it is: a change from here on is seen at the next look.
            mark = Mark.of(os.fstat(file.fileno()))
            is_same = self._still_holds(file)
            raw = b"" if is_same else file.read(self.max_bytes + 1)
        kept = None if mark.may_be_reused() else mark
        version = self._version if is_same else self._version_of(raw)
        try:
            if mark.size > self.max_bytes:
                problem = f"is {mark.size} bytes, must be at most {self.max_bytes}"
                raise DocumentError(self.path.name, problem)  # noqa: TRY301
            self._take(raw, version)
        except DocumentError:
            self._mark = kept
            raise
        self._mark, self._seen, self._error = kept, monotonic(), ""
        self._modified = mark.modified

    def _take(self, raw: bytes, version: str) -> None:
        """Use what was read, unless it is what serves; each step is done again if it was cut.

        Raises:
            DocumentError: nothing of it may be used.
        """
        document = self.document
        if document is None or version != self._version:
            document = self._decoded(raw)
            self._version = ""
            self.document, self._problems = document, document.problems
            self._changed()
            self._version = version

    def _examine(self) -> None:
        """Look at more parts of what serves, or at all of them where no request waits."""
        document, version = self.document, self._version
        if document is None or not version or version == self._examined:
            return
        # Put back at the end only, as above: a search that was cut begins anew.
        search, self._search = self._search, None
        if search is None or search.document is not document:
            search = Search(document)
        is_more = search.go_on(_MAX_CHECKED)
        while is_more and not self._is_open:
            is_more = search.go_on(_MAX_CHECKED)
        self._problems = search.problems
        if is_more:
            self._search = search
            return
        report_problems(self.name, self._problems)
        self._examined = version

    def _fail(self, error: Exception) -> None:
        text = str(error) or type(error).__name__
        if isinstance(error, OSError):
            self._mark = None  # whatever comes back is read
        self._failures += 1
        if text == self._error:
            return
        self._error = text
        notices.warn(
            f"{self.name} {text}",
            "%s cannot be used, %s: %s",
            self.name,
            "nothing of it serves" if self.document is None else "what it held before serves",
            text,
            error=None if isinstance(error, (OSError, DocumentError)) else error,
        )

    def status(self) -> SourceStatus:
        """Look at the file where that is due, and tell how it is doing."""
        self.look()
        return SourceStatus(
            name=self.name,
            ready=self.document is not None,
            age_seconds=self._age(),
            interval_seconds=self.interval,
            last_error=self._error,
            version=self._version,
            origin="" if self.document is None else self.origin,
            problems=self._problems,
            attempts=self._attempts,
            failures=self._failures,
        )

    def close(self, timeout: float = 5.0) -> None:
        """Look at the file no more; nothing here takes time."""
        self._is_closed, self._due = True, float("inf")

    def after_fork(self) -> None:
        """Look soon in a child: the thread that was reading is not in it."""
        self._due = float("inf") if self._is_closed else 0.0


_files: WeakSet[File] = WeakSet()


def _after_fork() -> None:
    for file in list(_files):
        file.after_fork()


os.register_at_fork(after_in_child=_after_fork)
