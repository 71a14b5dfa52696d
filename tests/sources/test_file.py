"""Configuration files: read, read again, and never a reason to fail while the service runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import sleep, time_ns
from typing import Any

import pytest

from abmiddleware import ConfigurationError, Engine, MemorySink
from abmiddleware.evaluation.document import Document
from abmiddleware.exceptions import DocumentError
from abmiddleware.sources import File, Source
from abmiddleware.sources.formats import read_document
from tests.sources.server import flag
from tests.threads import Threads


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "experiments.json"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], int]:
    """Return what lets time pass for files, and tells it in nanoseconds since 1970."""
    began, passed = time_ns(), [0.0]

    def now() -> int:
        return began + round(passed[0] * 1e9)

    def passes(seconds: float) -> int:
        passed[0] += seconds
        return now()

    monkeypatch.setattr("abmiddleware.sources.file.monotonic", lambda: 1000 + passed[0])
    monkeypatch.setattr("abmiddleware.sources.marks.time_ns", now)
    return passes


class Opened:
    """A file source, opened; counts its changes."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.source = File(path, **options)
        self.changes = 0
        self.source.open(self._changed)

    def _changed(self) -> None:
        self.changes += 1

    @property
    def value(self) -> Any:
        document = self.source.document
        feature: Any = None if document is None else document.features["flag"]
        return None if feature is None else feature["defaultValue"]


def write(path: Path, content: Any) -> None:
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def replace(path: Path, content: Any) -> None:
    """Save as editors do: another file, renamed."""
    other = path.with_name("other~")
    write(other, content)
    os.utime(other, (1, 1))
    other.replace(path)


@pytest.mark.parametrize("save", [write, replace], ids=["in place", "by rename"])
def test_a_change_is_seen_within_a_second(
    path: Path, clock: Callable[[float], None], save: Callable[[Path, Any], None]
) -> None:
    """And not before: the file is looked at once a second."""
    write(path, flag(1))
    opened = Opened(path)
    save(path, flag(2))
    clock(0.9)
    opened.source.look()
    assert opened.value == 1
    clock(0.1)
    opened.source.look()
    assert opened.value == 2
    assert opened.changes == 1


def test_a_change_of_equal_size_at_the_same_moment_is_seen(
    path: Path, clock: Callable[[float], None]
) -> None:
    """Clocks of disks are coarse: a file that was just written is read again."""
    write(path, flag(1))
    opened = Opened(path)
    kept = path.stat()
    write(path, flag(2))
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    clock(1)
    opened.source.look()
    assert opened.value == 2


def settle(path: Path) -> None:
    """Wait until a change of the file would bear another time than its last one."""
    while time_ns() - path.stat().st_ctime_ns < 60_000_000:
        sleep(0.005)


def test_a_change_of_equal_size_and_time_is_seen(
    path: Path, clock: Callable[[float], None]
) -> None:
    """As tools leave it that copy in place and keep times, long after it was read."""
    write(path, flag(1))
    os.utime(path, (1, 1))
    settle(path)
    clock(1)
    opened = Opened(path)
    assert opened.source._mark is not None
    write(path, flag(2))
    os.utime(path, (1, 1))
    clock(1)
    opened.source.look()
    assert opened.value == 2


