"""The last-good file: whole or not there, shared by processes, and never a reason to fail."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from abmiddleware.exceptions import ConfigurationError
from abmiddleware.sources import GrowthBook
from abmiddleware.sources.last_good import MAX_BROKEN, LastGood
from tests.sources.server import Server, flag, payload, status
from tests.sources.support import Watched, watching
from tests.sources.test_payloads import KEY, encrypted


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "growthbook.json"


def names(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir())


def serve_once(server: Server, path: Path, content: Any, **options: Any) -> None:
    """Let a process fetch a configuration and end."""
    server.api = payload(content)
    with watching(server, last_good=path, **options) as watched:
        watched.sees(1)
        watched.until(path.exists)
        watched.until(lambda: not [name for name in names(path) if name.endswith(".tmp")])


def test_a_start_while_the_server_is_down_serves_the_last_good(server: Server, path: Path) -> None:
    """It is there before the first request, and the server's is taken over when it is back."""
    serve_once(server, path, flag(1))
    server.down()
    with watching(server, last_good=path) as watched:
        assert watched.value == 1
        status_before = watched.source.status()
        watched.until(lambda: watched.source.status().failures)
        assert watched.value == 1
        server.api = payload(flag(2))
        server.up()
        watched.sees(2)
        assert watched.source.status().origin == "poll"
    assert status_before.ready
    assert status_before.origin == "last good"
    assert status_before.age_seconds is None
    assert watched.values == [2]


def test_another_host_of_the_same_key_starts_from_the_same_file(server: Server, path: Path) -> None:
    """A move from the CDN to a proxy of one's own leaves no start without a configuration."""
    serve_once(server, path, flag(1))
    elsewhere = GrowthBook("sdk-abc123", host="http://127.0.0.1:1", last_good=path)
    assert Watched(elsewhere).value == 1
    assert names(path) == ["growthbook.json"]


def test_the_same_configuration_from_the_server_changes_nothing(server: Server, path: Path) -> None:
    """A restart while nothing changed does not replace what was loaded."""
    serve_once(server, path, flag(1))
    version = json.loads(path.read_text())["version"]
    with watching(server, last_good=path) as watched:
        document = watched.source.document
        watched.until(lambda: watched.source.status().age_seconds is not None)
        assert watched.source.document is document
        assert watched.source.status().version == version
    assert watched.values == []


BREAKS: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "no JSON": lambda path: path.write_bytes(b"\x80\x04pickle"),
    "list": lambda path: path.write_bytes(b"[]"),
    "deep": lambda path: path.write_bytes(b"[" * 100_000),
    "altered": lambda path: path.write_bytes(path.read_bytes().replace(b'":1}', b'":9}')),
    "other form": lambda path: path.write_bytes(
        path.read_bytes().replace(b'"format":1', b'"format":2')
    ),
    "other owner": lambda path: path.write_bytes(
        path.read_bytes().replace(b'"owner":"', b'"owner":"x')
    ),
}


