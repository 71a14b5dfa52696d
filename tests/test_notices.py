"""What the log says, and how often."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

import pytest

from abmiddleware.notices import Notices


@pytest.fixture(autouse=True)
def _at_warning(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING, logger="abmiddleware"):
        yield


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that lets seconds pass."""
    now = time.monotonic()

    def passes(seconds: float) -> None:
        nonlocal now
        now += seconds
        monkeypatch.setattr(time, "monotonic", lambda: now)

    passes(0)
    return passes


def test_a_subject_is_told_once_a_minute(
    caplog: pytest.LogCaptureFixture, pass_time: Callable[[float], None]
) -> None:
    """A flood of one subject is one line a minute, which says how many were left out."""
    notices = Notices()
    for _ in range(100):
        notices.warn("disk", "disk %s", "full")
    pass_time(59)
    notices.warn("disk", "disk %s", "full")
    pass_time(2)
    notices.warn("disk", "disk %s", "full")
    pass_time(61)
    notices.warn("disk", "disk %s", "full")

    assert caplog.messages == ["disk full", "disk full (and 100 times since)", "disk full"]


def test_subjects_do_not_silence_each_other(caplog: pytest.LogCaptureFixture) -> None:
    """Another subject is told at once."""
    notices = Notices()
    notices.warn("a", "first")
    notices.warn("b", "second")

    assert caplog.messages == ["first", "second"]


def test_an_error_is_told_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    """The trace of an error that was held back is in the log."""
    error = RuntimeError("broken")
    Notices().warn("a", "it raised %r", error, error=error)

    assert caplog.records[0].exc_info is not None
    assert caplog.records[0].exc_info[1] is error


def test_some_things_are_told_once_and_never_again(
    caplog: pytest.LogCaptureFixture, pass_time: Callable[[float], None]
) -> None:
    """A lasting mistake is one line in a process's life."""
    notices = Notices()
    for _ in range(5):
        notices.warn_once("key", lambda: "unknown key")
        pass_time(3600)

    assert caplog.messages == ["unknown key"]


def test_what_is_forgotten_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    """Tests can hear each line anew."""
    notices = Notices()
    for _ in range(2):
        notices.warn_once("key", lambda: "unknown")
        notices.warn("disk", "full")
        notices.forget()

    assert caplog.messages == ["unknown", "full"] * 2


def test_memory_is_bounded_whatever_the_subjects(caplog: pytest.LogCaptureFixture) -> None:
    """Subjects that visitors can choose fill neither the memory nor, if told once, the log."""
    notices = Notices()
    for number in range(2500):
        notices.warn(f"a {number}", "a")
        notices.warn_once(f"b {number}", lambda: "b")

    assert len(notices._said) <= 1000
    assert caplog.messages.count("a") == 2500
    assert caplog.messages.count("b") == 1000
    assert caplog.messages.count("further mistakes like the last 1000 are not logged") >= 1
