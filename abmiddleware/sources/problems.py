"""The parts of a configuration that are set aside: found, and told."""

from __future__ import annotations

from itertools import islice
from time import sleep
from typing import Final

from abmiddleware.evaluation.conditions import Problem
from abmiddleware.evaluation.document import MAX_PROBLEMS, Document
from abmiddleware.notices import notices

#: Problems that one line of the log names.
_MAX_NAMED: Final = 5
#: Parts compiled between two pauses; about a millisecond of work.
_BATCH: Final = 16


class Search:
    """Looks for the parts that are set aside, some at a time; keeps the first hundred.

    It compiles every part, some 50 microseconds each, and keeps none.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self._found = list(document.problems)
        self._findings = document.findings()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was found so far."""
        return tuple(self._found[:MAX_PROBLEMS])

    def go_on(self, parts: int) -> bool:
        """Look at so many parts more; tell whether there may be others behind them."""
        count = 0
        for found in islice(self._findings, parts):
            self._found.extend(found)
            count += 1
        return count == parts and len(self._found) < MAX_PROBLEMS


def find_problems(document: Document, *, pause: float = 0.0) -> tuple[Problem, ...]:
    """Look at every part of a document, and return what is wrong; the first hundred.

    Args:
        document: whose parts.
        pause: seconds to sleep every millisecond or so, for a thread that others should not wait
            for: without, requests would share the interpreter with it for up to a second.
    """
    search = Search(document)
    while search.go_on(_BATCH):
        if pause:
            sleep(pause)
    return search.problems


def report_problems(name: str, problems: tuple[Problem, ...]) -> None:
    """Tell the log which parts of a source's configuration are set aside."""
    if not problems:
        return
    named = "; ".join(f"{one.path}: {one.problem}" for one in problems[:_MAX_NAMED])
    more = len(problems) - _MAX_NAMED
    notices.warn(
        f"{name} problems {named}",  # others are told at once, though it be within a minute
        "of the configuration of %s is set aside: %s%s",
        name,
        named,
        f" (and {more} more)" if more > 0 else "",
    )
