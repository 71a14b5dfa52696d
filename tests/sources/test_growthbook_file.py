"""A worker that follows the file in which another process keeps GrowthBook's configuration."""

from __future__ import annotations

import base64
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from abmiddleware.exceptions import ConfigurationError
from abmiddleware.sources import GrowthBookFile
from tests.sources.server import Server, flag, payload
from tests.sources.support import Watched, watching
from tests.threads import Threads


def follow(path: Path, **options: Any) -> Watched:
    """Follow a file as a worker does."""
    return Watched(GrowthBookFile(path, **options))  # type: ignore[arg-type]  # a source as well


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the configuration is kept."""
    return tmp_path / "var" / "growthbook.json"


def test_a_worker_follows_what_another_process_keeps(server: Server, path: Path) -> None:
    """It sees each change, under the same version, with neither thread nor socket of its own."""
    server.api = payload(flag(1))
    worker = follow(path)
    assert not worker.source.status().ready
    with watching(server, last_good=path) as kept:
        kept.sees(1)
        threads = Threads()
        worker.sees(1)
        server.api = payload(flag(2))
        kept.sees(2)
        worker.sees(2)

        assert worker.values == [1, 2]
        assert all(server.runs(one) for one in threads.started)
        told, there = worker.source.status(), kept.source.status()
        assert told.version == there.version
        assert (told.origin, told.ready, told.last_error) == ("last good", True, "")


def test_its_age_is_that_of_the_last_confirmation(
    server: Server, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An agent that stopped shows as age, and as a warning after three intervals."""
    server.api = payload(flag(1), etag="one")
    with watching(server, last_good=path) as kept:
        kept.sees(1)
        kept.until(path.exists)
        worker = follow(path, poll_seconds=60)
        kept.until(lambda: 0 <= (worker.source.status().age_seconds or 0) < 1.5)
    assert "does the agent that refreshes it run" not in caplog.text
    os.utime(path, (time.time() - 500,) * 2)
    worker.until(lambda: 499 < (worker.source.status().age_seconds or 0) < 520)
    assert "was not confirmed for 50" in caplog.text
    with watching(server, last_good=path) as kept:
        kept.until(lambda: (worker.source.status().age_seconds or 0) < 10)

    assert worker.values == [], "what was only confirmed is not read in again"


def test_what_broke_changes_nothing(server: Server, path: Path) -> None:
    """A file that somebody damaged is told, and what it held before serves."""
    server.api = payload(flag(1))
    with watching(server, last_good=path) as kept:
        kept.sees(1)
        kept.until(path.exists)
    worker = follow(path)
    good = path.read_bytes()
    path.write_bytes(good.replace(b"flag", b"flags").replace(b'"version":"', b'"version":"0'))
    worker.until(lambda: "its checksum is wrong" in worker.source.status().last_error)
    path.write_bytes(b"[]")
    worker.until(lambda: "it cannot be decoded" in worker.source.status().last_error)
    path.unlink()
    worker.until(lambda: "No such file" in worker.source.status().last_error)
    assert worker.value == 1
    path.write_bytes(good)
    worker.until(lambda: not worker.source.status().last_error)

    assert worker.value == 1


def test_what_is_encrypted_stays_so_on_disk(server: Server, path: Path) -> None:
    """The worker needs the key, and says so."""
    key, vector = bytes(range(16)), bytes(16)
    padder = PKCS7(128).padder()
    plain = padder.update(json.dumps(flag(3)["features"]).encode()) + padder.finalize()
    sealer = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    sealed = base64.b64encode(vector), base64.b64encode(sealer.update(plain) + sealer.finalize())
    server.api = payload({"encryptedFeatures": b".".join(sealed).decode()})
    decryption_key = base64.b64encode(key).decode()
    with watching(server, last_good=path, decryption_key=decryption_key) as kept:
        kept.sees(3)
        kept.until(path.exists)

    assert follow(path, decryption_key=decryption_key).value == 3
    without = follow(path)
    assert without.value is None
    assert "give the source its decryption_key" in without.source.status().last_error


@pytest.mark.parametrize(
    ("path", "options", "problem"),
    [
        ("", {}, "path: is '', must be the path of a file"),
        ("x", {"poll_seconds": 0}, "poll_seconds: is 0, must be seconds, more than 0"),
        ("x", {"decryption_key": "short"}, "decryption_key"),
    ],
    ids=["path", "poll_seconds", "decryption_key"],
)
def test_a_wrong_argument_is_told(path: str, options: dict[str, object], problem: str) -> None:
    """At the start, with the mend."""
    with pytest.raises(ConfigurationError, match=problem):
        GrowthBookFile(path, **options)  # type: ignore[arg-type]
