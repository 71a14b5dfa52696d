"""Fixtures and a marker for pytest, there as soon as the package is installed.

Nothing of the library is imported before a test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from abmiddleware.exposures.sinks.memory import MemorySink
    from abmiddleware.testing import Exposures

_MARKER: Final = "abm"
#: What is wrong with the markers of a test.
_WRONG: Final = pytest.StashKey[Exception]()


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of the marker."""
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(experiment, variation): give everybody a variation of an experiment, or a "
        "value of a feature; or a dictionary of several.",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Force what a test's markers say, around its fixtures as well."""
    markers = list(item.iter_markers(_MARKER))
    if not markers:
        return (yield)
    with ExitStack() as stack:
        try:
            for marker in reversed(markers):  # the closest comes last, and counts
                stack.enter_context(_forced(marker))
        except Exception as error:  # noqa: BLE001  # told as an error of the test
            item.stash[_WRONG] = error
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose marker is wrong."""
    if (error := item.stash.get(_WRONG, None)) is not None:
        raise error


def _forced(marker: pytest.Mark) -> Any:
    from abmiddleware.testing import force

    return force(*marker.args, **marker.kwargs)


@pytest.fixture
def abm_force() -> Iterator[Callable[..., None]]:
    """Give everybody a variation, until the test ends: `abm_force("checkout-button", "one-click")`.

    Takes what `abmiddleware.testing.force` takes, any number of times.
    """
    from abmiddleware.testing import force

    with ExitStack() as stack:

        def until_the_end(what: Any, *value: object) -> None:
            stack.enter_context(force(what, *value))

        yield until_the_end


@pytest.fixture
def abm_records() -> Iterator[MemorySink]:
    """Keep all records of the test in memory: `abm_records.exposures`, `abm_records.outcomes`."""
    from abmiddleware.testing import capture

    with capture() as records:
        yield records


@pytest.fixture
def abm_exposures(abm_records: MemorySink) -> Exposures:
    """The exposures of the test so far, in their order; nothing reaches an engine's own sink."""
    from abmiddleware.testing import Exposures

    return Exposures(abm_records)
