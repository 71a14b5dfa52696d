"""Where a journal must not lie: file systems that do not keep the appends of others whole."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from abmiddleware.exceptions import ConfigurationError
from abmiddleware.notices import notices

#: Lists the mounts that this process sees; Linux has it.
_MOUNTS: Final = Path("/proc/self/mountinfo")

#: File systems of a network or a cluster, and those that a virtual machine has from its host.
_NETWORK: Final = frozenset(
    (
        *("9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fhgfs", "fuse", "gfs"),
        *("gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs3", "nfs4", "ocfs2"),
        *("orangefs", "panfs", "prl_fs", "pvfs2", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs"),
        "vmhgfs",
    )
)
#: They are FUSE, whose programs are networks more often than not, yet on disks of this machine.
_LOCAL_FUSE: Final = frozenset(["fuse.fuse-overlayfs", "fuse.mergerfs", "fuse.ntfs-3g"])
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


def mount_of(path: str, mounts: str) -> tuple[str, str] | None:
    """Return the mount point that a path is below, and the type of its file system.

    Args:
        path: absolute, without symbolic links.
        mounts: the text of `/proc/<pid>/mountinfo`.
    """
    found: tuple[str, str] | None = None
    for line in mounts.splitlines():
        facts, separator, more = line.partition(" - ")
        fields = facts.split(" ")
        if not separator or len(fields) < 5:
            continue
        point = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), fields[4])
        # Of those at one place, the last is on top.
        if _is_below(path, point) and (found is None or len(point) >= len(found[0])):
            found = point, more.split(" ")[0]
    return found


def is_network(kind: str) -> bool:
    """Tell whether a type of file systems is of a network, a cluster or a host."""
    return kind in _NETWORK or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE)


def check_is_local(path: Path, allow_network: bool) -> None:
    """Refuse a path that leads to the file system of a network, or warn about it.

    Raises:
        ConfigurationError: it does, and that is not allowed.
    """
    # As it stands at first: following links may wait for a server that does not answer.
    found = _network_of(str(path)) or _network_of(_real(path))
    if found is None:
        return
    point, kind = found
    if not allow_network:
        raise ConfigurationError(
            f"journal: is {str(path)!r}, below {point} which is {kind}, must be on a local disk, "
            "since network file systems tear and lose records that several processes append; "
            "give another path, or Journal(path, allow_network=True) where one process writes"
        )
    notices.warn_once(
        f"journal {path} network",
        lambda: (
            f"the journal {path} lies below {point} which is {kind}: records may be torn and lost "
            "where several processes append, and requests wait for the network"
        ),
    )


def _network_of(path: str) -> tuple[str, str] | None:
    try:
        mounts = os.fsdecode(_MOUNTS.read_bytes())
    except OSError:  # no Linux, or no /proc
        return None
    found = mount_of(path, mounts)
    return found if found is not None and is_network(found[1]) else None


def _real(path: Path) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):  # the first write will tell
        return str(path)


def _is_below(path: str, point: str) -> bool:
    return point in ("/", path) or path.startswith(f"{point}/")
