"""Traffic that remembers which answers came whole, and what the journal has of them."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from abmiddleware import JournalReader
from abmiddleware.exposures.records import ExposureRow, OutcomeRow
from tests.faults.servers import Server


class Traffic:
    """Visitors in threads, about two hundred requests a second, until they are told to stop."""

    def __init__(self, server: Server, threads: int = 8, pause: float = 0.035) -> None:
        #: The visitor's id by the number of each request that was answered wholly.
        self.answered: dict[int, object] = {}
        #: How many were not.
        self.broken = 0
        self._server = server
        self._pause = pause
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(number,)) for number in range(threads)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int) -> None:
        """Wait until that many more requests were answered."""
        goal, deadline = len(self.answered) + count, time.monotonic() + 60 + count / 2
        while len(self.answered) < goal:
            if time.monotonic() > deadline:
                raise TimeoutError(self._server.log())
            time.sleep(0.01)

    def _run(self, thread: int) -> None:
        number = thread * 1_000_000
        while not self._over.is_set():
            try:
                self.answered[number] = self._server.get(number)["unit_id"]
            except (OSError, http.client.HTTPException):
                self.broken += 1
            number += 1
            time.sleep(self._pause)


@dataclass(frozen=True)
class Records:
    """What a journal holds of the pages of `app.py`."""

    #: Exposures by the unit's id.
    exposed: Counter[str]
    #: The unit's id by the number of the request, for each outcome.
    seen: dict[int, str]
    #: How often the number of a request is there.
    numbers: Counter[int]
    torn: int

    @classmethod
    def of(cls, journal: Path) -> Self:
        """Read a journal."""
        reader = JournalReader(journal)
        exposed, numbers, seen = Counter[str](), Counter[int](), {}
        for row in reader:
            if isinstance(row, ExposureRow):
                exposed[row.unit_id] += 1
            elif isinstance(row, OutcomeRow):
                number = int(row.properties["number"])
                numbers[number] += 1
                seen[number] = row.unit_ids["id"]
        return cls(exposed, seen, numbers, reader.skipped)


def assert_all_recorded(journal: Path, traffic: Traffic, torn: int = 0) -> Records:
    """Each whole answer has its exposure and its outcome, once; at most `torn` lines are torn."""
    records = Records.of(journal)
    answered = traffic.answered
    assert {number: records.seen.get(number) for number in answered} == answered
    assert {records.exposed[str(unit_id)] for unit_id in answered.values()} == {1}
    assert set(records.numbers.values()) == {1}
    assert records.torn <= torn
    return records
