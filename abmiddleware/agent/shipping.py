"""Ships a journal, batch by batch: what is confirmed is never sent again, what is not, is."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from abmiddleware.agent.batch import Batch, read_batch
from abmiddleware.agent.delivery import Delivery, RefusedError, told
from abmiddleware.agent.destinations import read_destination
from abmiddleware.agent.quarantine import Bad, Quarantine
from abmiddleware.agent.settings import MIB, Settings
from abmiddleware.agent.state import Pending, State, StateFile
from abmiddleware.agent.tables import arrow_table, by_day, by_table
from abmiddleware.exposures.recovery import Piece
from abmiddleware.exposures.tail import Tail

#: Bytes of the quota that a record on its way takes, about: dlt keeps it up to twice.
_BYTES: Final = 2048
#: No batch is begun with less room than this.
_LEAST: Final = 1 * MIB
#: The only part of a batch whose days are together.
_ALL: Final = "all"


class OverQuotaError(Exception):
    """The agent has no room for another batch; what is in the journal waits there."""


class Shipping:
    """The agent's work, one step at a time.

    Args:
        settings: what it is told.

    Raises:
        ConfigurationError: the destination is wrong, or a package is missing.
        OSError: the state cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        destination = read_destination(settings.destination)
        self._file = StateFile(settings.directory)
        self.state: State = self._file.load()
        self.state.destination = destination.shown
        self._delivery = Delivery(destination, settings.directory / "dlt", settings.dataset)
        self._tail = Tail(settings.journal)
        self._quarantine = Quarantine(settings.quarantine, settings.quota // 8)
        #: Records of the next batch; fewer while one is looked for that is refused.
        self._limit = settings.batch
        #: Whether the first record of the next batch is left out, to see if others are taken.
        self._suspects = False

    def close(self) -> None:
        """Close the journal's files."""
        self._tail.close()

    def step(self) -> int:
        """Deliver the next batch, or the one that has not arrived; return its records.

        Raises:
            RefusedError: the destination takes none of it.
            OverQuotaError: there is no room for it.
            Exception: it did not work, and is repeated by the next step.
        """
        pending = self.state.pending
        limit = self._limit if pending is not None else self._within_quota()
        batch = read_batch(
            self._tail,
            self.state.places,
            max_records=limit,
            until=None if pending is None else pending.until,
        )
        if not batch.places:
            self.state.pending = None
            return 0
        if pending is None:
            pending = Pending(secrets.token_hex(8), batch.places)
        try:
            self._deliver(batch, pending)
        except RefusedError:
            if not self._narrow(batch):
                raise
            return 1
        self._confirm(batch, pending)
        return len(batch.rows)

    def _within_quota(self) -> int:
        room = self.settings.quota - size_of(self.settings.directory)
        if room < _LEAST:
            self.state.counts.over_quota += 1
            raise OverQuotaError(
                f"{self.settings.directory} holds more than its quota of "
                f"{self.settings.quota} bytes allows"
            )
        return max(1, min(self._limit, room // _BYTES))

    def _deliver(self, batch: Batch, pending: Pending) -> None:
        rows = batch.rows[1:] if self._suspects else batch.rows
        for part, tables in self._parts(batch, rows):
            if part in pending.done:
                continue
            is_taken = pending.part == part and bool(pending.package)
            if is_taken and self._finish(pending):
                continue
            pending.part = part
            pending.package = self._delivery.take(tables, part, pending.batch)
            self.state.pending = pending
            self._file.save(self.state)
            if not self._finish(pending):
                raise RuntimeError(f"the load package {pending.package} has not arrived")

    def _finish(self, pending: Pending) -> bool:
        arrived = self._delivery.finish(pending.package, pending.part, pending.batch)
        if arrived:
            pending.done.append(pending.part)
        pending.package = ""
        return arrived

    def _parts(self, batch: Batch, rows: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the tables of each part of a batch: of each day, or all."""
        by_parts = by_day(rows) if self._delivery.destination.by_day else {_ALL: rows}
        for part, some in by_parts.items():
            if tables := _tables(batch, some):
                yield part, tables

    def _narrow(self, batch: Batch) -> bool:
        """After a refusal, look for the record that is to blame; tell whether that may help."""
        self.state.pending = None
        self._file.save(self.state)
        if self._suspects or not batch.rows:
            self._suspects, self._limit = False, 1
            return False  # others are refused, too: then it is not the record
        if len(batch.rows) > 1:
            self._limit = max(1, len(batch.rows) // 8)
            return True
        self._suspects, self._limit = True, 2
        return True

    def _confirm(self, batch: Batch, pending: Pending) -> None:
        state, counts = self.state, self.state.counts
        if self._suspects:
            name, offset = batch.origins[0]
            # The line is in the journal: it is told by its place.
            batch.bad.append(Bad(name, Piece(offset, b"", state.last_error or "refused")))
            batch.rows.pop(0)
            self._suspects, self._limit = False, 1
        counts.unkept += self._quarantine.add(batch.bad)
        counts.quarantined += len(batch.bad)
        for table, rows in by_table(batch.rows).items():
            counts.delivered[table] = counts.delivered.get(table, 0) + len(rows)
        troubles = Counter(counts.troubles) + self._tail.troubles
        counts.troubles, self._tail.troubles = dict(troubles), Counter()
        there = {file.key for file in self._tail.files()}
        known = {key: place for key, place in state.places.items() if key in there}
        state.places = known | {k: v for k, v in pending.until.items() if k in there}
        state.pending = None
        if batch.rows:
            state.last_delivery_at = time.time()
        self._limit = min(self._limit * 8, self.settings.batch)
        self._file.save(state)

    def note(self, error: BaseException | None) -> None:
        """Remember how the last attempt went."""
        state = self.state
        if error is None:
            if not state.last_error:
                return
            state.last_error = ""
        else:
            state.counts.failures += 1
            state.last_error, state.last_error_at = told(error), time.time()
        self._file.save(state)


def _tables(batch: Batch, rows: list[Any]) -> dict[str, Any]:
    try:
        return {table: arrow_table(table, some) for table, some in by_table(rows).items()}
    except (ValueError, OverflowError):
        batch.drop_unfit()
        fit = set(map(id, batch.rows))
        rows = [row for row in rows if id(row) in fit]
        return {table: arrow_table(table, some) for table, some in by_table(rows).items()}


def size_of(directory: Path) -> int:
    """Return the bytes of the files in a directory, as far as they can be seen."""
    total = 0
    for place in directory.rglob("*"):
        try:
            total += place.lstat().st_size
        except OSError:  # removed meanwhile
            continue
    return total