@pytest.mark.parametrize("spoil", BREAKS.values(), ids=BREAKS)
def test_a_broken_file_is_moved_aside(
    server: Server,
    path: Path,
    spoil: Callable[[Path], object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is told once, kept for whoever wants to look, and written anew."""
    serve_once(server, path, flag(1))
    spoil(path)
    with watching(server, last_good=path) as watched:
        assert watched.value is None
        assert names(path) == ["growthbook.json.broken-1"]
        watched.sees(1)
        watched.until(path.exists)
    assert caplog.text.count("is moved to") == 1


def test_few_broken_files_are_kept(path: Path) -> None:
    """A file that breaks at every start does not fill the disk."""
    path.parent.mkdir()
    for number in range(MAX_BROKEN + 3):
        path.write_text(f"broken {number}")
        assert LastGood(path, "me").load() is None
    kept = [f"growthbook.json.broken-{number}" for number in range(1, MAX_BROKEN + 1)]
    assert names(path) == kept
    assert (path.parent / kept[-1]).read_text() == f"broken {MAX_BROKEN + 2}"


def test_a_file_that_is_too_large_is_moved_aside(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not even decoded."""
    LastGood(path, "me").save(b'{"features":{}}', "1")
    monkeypatch.setattr("abmiddleware.sources.last_good.MAX_FILE", 10)
    assert LastGood(path, "me").load() is None
    assert names(path) == ["growthbook.json.broken-1"]


def test_no_file_is_nothing_to_tell(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The first start of all has none."""
    assert LastGood(path, "me").load() is None
    assert not caplog.text


@pytest.mark.parametrize("kind", ["directory", "pipe", "under a file"])
def test_a_path_that_became_no_file_is_told_and_ignored(
    path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither loading nor saving raises or blocks."""
    last_good = LastGood(path / "below" if kind == "under a file" else path, "me")
    path.parent.mkdir()
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_text("{}")
    assert last_good.load() is None
    last_good.save(b"{}", "1")
    assert "last-good file" in caplog.text
    assert not [name for name in names(path) if name.endswith(".tmp")]


@pytest.mark.parametrize("value", [3, "", "/", "/dev/null", "x\0y"])
def test_a_path_that_can_be_no_file_is_told_at_the_start(value: Any) -> None:
    """It would never keep anything, and nobody would know before a start without the server."""
    with pytest.raises(ConfigurationError, match=r"^last_good: is .*, must be the path of a file"):
        GrowthBook("sdk-abc123", last_good=value)


def test_a_file_that_cannot_be_written_is_counted(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk costs one line in the log, and leaves nothing half written."""
    last_good = LastGood(path, "me")
    last_good.save(b"1", "one")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LastGood, "_write", full)
    last_good.save(b"2", "two")
    last_good.save(b"3", "three")
    assert last_good.failures == 2
    assert caplog.text.count("No space left") == 1
    assert last_good.load() == (b"1", "one")
    assert names(path) == ["growthbook.json"]


@pytest.mark.parametrize("etag", ["", '"1"'], ids=["200", "304"])
def test_a_file_that_could_not_be_written_is_written_later(
    server: Server, path: Path, etag: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A volume that comes late, or a disk that was full, needs no new configuration."""
    path.parent.write_text("in the way")
    server.api = payload(flag(1), etag=etag)
    with watching(server, last_good=path) as watched:
        watched.sees(1)
        watched.until(lambda: "cannot be written" in caplog.text)
        path.parent.unlink()
        watched.until(path.exists)
    assert watched.values == [1]
    assert caplog.text.count("cannot be written") == 1
    assert LastGood(path, json.loads(path.read_text())["owner"]).load()


def test_a_file_that_is_deleted_is_written_again(server: Server, path: Path) -> None:
    """Also one that was only loaded, and also where the server answers 304."""
    server.api = payload(flag(1), etag='"1"')
    with watching(server, last_good=path) as watched:
        watched.sees(1)
        watched.until(path.exists)
        path.unlink()
        watched.until(path.exists)
    with watching(server, last_good=path) as watched:
        path.unlink()
        watched.until(path.exists)
    assert watched.values == []


def test_a_file_that_is_there_costs_nothing(path: Path) -> None:
    """It is written once, and looked after once a second."""
    last_good = LastGood(path, "me")
    last_good.keep({"features": {}}, "one")
    path.unlink()
    last_good.keep({"features": {}}, "one")
    assert not path.exists()
    last_good.keep({"features": {}}, "two")
    before = path.stat()
    last_good._due = 0.0
    last_good.keep({"features": {}}, "two")
    assert path.stat() == before
    assert last_good.load() == (b'{"features":{}}', "two")


def test_processes_share_the_file(path: Path) -> None:
    """Whoever reads while others write sees one of theirs, whole."""
    texts = [json.dumps({"features": {}, "pad": letter * 50_000}).encode() for letter in "abcd"]
    LastGood(path, "me").save(texts[0], "0")
    over = threading.Event()

    def write(text: bytes) -> None:
        while not over.is_set():
            LastGood(path, "me").save(text, "0")

    threads = [threading.Thread(target=write, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    try:
        for _ in range(200):
            kept = LastGood(path, "me").load()
            assert kept is not None
            assert kept[0] in texts
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert names(path) == ["growthbook.json"]


def test_what_is_encrypted_stays_so_on_disk(server: Server, path: Path) -> None:
    """The file holds what the server sent, and a start needs the key to use it."""
    sealed = encrypted({"flag": {"defaultValue": 1, "secret": "plan 9"}})
    serve_once(server, path, {"features": {}, "encryptedFeatures": sealed}, decryption_key=KEY)
    assert sealed in path.read_text()
    assert "plan 9" not in path.read_text()
    server.api = status(500)
    with watching(server, last_good=path, decryption_key=KEY) as watched:
        assert watched.value == 1
    with watching(server, last_good=path) as watched:
        assert watched.value is None


def test_a_file_of_another_connection_is_not_used(server: Server, path: Path) -> None:
    """Two sources that were given one path by mistake never serve each other's flags."""
    serve_once(server, path, flag(1))
    server.api = status(500)
    with watching(server, last_good=path, poll_seconds=0.2) as watched:
        assert watched.value == 1
    assert Watched(GrowthBook("sdk-other", host=server.url, last_good=path)).value is None
    assert names(path) == ["growthbook.json.broken-1"]
