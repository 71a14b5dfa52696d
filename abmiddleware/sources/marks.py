"""What tells that a file has changed, and whether somebody may still be changing it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from time import time_ns
from typing import Final, NamedTuple

#: Nanoseconds within which two changes may bear the same time.
_COARSE: Final = 50_000_000
#: Seconds for which a file must have been left alone before it is read again: somebody may still
#: be writing, and the first half of a TOML or YAML file is often a whole one.
SETTLING: Final = 0.1


class Mark(NamedTuple):
    """What of a file changes when it does."""

    modified: int
    #: When its content or its properties changed, which nobody can set back.
    changed: int
    size: int
    inode: int
    device: int

    @classmethod
    def at(cls, path: Path) -> Mark:
        """Look at a path.

        Raises:
            OSError: there is nothing, or something else than a file.
        """
        kept = path.stat()
        if not stat.S_ISREG(kept.st_mode):  # a pipe would block
            raise OSError(f"{path} is not a file")
        return cls.of(kept)

    @classmethod
    def of(cls, kept: os.stat_result) -> Mark:
        """Take what the system tells of a file."""
        return cls(kept.st_mtime_ns, kept.st_ctime_ns, kept.st_size, kept.st_ino, kept.st_dev)

    def is_settling(self) -> bool:
        """Tell whether somebody may still be writing."""
        return 0 <= time_ns() - self.modified < SETTLING * 1e9

    def may_be_reused(self) -> bool:
        """Tell whether a change at this moment could leave no trace: clocks of disks are coarse."""
        return time_ns() - max(self.modified, self.changed) < _COARSE
