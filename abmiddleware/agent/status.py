"""How an agent is doing, for people and for monitoring; asks no agent, reads what it keeps."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from abmiddleware.agent.running import holder_of
from abmiddleware.agent.shipping import size_of
from abmiddleware.agent.state import State, StateFile
from abmiddleware.exposures.records import decode
from abmiddleware.exposures.tail import Tail


class Status(msgspec.Struct):
    """How an agent is doing."""

    journal: str
    destination: str
    #: The process id of the running agent; "" if none runs.
    process: str
    #: Bytes of the journal that are not delivered.
    lag_bytes: int
    #: Age of the oldest record that is not delivered.
    lag_seconds: float
    delivered: dict[str, int]
    last_delivery_at: float
    last_error: str
    last_error_at: float
    failures: int
    quarantined: int
    unkept: int
    over_quota: int
    #: What became of files under the agent, by kind.
    troubles: dict[str, int]
    #: Bytes that the agent keeps on disk.
    disk_bytes: int
    #: Seconds since the server confirmed the configuration; None if it is not asked for.
    configuration_age_seconds: float | None = None

    @property
    def is_well(self) -> bool:
        """Whether the last attempt worked."""
        return not self.last_error


def status_of(journal: Path, directory: Path, configuration: Path | None = None) -> Status:
    """Return how the agent of a journal is doing.

    Args:
        journal: the journal's file.
        directory: of the agent.
        configuration: the last-good file that it refreshes, to be told about as well.

    Raises:
        OSError: its state cannot be read.
    """
    state = StateFile(directory).load()
    tail = Tail(journal)
    try:
        lag, oldest = _lag(tail, state)
    finally:
        tail.close()
    counts = state.counts
    return Status(
        journal=str(journal),
        destination=state.destination,
        process=holder_of(directory),
        lag_bytes=lag,
        lag_seconds=0.0 if oldest is None else max(0.0, time.time() - oldest),
        delivered=counts.delivered,
        last_delivery_at=state.last_delivery_at,
        last_error=state.last_error,
        last_error_at=state.last_error_at,
        failures=counts.failures,
        quarantined=counts.quarantined,
        unkept=counts.unkept,
        over_quota=counts.over_quota,
        troubles=counts.troubles,
        disk_bytes=size_of(directory),
        configuration_age_seconds=None if configuration is None else _age_of(configuration),
    )


def _age_of(configuration: Path) -> float:
    """Return the seconds since a last-good file was confirmed; infinite where it is missing."""
    try:
        return max(0.0, time.time() - configuration.stat().st_mtime)
    except FileNotFoundError:
        return float("inf")


def _lag(tail: Tail, state: State) -> tuple[int, float | None]:
    lag = 0
    for file in tail.files():
        place = state.places.get(file.key)
        done = 0 if place is None or place.offset > file.size else place.offset
        lag += file.size - done
    for _, lines, _ in tail.read(state.places, 64 * 1024):
        for line in lines:
            try:
                return lag, decode(line.raw).ts_us / 1e6
            except ValueError:
                continue
    return lag, None


def shown(status: Status) -> str:
    """Return a status as people read it."""
    now = time.time()
    delivered = ", ".join(f"{count:,} {table}" for table, count in status.delivered.items())
    rows = [
        ("journal", status.journal),
        ("destination", status.destination or "unknown: nothing was delivered yet"),
        ("agent", f"runs as process {status.process}" if status.process else "does not run"),
        ("lag", f"{status.lag_bytes:,} bytes, {status.lag_seconds:,.0f} seconds"),
        ("delivered", delivered or "nothing"),
        ("last delivery", _ago(now, status.last_delivery_at)),
        ("last error", status.last_error or "none"),
        ("failures", f"{status.failures:,}, the last {_ago(now, status.last_error_at)}"),
        ("quarantined", f"{status.quarantined:,} ({status.unkept:,} not kept)"),
        ("over quota", f"{status.over_quota:,} times"),
        ("files", ", ".join(f"{n} {what}" for what, n in status.troubles.items()) or "no trouble"),
        ("disk", f"{status.disk_bytes:,} bytes"),
    ]
    if (age := status.configuration_age_seconds) is not None:
        there = age < float("inf")
        told = f"confirmed {age:,.0f} seconds ago" if there else "is not there yet"
        rows.append(("configuration", told))
    return "".join(f"{name:>14}  {text}\n" for name, text in rows)


def _ago(now: float, then: float) -> str:
    return f"{max(0.0, now - then):,.0f} seconds ago" if then else "never"
