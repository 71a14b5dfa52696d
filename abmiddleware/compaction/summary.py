"""What a run has done, for people and for programs."""

from __future__ import annotations

from collections import Counter

import msgspec

from abmiddleware.compaction.markers import Marker


class Summary(msgspec.Struct, kw_only=True):
    """What a run has done."""

    journal: str
    directory: str
    #: The files of the journal that were turned into Parquet.
    compacted: list[str] = msgspec.field(default_factory=list)
    #: Those that were before.
    unchanged: list[str] = msgspec.field(default_factory=list)
    #: Those whose days may not be over, and why.
    open: dict[str, str] = msgspec.field(default_factory=dict)
    #: Those that were deleted.
    deleted: list[str] = msgspec.field(default_factory=list)
    #: Those with which something is the matter, and what.
    left: dict[str, str] = msgspec.field(default_factory=dict)
    #: The Parquet files that were written.
    files: int = 0
    #: The rows that were written, by table.
    rows: dict[str, int] = msgspec.field(default_factory=dict)
    #: Rows of an event that was there already.
    repeated: int = 0
    #: Pieces that were no rows, and those of them that the quarantine had no room for.
    quarantined: int = 0
    unkept: int = 0
    #: Of the files that were turned, and of what was made of them.
    bytes_before: int = 0
    bytes_after: int = 0
    #: How many times smaller that is; 0 where nothing was made.
    factor: float = 0.0

    def add(self, marker: Marker) -> None:
        """Count a file that was turned."""
        self.compacted.append(marker.place.name)
        for path, file in marker.files.items():
            table = path.partition("/")[0]
            self.rows[table] = self.rows.get(table, 0) + file.rows
            self.bytes_after += file.bytes
        self.files += len(marker.files)
        self.repeated += marker.repeated
        self.quarantined += marker.quarantined
        self.unkept += marker.unkept
        self.bytes_before += marker.place.offset
        self.factor = round(self.bytes_before / self.bytes_after, 2) if self.bytes_after else 0.0

    def leave(self, name: str, why: str) -> None:
        """Tell why something was left."""
        self.left[name] = why

    @property
    def is_well(self) -> bool:
        """Whether nothing was left that should have been done."""
        return not self.left


def shown(summary: Summary) -> str:
    """Return a summary as people read it."""
    told = summary
    turned = len(told.compacted)
    rows = ", ".join(f"{count:,} {table}" for table, count in told.rows.items()) or "none"
    size = f"{told.bytes_before:,} → {told.bytes_after:,}"
    waiting = [f"{count} {why}" for why, count in Counter(told.open.values()).items()]
    lines = [
        ("compacted", f"{turned} files, besides {len(told.unchanged)} that were before"),
        ("open", "; ".join(waiting) or "none"),
        ("deleted", f"{len(told.deleted)} files"),
        ("Parquet", f"{told.files} files in {told.directory}"),
        ("rows", f"{rows}; {told.repeated:,} repeated"),
        ("bytes", f"{size}: {told.factor:.1f} times smaller" if told.factor else size),
        ("quarantined", f"{told.quarantined:,} ({told.unkept:,} not kept)"),
        *(("left", f"{name}: {why}") for name, why in told.left.items()),
    ]
    return "".join(f"{name:>12}  {text}\n" for name, text in lines)
