"""Turns the closed files of a journal into Parquet, one after the other."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import BinaryIO

import msgspec

from abmiddleware.compaction.deleting import NotWholeError, delete, verify
from abmiddleware.compaction.markers import Marker, Markers, sync
from abmiddleware.compaction.parquet import pyarrow
from abmiddleware.compaction.sources import Agents, opened, sources, why_open
from abmiddleware.compaction.summary import Summary
from abmiddleware.compaction.turning import Turning
from abmiddleware.exceptions import ABMiddlewareError
from abmiddleware.exposures.siblings import Sibling


class BusyError(ABMiddlewareError):
    """Another process is at it."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done; paths are absolute."""

    #: The journal's file.
    journal: Path
    #: Where the tables go.
    directory: Path
    #: For what is no row.
    quarantine: Path
    #: Directories of the agents that ship the journal.
    agents: Sequence[Path] = ()
    #: The last UTC day of which a file may have records.
    until: date
    #: Seconds since the last record of a file that gets no more.
    grace: float
    #: Whether files are deleted that are kept as Parquet, and delivered.
    deletes: bool = False


#: Told bytes that were read, of how many, and rows that were written.
Progress = Callable[[int, int, int], None]


class Compaction:
    """One run.

    Args:
        order: what is to be done.
        progress: is told how far it is.
    """

    def __init__(self, order: Order, progress: Progress) -> None:
        self.order = order
        self.summary = Summary(journal=str(order.journal), directory=str(order.directory))
        self._markers = Markers(order.directory)
        self._turning = Turning(order.directory, self._markers, order.quarantine, self._advance)
        self._progress = progress
        self._read = self._rows = self._total = 0

    def run(self) -> Summary:
        """Turn what is closed; return what was done.

        Raises:
            BusyError: another process is at it.
            ConfigurationError: there is no journal, or a package is missing.
            OSError: a directory cannot be used.
        """
        pyarrow()
        order, summary = self.order, self.summary
        found = sources(order.journal)
        reasons = {one: why_open(one, order.until, order.grace) for one in found}
        summary.open = {one.path.name: why for one, why in reasons.items() if why}
        closed = [one for one, why in reasons.items() if not why]
        if not closed:
            return summary
        self._total = sum(one.size for one in closed)
        with self._alone():
            for source in closed:
                try:
                    self._take(source)
                except (OSError, ValueError, OverflowError, NotWholeError) as error:
                    summary.leave(source.path.name, f"{type(error).__name__}: {error}")
        return summary

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes out; the kernel lets them in when this one ends."""
        self._markers.make()
        with self._markers.lock.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError(f"another process writes to {self.order.directory}") from None
            yield

    def _take(self, source: Sibling) -> None:
        with opened(source) as file:
            marker = self._markers.load(source, file)
            if marker is not None and self._markers.is_whole(marker, source):
                self.summary.unchanged.append(source.path.name)
                self._advance(source.size, 0)
            else:
                marker = self._turning.turn(source, file, marker)
                self.summary.add(marker)
            if self.order.deletes:
                self._delete(source, file, marker)

    def _delete(self, source: Sibling, file: BinaryIO, marker: Marker) -> None:
        """Delete a file unless somebody still needs it."""
        name = source.path.name
        why = marker.keeps or Agents(self.order.agents).waiting(source, file)
        if why:
            self.summary.leave(name, why)
            return
        try:
            verify(self.order.directory, marker)
        except NotWholeError:
            self._markers.forget(source)  # so that the next run makes it anew
            raise
        if marker.quarantined:
            sync([self.order.quarantine])
        if delete(source, self.order.journal, marker):
            self._markers.forget(source)
            self.summary.deleted.append(name)
        else:
            self.summary.leave(name, "it was changed meanwhile; the next run sees to it")

    def _advance(self, size: int, rows: int) -> None:
        self._read += size
        self._rows += rows
        self._progress(self._read, self._total, self._rows)