def test_an_unchanged_file_is_not_read(
    path: Path, clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look costs one stat, and none within the second."""
    write(path, flag(1))
    clock(1)
    opened = Opened(path)
    stats: list[Path] = []
    stat = Path.stat

    def counted(self: Path, **options: Any) -> os.stat_result:
        stats.append(self)
        return stat(self, **options)

    monkeypatch.setattr(Path, "stat", counted)
    for _ in range(10):
        clock(0.3)
        opened.source.look()
    assert stats == [path] * len(stats)
    assert len(stats) in (2, 3)
    assert opened.source.status().attempts == 1
    assert opened.changes == 0


@pytest.mark.parametrize(
    "broken",
    ["", "{", "[]", '{"features": []}', "null", "[" * 100_000, '{"hello": 1}'],
    ids=["empty", "cut", "list", "wrong shape", "null", "deep", "no section"],
)
def test_broken_content_changes_nothing(
    path: Path,
    clock: Callable[[float], None],
    broken: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The old stays, the log tells it once, the status always; the mend is seen."""
    write(path, flag(1))
    opened = Opened(path)
    write(path, broken)
    for _ in range(5):
        clock(1)
        opened.source.look()
    status = opened.source.status()
    assert opened.value == 1
    assert status.last_error
    assert (status.age_seconds or 0) >= 5
    assert len(caplog.records) == 1
    assert "what it held before serves" in caplog.text

    write(path, flag(2))
    clock(1)
    opened.source.look()
    assert opened.value == 2
    assert not opened.source.status().last_error
    assert opened.changes == 1


HALF = "[features.flag]\ndefaultValue = 2\n"


def test_a_file_that_is_being_written_is_read_when_it_is_left_alone(
    path: Path, clock: Callable[[float], int]
) -> None:
    """Its first half is whole TOML, too; soon after the last line it is read."""
    path = path.with_suffix(".toml")
    path.write_text("[features.flag]\ndefaultValue = 1\n")
    opened = Opened(path)
    clock(1)
    for text in (HALF, HALF + "# the other half\n"):
        path.write_text(text)
        os.utime(path, ns=(clock(0),) * 2)
        opened.source.look()
        assert opened.value == 1
        clock(0.11)
    opened.source.look()
    assert (opened.value, opened.changes) == (2, 1)


def test_a_file_that_is_never_left_alone_is_read_all_the_same(
    path: Path, clock: Callable[[float], int]
) -> None:
    """Ten looks after the first change that was seen."""
    write(path, flag(0))
    opened = Opened(path)
    clock(1)
    for number in range(1, 21):
        write(path, flag(number))
        os.utime(path, ns=(clock(0),) * 2)
        opened.source.look()
        clock(0.11)
    assert (opened.value, opened.changes) == (11, 1)


@pytest.mark.parametrize("required", [True, False])
def test_a_file_that_was_just_written_is_read_at_the_start(path: Path, required: bool) -> None:
    """Nobody waits for what a script wrote a moment before."""
    write(path, flag(1))
    assert Opened(path, required=required).value == 1


def test_a_deleted_file_changes_nothing(
    path: Path, clock: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    """What was read serves on, and the file is read when it is back."""
    write(path, flag(1))
    opened = Opened(path)
    path.unlink()
    clock(1)
    opened.source.look()
    assert opened.value == 1
    assert "No such file" in opened.source.status().last_error
    assert "No such file" in caplog.text
    write(path, flag(2))
    clock(1)
    opened.source.look()
    assert opened.value == 2


def test_a_second_engine_on_one_source_is_told(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The first would see no more changes; a source of its own for each is no mistake."""
    write(path, flag(1))
    shared = File(path)
    Engine(sources=[shared], sink=MemorySink())
    Engine(sources=[File(path)], sink=MemorySink())
    assert not caplog.text
    Engine(sources=[shared], sink=MemorySink())
    assert "is used by a second engine" in caplog.text


@pytest.mark.parametrize("kind", ["directory", "pipe"])
def test_what_takes_the_place_of_a_file_does_not_block(
    path: Path, clock: Callable[[float], None], kind: str
) -> None:
    """Nobody reads a pipe that nobody writes to."""
    write(path, flag(1))
    opened = Opened(path)
    path.unlink()
    path.mkdir() if kind == "directory" else os.mkfifo(path)
    clock(1)
    opened.source.look()
    assert opened.value == 1
    assert "is not a file" in opened.source.status().last_error
    with pytest.raises(ConfigurationError, match="is not a file"):
        Opened(path)


def test_a_missing_file_is_an_error_where_it_is_required(path: Path) -> None:
    """A mistyped path is found when the service starts."""
    with pytest.raises(
        ConfigurationError, match=r"File\(.*\): cannot be read: .*No such file.*required=False"
    ):
        Opened(path)


def test_a_missing_file_is_waited_for_where_it_is_not(
    path: Path, clock: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    """It serves nothing until it is there."""
    opened = Opened(path, required=False)
    assert opened.source.document is None
    assert not opened.source.status().ready
    assert opened.source.status().age_seconds is None
    assert "nothing of it serves" in caplog.text
    write(path, flag(1))
    clock(1)
    opened.source.look()
    assert opened.value == 1


def test_a_broken_file_is_an_error_where_it_is_required(path: Path) -> None:
    """With the place in the file; else it is told and waited for."""
    write(path, '{"features": []}')
    with pytest.raises(DocumentError, match=r"^experiments\..*: features: is \[\], must be an"):
        Opened(path)
    assert Opened(path, required=False).source.document is None


@pytest.mark.parametrize(("suffix", "most"), [(".json", 10485760), (".toml", 1048576)])
def test_a_file_that_is_too_large_is_refused_with_its_size(
    path: Path, suffix: str, most: int
) -> None:
    """More than ten MiB, or one of what people write, are not used."""
    path = path.with_suffix(suffix)
    path.write_bytes(b" " * 12_345_678)
    with pytest.raises(DocumentError, match=rf": is 12345678 bytes, must be at most {most}$"):
        Opened(path)


def test_a_bad_experiment_is_set_aside_with_its_path(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The others serve."""
    content = {**flag(1), "experiments": {"good": {"variations": [0, 1]}, "bad": 7}}
    write(path, content)
    opened = Opened(path)
    assert opened.source.document is not None
    assert set(opened.source.document.experiments) == {"good"}
    paths = [problem.path for problem in opened.source.status().problems]
    assert paths == ["experiments.bad"]
    assert "experiments.bad: is 7, must be an object" in caplog.text


def test_a_bad_field_is_named_by_the_key_of_its_experiment(path: Path) -> None:
    """As the file has it, be its experiments a mapping or a list."""
    bad = {"variations": [0, 1], "coverage": "half", "hashVersion": 3}
    write(path, {"experiments": {"zeta": bad}})
    named = Opened(path).source.status().problems
    write(path, {"experiments": [{**bad, "key": "zeta"}]})
    listed = Opened(path).source.status().problems
    assert [one.path for one in named] == [
        "experiments.zeta.coverage",
        "experiments.zeta.hashVersion",
    ]
    assert listed == named


def test_a_callback_that_raises_is_no_error_of_a_request(
    path: Path, clock: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever happens behind a change, the request goes on."""
    write(path, flag(1))
    source = File(path)
    source.open(lambda: 1 / 0)  # type: ignore[arg-type]
    write(path, flag(22))
    clock(1)
    source.look()
    assert "division by zero" in caplog.text


class Interruption(BaseException):
    """What goes through `except Exception`, as gevent's timeouts do."""


@pytest.mark.parametrize(
    "step", ["read_document", "Document.findings", "report_problems", "changed"], ids=str
)
def test_a_read_that_is_interrupted_is_done_again(
    path: Path, clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Wherever a timeout of the request cuts it: the next look brings the change to the engine."""
    cut = {"changed": 0}
    told: list[Any] = []
    write(path, flag(1))
    source = File(path)

    def changed() -> None:
        if cut["changed"]:
            raise Interruption
        told.append(source.document)

    def interrupted(*_: object) -> None:
        raise Interruption

    source.open(changed)
    write(path, {**flag(2), "experiments": [7]})
    os.utime(path, (1, 1))
    clock(1)
    with monkeypatch.context() as patched:
        if step == "changed":
            patched.setitem(cut, "changed", 1)
        elif step == "Document.findings":
            patched.setattr(Document, "findings", interrupted)
        else:
            patched.setattr(f"abmiddleware.sources.file.{step}", interrupted)
        with pytest.raises(Interruption):
            source.look()
    clock(1)
    source.look()
    assert told[-1:] == [source.document]
    assert source.document is not None
    assert source.document.features["flag"] == {"defaultValue": 2}
    status = source.status()
    assert [problem.path for problem in status.problems] == ["experiments[0]"]
    assert status.version
    assert not status.last_error


FORK = """
import os, sys
from abmiddleware.sources import File

source = File(sys.argv[1])
told = []

def changed():
    if told:
        return told.append(source.document)
    told.append(None)
    child = os.fork()
    if not child:
        source.look()
        os._exit(0 if told == [None, source.document] else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

source.open(changed)
with open(sys.argv[1], "w") as file:
    file.write('{"features": {"flag": {"defaultValue": 22}}}')
os.utime(sys.argv[1], (1, 1))
source._due = 0.0
source.look()
"""


def test_a_child_forked_amid_a_read_reads_itself(path: Path) -> None:
    """The thread that was reading is not in it, and nobody waits for it."""
    write(path, flag(1))
    command = [sys.executable, "-c", FORK, str(path)]
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_threads_that_look_at_once(path: Path) -> None:
    """While the file changes all the time, each sees whole documents and none an error."""
    write(path, flag(0))
    source = File(path)
    source.open(lambda: None)
    errors: list[BaseException] = []
    over = threading.Event()

    def look() -> None:
        try:
            while not over.is_set():
                source._due = 0.0
                source.look()
                document = source.document
                assert isinstance(document, Document)
                assert "flag" in document.features
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(100):
        replace(path, flag(number))
    over.set()
    for thread in threads:
        thread.join()
    assert not errors
    assert not source.status().last_error


def test_while_one_thread_reads_others_go_on(
    path: Path, clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what was read before; only who hangs for half a minute is not waited for."""
    write(path, flag(1))
    opened = Opened(path)
    write(path, flag(2))
    clock(1)
    reading, may_end = threading.Event(), threading.Event()
    reads: list[int] = []

    def read(raw: bytes, suffix: str, name: str) -> Document:
        reads.append(1)
        if len(reads) == 1:
            reading.set()
            assert may_end.wait(10)
        return read_document(raw, suffix, name)

    monkeypatch.setattr("abmiddleware.sources.file.read_document", read)
    thread = threading.Thread(target=opened.source.look)
    thread.start()
    assert reading.wait(10)
    clock(29)
    opened.source.look()
    assert (opened.value, len(reads)) == (1, 1)
    clock(2)
    opened.source.look()
    assert (opened.value, len(reads)) == (2, 2)
    may_end.set()
    thread.join()
    assert opened.value == 2


def test_a_closed_file_is_looked_at_no_more(path: Path, clock: Callable[[float], None]) -> None:
    """And what it held stays."""
    write(path, flag(1))
    opened = Opened(path)
    opened.source.close()
    opened.source.close()
    write(path, flag(2))
    clock(10)
    opened.source.look()
    assert opened.value == 1


def test_it_is_a_source_without_a_thread(path: Path) -> None:
    """All of it happens in the request that looks."""
    write(path, flag(1))
    threads = Threads()
    opened = Opened(path)
    opened.source.look()
    assert isinstance(opened.source, Source)
    assert not threads.started
    assert opened.source.status().interval_seconds == 1
    assert path.name in repr(opened.source)


def test_large_files_are_checked_over_several_looks(
    path: Path, clock: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    """All at once would take half a second of a request; at the start nobody waits."""

    def content(name: str) -> Any:
        wrong = {"rules": [{"condition": {"a": {"$regex": "["}}, "force": 1}]}
        parts = {f"{name}-{number}": {"defaultValue": 1} for number in range(1200)}
        return {"features": {**parts, f"{name}-odd": wrong}, "experiments": [7]}

    def paths() -> list[str]:
        return [one.path for one in opened.source.status().problems]

    write(path, content("old"))
    opened = Opened(path)
    assert paths() == ["experiments[0]", "features.old-odd.rules[0].condition.a.$regex"]
    for name in ("replaced before it was looked at", "new"):
        clock(1)
        write(path, content(name))
        opened.source.look()
    found = [len(paths())]
    for _ in range(3):
        clock(1)
        opened.source.look()
        found.append(len(paths()))
    assert found == [1, 1, 2, 2]
    assert opened.changes == 2
    assert caplog.text.count("features.new-odd.rules[0]") == 1


@pytest.mark.parametrize("path", ["", "x", "x.ini", "x.json.bak", None, 7, b""])
def test_what_is_no_path_of_a_known_format_is_told(path: object) -> None:
    """When the source is made."""
    with pytest.raises(ConfigurationError, match=r"path: is .*, must "):
        File(path)  # type: ignore[arg-type]


def test_a_missing_yaml_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the source is made, and with the way to install it; other formats do without."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'abmiddleware\[yaml\]'"):
        File("x.yaml")
    File("x.toml")
