"""Disks of their own, for tests that fill, freeze and lock them; only root may have them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

#: Why a test cannot be run; `tests/conftest.py` lets it pass.
_LACKING = "only root, outside of most containers, may mount a small disk to {}"


def command(*words: object) -> None:
    """Run a command that must succeed."""
    subprocess.run([str(word) for word in words], check=True, capture_output=True)  # noqa: S603


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk of 1 MiB, without files."""
    disk = folder / "disk"
    disk.mkdir()
    with _mounted(disk, "fill up", "-t", "tmpfs", "-o", "size=1m", "tmpfs"):
        yield disk


@contextmanager
def freezable_disk(folder: Path, mib: int = 16) -> Iterator[Path]:
    """Mount a disk of some MiB that `fsfreeze` can stop and `chattr` knows: ext4, in a file."""
    disk, image = folder / "ext4", folder / "image"
    disk.mkdir()
    with image.open("wb") as file:
        file.truncate(mib * 1024 * 1024)
    command("/sbin/mkfs.ext4", "-q", image)
    with _mounted(disk, "freeze", "-o", "loop", image):
        yield disk


@contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """Turn a disk read-only, as one with errors does; wait until no file is open for writing."""
    deadline = time.monotonic() + 30
    while True:
        try:
            command("mount", "-o", "remount,ro", disk)
        except subprocess.CalledProcessError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            break
    try:
        yield
    finally:
        command("mount", "-o", "remount,rw", disk)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Leave a disk without room."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (4096, 1):  # the last bytes of the last page as well
            with suppress(OSError):
                while file.write(b"x" * size):
                    pass
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def _mounted(disk: Path, purpose: str, *words: object) -> Iterator[None]:
    mount = ["mount", *map(str, words), str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:  # noqa: S603
        pytest.skip(_LACKING.format(purpose))
    try:
        yield
    finally:
        command("umount", "--lazy", disk)
