"""The page on the journal says what the code does."""

from __future__ import annotations

import re
from inspect import signature
from pathlib import Path

import pytest

from abmiddleware import Journal
from abmiddleware.exposures import guard, ring, writer
from abmiddleware.exposures.lines import MAX_ID, MAX_RECORD

PAGE = (Path(__file__).parents[1] / "docs" / "journal.md").read_text()


def first_cells(title: str) -> list[str]:
    """Return what is named in the first column of the table below a text."""
    after = PAGE[PAGE.index(title) :]
    table = after[after.index("| --- |") :].split("\n\n")[0]
    return re.findall(r"^\| `([\w.]+)`", table, re.MULTILINE)


def test_every_option_is_in_the_table() -> None:
    """The options are those of the class, in its order."""
    _, *options = signature(Journal).parameters

    assert first_cells("is a journal with the defaults") == options


def test_every_counter_is_in_the_table() -> None:
    """The counters are the properties of the class."""
    found = [name for name, value in vars(Journal).items() if isinstance(value, property)]

    assert first_cells("## What is counted") == [f"journal.{name}" for name in found]


@pytest.mark.parametrize(
    "figure",
    [
        pytest.param(f"more than {guard.SLOW * 1000:.0f} ms", id="slow"),
        pytest.param(f"After {guard.CALM_FOR:.0f} seconds", id="calm-for"),
        pytest.param(f"quicker than {guard.CALM * 1000:.0f} ms", id="calm"),
        pytest.param(f"{guard.MAX_RECORDS:,} records or {guard.MAX_BYTES >> 20} MiB", id="queue"),
        pytest.param(f"within {writer.EXIT_TIMEOUT:.0f} seconds", id="exit"),
        pytest.param(f"({ring.MAX_BYTES >> 20} MiB at most)", id="ring"),
        pytest.param(f"more than {MAX_RECORD >> 10} KiB", id="record"),
        pytest.param(f"more than {MAX_ID} characters", id="id"),
    ],
)
def test_the_figures_are_those_of_the_code(figure: str) -> None:
    """A limit that is changed must be changed on the page."""
    assert figure in PAGE


@pytest.mark.parametrize("reason", sorted(ring.WAITS - {"short write"}))
def test_what_is_held_is_listed(reason: str) -> None:
    """Each error that a ring waits for is named."""
    assert f"`{reason}`" in PAGE[PAGE.index("## Full disks") :]
