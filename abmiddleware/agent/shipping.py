"""Ships a journal, batch by batch: what is confirmed is never sent again, what is not, is."""

from __future__ import annotations

import os
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
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
#: Records in a row that may be refused; of more the destination is to blame.
_MAX_SUSPECTS: Final = 20


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
        self._delivery = Delivery(
            destination.of(self.state.agent), settings.directory / "dlt", settings.dataset
        )
        self._tail = Tail(settings.journal)
        self._quarantine = Quarantine(settings.quarantine, settings.quota // 8)
        #: Records of the next batch; fewer while one is looked for that is refused.
        self._limit = settings.batch
        #: First records of the next batch that are left out, to see if the one behind is taken.
        self._suspects = 0
        #: Why the last one was refused.
        self._reason = ""
        #: Whether the next step should not wait.
        self.has_more = False

    def sizes(self) -> dict[str, int]:
        """Return the sizes of the journal's files, in bytes."""
        return {file.key: file.size for file in self._tail.files()}

    def is_past(self, sizes: Mapping[str, int]) -> bool:
        """Tell whether all that the journal had at some time is delivered."""
        places = self.state.places
        return all(
            key in places and places[key].offset >= size for key, size in sizes.items() if size
        )

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
        self.has_more = False
        pending = self.state.pending
        limit = self._limit if pending is not None else self._within_quota()
        batch = read_batch(
            self._tail,
            self.state.places,
            max_lines=limit,
            until=None if pending is None else pending.until,
        )
        if not batch.places:
            self.state.pending = None
            return 0
        if pending is None:
            pending = Pending(secrets.token_hex(8), batch.places)
        try:
            self._deliver(batch, pending)
        except RefusedError as error:
            self._reason = str(error)
            self.has_more = not self._delivery.destination.by_day and self._narrow(batch)
            if not self.has_more:
                raise
            return 0
        self.has_more = batch.is_cut
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
        rows = batch.rows_after(self._suspects)
        for part, tables in self._parts(rows):
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

    def _parts(self, rows: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the tables of each part of a batch: of each day, or all."""
        if not rows:
            return
        by_parts = by_day(rows) if self._delivery.destination.by_day else {_ALL: rows}
        for part, some in by_parts.items():
            yield (
                part,
                {name: arrow_table(name, of_table) for name, of_table in by_table(some).items()},
            )

    def _narrow(self, batch: Batch) -> bool:
        """After a refusal, look for the records that are to blame; tell whether that may help.

        A record is to blame if one behind it is taken. If none is, the destination is.
        """
        self.state.pending = None
        self._file.save(self.state)
        count = len(batch.lines)
        if count > self._suspects + 1:
            self._limit = max(1, count // 8) if not self._suspects else self._suspects + 1
            return True
        if count <= self._suspects or self._suspects == _MAX_SUSPECTS:
            self._suspects, self._limit = 0, 1
            return False
        self._suspects += 1
        self._limit = self._suspects + 1
        return True

    def _confirm(self, batch: Batch, pending: Pending) -> None:
        state, counts = self.state, self.state.counts
        if self._suspects:
            # Their lines are in the journal: they are told by their places.
            for name, offset in batch.lines[: self._suspects]:
                batch.bad.append(Bad(name, Piece(offset, b"", self._reason)))
            batch.rows = batch.rows_after(self._suspects)
            self._suspects, self._limit = 0, 1
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


def size_of(directory: Path) -> int:
    """Return the bytes of the files in a directory, as far as they can be seen."""
    total = 0
    for folder, _, names in os.walk(directory):  # which passes over what is removed meanwhile
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_size
    return total
