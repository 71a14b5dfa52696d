"""Journals belong on local disks."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from abmiddleware import ConfigurationError, Engine, Journal, JournalReader
from abmiddleware.exposures import mounts
from abmiddleware.exposures.mounts import is_network, mount_of
from tests.exposures.facts import outcome

#: As machines have them: a server, a container, and one with a bit of everything.
SERVER = r"""
24 30 0:22 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw
30 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro
41 30 0:35 / /run rw,nosuid,nodev shared:5 - tmpfs tmpfs rw,size=3261224k,mode=755
97 30 0:49 / /home rw,relatime shared:47 - autofs systemd-1 rw,fd=51,pgrp=1,timeout=0,direct
98 97 0:50 / /home rw,relatime shared:48 - nfs4 fs.example:/home rw,vers=4.2,hard,proto=tcp
99 30 0:51 / /srv/backup rw,relatime shared:50 - nfs fs.example:/b rw,vers=3,hard
100 99 259:5 / /srv/backup/local rw,relatime shared:51 - xfs /dev/nvme1n1 rw,attr2
"""
CONTAINER = r"""
700 600 0:120 / / rw,relatime master:300 - overlay overlay rw,lowerdir=/l/A:/l/B,upperdir=/u
701 700 0:123 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
705 700 0:128 / /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs shm rw,size=65536k
710 700 254:1 /docker/volumes/data/_data /data rw,relatime - ext4 /dev/vda1 rw
711 700 0:40 /exports/app /app/var rw,relatime master:9 - nfs4 10.0.0.5:/exports rw,vers=4.1
"""
MIXED = r"""
1 1 8:1 / / rw - btrfs /dev/sda1 rw,subvolid=5
2 1 0:60 / /mnt/my\040share rw,relatime - cifs //server/share rw,vers=3.1.1
3 1 0:61 / /mnt/c rw,noatime - 9p C:\134 rw,dirsync,aname=drvfs
4 1 0:62 / /mnt/s3 rw,nosuid - fuse.s3fs s3fs rw,user_id=0
5 1 0:63 / /mnt/ntfs rw - fuseblk /dev/sdb1 rw,user_id=0
6 1 0:64 / /mnt/data rw - nfs4 old.example:/ rw
7 1 8:9 / /mnt/data rw - ext4 /dev/sdc1 rw
broken line
"""


@pytest.mark.parametrize(
    ("text", "path", "found"),
    [
        pytest.param(SERVER, "/var/lib/app/j", ("/", "ext4"), id="root"),
        pytest.param(SERVER, "/home/app/j", ("/home", "nfs4"), id="automounted"),
        pytest.param(SERVER, "/homes/app/j", ("/", "ext4"), id="similar-name"),
        pytest.param(SERVER, "/srv/backup/j", ("/srv/backup", "nfs"), id="nfs3"),
        pytest.param(SERVER, "/srv/backup/local/j", ("/srv/backup/local", "xfs"), id="below-nfs"),
        pytest.param(CONTAINER, "/app/j", ("/", "overlay"), id="overlay"),
        pytest.param(CONTAINER, "/data/j", ("/data", "ext4"), id="volume"),
        pytest.param(CONTAINER, "/app/var/j", ("/app/var", "nfs4"), id="bound"),
        pytest.param(CONTAINER, "/dev/shm/j", ("/dev/shm", "tmpfs"), id="memory"),  # noqa: S108
        pytest.param(MIXED, "/mnt/my share/j", ("/mnt/my share", "cifs"), id="escaped"),
        pytest.param(MIXED, "/mnt/c/j", ("/mnt/c", "9p"), id="host"),
        pytest.param(MIXED, "/mnt/s3/j", ("/mnt/s3", "fuse.s3fs"), id="fuse"),
        pytest.param(MIXED, "/mnt/ntfs/j", ("/mnt/ntfs", "fuseblk"), id="block"),
        pytest.param(MIXED, "/mnt/data/j", ("/mnt/data", "ext4"), id="mounted-over"),
        pytest.param("", "/j", None, id="nothing"),
    ],
)
def test_the_mount_of_a_path_is_found(text: str, path: str, found: tuple[str, str] | None) -> None:
    """The longest mount point that a path is below holds it, the last one of several."""
    assert mount_of(path, text) == found


@pytest.mark.parametrize(
    "kind",
    [
        "9p",
        "ceph",
        "cifs",
        "fuse.glusterfs",
        "fuse.s3fs",
        "lustre",
        "nfs",
        "nfs4",
        "smb3",
        "virtiofs",
    ],
)
def test_a_network_is_known_by_its_type(kind: str) -> None:
    """Networks, clusters and what a host lends to its guest are told by their types."""
    assert is_network(kind)


@pytest.mark.parametrize(
    "kind",
    ["btrfs", "ext4", "fuse.fuse-overlayfs", "fuseblk", "overlay", "tmpfs", "xfs", "zfs"],
)
def test_a_local_disk_is_no_network(kind: str) -> None:
    """Disks, memory and the layers of containers are local."""
    assert not is_network(kind)


@pytest.fixture
def share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory that looks as if it were on NFS."""
    folder = tmp_path / "share"
    folder.mkdir()
    listed = tmp_path / "mountinfo"
    listed.write_text(f"{SERVER}120 30 0:70 / {folder} rw - nfs4 fs.example:/x rw\n")
    monkeypatch.setattr(mounts, "_MOUNTS", listed)
    return folder


def test_a_journal_on_a_network_is_refused(share: Path) -> None:
    """The error names the path, what is wrong with it, and the mend."""
    with pytest.raises(ConfigurationError) as caught:
        Journal(share / "var" / "j")

    assert str(caught.value).startswith(
        f"journal: is '{share}/var/j', below {share} which is nfs4, must be on a local disk"
    )
    assert "Journal(path, allow_network=True)" in str(caught.value)
    with pytest.raises(ConfigurationError, match="which is nfs4"):
        Engine(journal=share / "j")


def test_a_link_to_a_network_is_followed(share: Path, tmp_path: Path) -> None:
    """A path is refused for where it leads, not for how it reads."""
    (tmp_path / "local").symlink_to(share)

    with pytest.raises(ConfigurationError, match="which is nfs4"):
        Journal(tmp_path / "local" / "j")


def test_a_network_may_be_allowed(share: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Who insists gets one warning, and a journal."""
    with caplog.at_level(logging.WARNING, logger="abmiddleware"):
        for _ in range(3):
            journal = Journal(share / "j", allow_network=True)
    journal.write([outcome(event_id="only")])

    assert len(caplog.messages) == 1
    assert f"the journal {share}/j lies below {share} which is nfs4" in caplog.messages[0]
    assert [row.event_id for row in JournalReader(share / "j")] == ["only"]


def test_where_nothing_lists_mounts_every_path_is_local(
    share: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Systems without /proc are taken at their word."""
    monkeypatch.setattr(mounts, "_MOUNTS", share / "missing")

    assert Journal(share / "j").path == share / "j"


def test_a_small_disk_of_memory_is_local(small_disk: Path) -> None:
    """What this machine really lists is read: a mounted tmpfs is found, and is local."""
    found = mount_of(str(small_disk / "j"), mounts._MOUNTS.read_text())

    assert found == (str(small_disk), "tmpfs")
    Journal(small_disk / "j")
