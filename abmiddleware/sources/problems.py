"""The parts of a configuration that are set aside: found, and told."""

from __future__ import annotations

from time import sleep
from typing import Final

from abmiddleware.evaluation.conditions import Problem
from abmiddleware.evaluation.document import MAX_PROBLEMS, Document
from abmiddleware.notices import notices

#: Problems that one line of the log names.
_MAX_NAMED: Final = 5
#: Parts compiled between two pauses; about a millisecond of work.
_BATCH: Final = 16


def count_parts(document: Document) -> int:
    """Return how many parts must be compiled to find all problems."""
    return len(document.experiments) + len(document.features)


def find_problems(document: Document, *, pause: float = 0.0) -> tuple[Problem, ...]:
    """Compile every part, keeping none, and return what is wrong; the first hundred.

    Args:
        document: whose parts.
        pause: seconds to sleep every millisecond or so, for a thread that others should not wait
            for: without, requests would share the interpreter with it for up to a second.
    """
    problems = list(document.problems)
    for index, found in enumerate(document.findings()):
        if len(problems) >= MAX_PROBLEMS:
            break
        problems.extend(found)
        if pause and index % _BATCH == 0:
            sleep(pause)
    return tuple(problems[:MAX_PROBLEMS])


def report_problems(name: str, problems: tuple[Problem, ...]) -> None:
    """Tell the log which parts of a source's configuration are set aside."""
    if not problems:
        return
    named = "; ".join(f"{one.path}: {one.problem}" for one in problems[:_MAX_NAMED])
    more = len(problems) - _MAX_NAMED
    notices.warn(
        f"{name} problems",
        "of the configuration of %s is set aside: %s%s",
        name,
        named,
        f" (and {more} more)" if more > 0 else "",
    )
