"""Records as the lines of a journal; those that no line can hold are refused and counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from abmiddleware.exposures.records import Exposure, Link, Outcome, Record, encode

#: Larger records are refused, in bytes.
MAX_RECORD: Final = 64 * 1024
#: Longer unit ids are refused, in characters.
MAX_ID: Final = 256


class Lose(Protocol):
    """Counts records as lost."""

    def __call__(self, reason: str, count: int = 1, error: Exception | None = None, /) -> None: ...


def lines_of(records: Iterable[Record], lose: Lose) -> list[bytes]:
    """Return the lines of records, without line feeds."""
    lines = []
    for record in records:
        try:
            if _has_long_id(record):
                lose("id too long")
                continue
            line = encode(record)
        except Exception as error:  # noqa: BLE001  # properties may hold anything
            lose("not encodable", 1, error)
            continue
        if len(line) > MAX_RECORD:
            lose("record too large")
        else:
            lines.append(line)
    return lines


def block_of(lines: Sequence[bytes]) -> bytes:
    """Return what is written for some lines.

    It begins with a line feed, too: that closes what a crash may have torn before.
    """
    return b"\n%b\n" % b"\n".join(lines)


def whole_within(lines: Sequence[bytes], count: int) -> int:
    """Return how many lines are whole in the first `count` bytes of their block.

    Where only the last line feed is missing they all are: the next block begins with one.
    """
    end, whole = 1, 0
    for line in lines:
        end += len(line)
        if end > count:
            break
        whole += 1
        end += 1
    return whole


def _has_long_id(record: Record) -> bool:
    if isinstance(record, Exposure):
        others = record.alt_ids
        return len(record.unit_id) > MAX_ID or (bool(others) and _is_any_long(others.values()))
    if isinstance(record, Outcome):
        return _is_any_long(record.unit_ids.values())
    return isinstance(record, Link) and _is_any_long((record.id_a, record.id_b))


def _is_any_long(ids: Iterable[str]) -> bool:
    return max(map(len, ids), default=0) > MAX_ID
