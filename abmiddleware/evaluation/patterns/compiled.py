"""ECMAScript regular expressions for `$regex` and its kin, in a bounded time.

A pattern is parsed as ECMAScript does without the `u` flag, Annex B included, and written anew as
a Python pattern over UTF-16 code units that needs no flags.

No search takes long, whatever the pattern and the text:

- a pattern has at most 1,000 units (what it takes to compile its sets is bounded as well);
- what a search costs at most is estimated from the pattern and the length of the text. A pattern
  that might take more than 25 ms for 512 units is refused; or run by the module `regex`, if that
  is installed, and given up after 5 ms;
- longer texts are searched as far as the estimate stays below that, up to 16,384 units, or 4,096
  with a time limit;
- the patterns of one condition share one `Budget`: together they take no longer either, and
  neither do all elements of a list that they are tested on, nor the two texts of a page's URL;
- and so do those of one request, whatever number of conditions it meets (`allowance.py`).

`cut_offs` counts the searches that were not made or given up.

Differences that stay: a group in a repeated group keeps what an earlier or empty round captured;
back-references that ignore case compare lower case; a `PatternError` is raised for escapes and
the rarest letters in group names, back-references in a look-behind, look-behinds with an
alternative of varying length and nesting deeper than 100.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any, Final

from abmiddleware.evaluation.patterns.budget import Budget, Cost, duration
from abmiddleware.evaluation.patterns.cost import search_cost
from abmiddleware.evaluation.patterns.parser import Parser
from abmiddleware.evaluation.patterns.pattern import Pattern, Search, utf16
from abmiddleware.evaluation.patterns.tree import (
    SURE_LENGTH,
    Node,
    RefusedPatternError,
    Repeat,
    children,
)
from abmiddleware.evaluation.patterns.trim import trim
from abmiddleware.evaluation.patterns.writer import write

#: The longest pattern, in UTF-16 code units.
PATTERN_LIMIT: Final = 1_000
#: When the module `regex` gives up, in seconds.
TIMEOUT: Final = 0.005
#: How many copies of its parts `regex` may make of a pattern.
_COPIES: Final = 2_000


def compile_pattern(
    pattern: str,
    *,
    ignore_case: bool = False,
    untested: bool = False,
    budget: Budget | None = None,
) -> Pattern:
    """Compile the ECMAScript `pattern`, to be found anywhere in a text.

    Args:
        pattern: at most 1,000 UTF-16 code units.
        ignore_case: as the flag `i` does.
        untested: the answer for a text that cannot be tested, because it is too long or takes too
            long; `cut_offs` counts these.
        budget: what it shares with other patterns, to be settled by the caller; by default its own.

    Raises:
        PatternError: for what is no ECMAScript or cannot be translated.
        RefusedPatternError: for a valid pattern that might take too long.
    """
    source = utf16(pattern)
    if len(source) > PATTERN_LIMIT:
        raise RefusedPatternError(f"longer than {PATTERN_LIMIT:,} characters")
    is_alone = budget is None
    budget = budget or Budget()
    parser = Parser(source, ignore_case=ignore_case)
    try:
        tree = trim(parser.parse())
        search: Search = re.compile(write(tree)).search
        cost = Cost(search_cost(tree))
        if (least := cost.of(SURE_LENGTH)) > budget.most:
            search, cost = _limited(tree, least), Cost(cost.estimate, TIMEOUT * 1e9)
    except (re.error, OverflowError, MemoryError, RecursionError) as error:
        raise parser.error(f"cannot be translated ({error})") from error
    compiled = budget.admit(search, cost, untested=untested)
    if is_alone:
        budget.settle()
    return compiled


def _limited(tree: Node, cost: float) -> Search:
    """Return the search of the module `regex`, which gives up in time."""
    slow = (
        f"might take {duration(cost)} for one text, because repeats or alternatives that match"
        " the same characters follow or hold one another: anchor it with ^, let each repeat"
        " exclude what follows it, or write fewer of them"
    )
    if _copies(tree) > _COPIES:
        raise RefusedPatternError(slow)
    try:
        regex: Any = import_module("regex")
    except ImportError:
        raise RefusedPatternError(
            f"{slow}; with abmiddleware[safe-regex] it would run with a time limit"
        ) from None
    try:
        search = regex.compile(write(tree), regex.V0, cache_pattern=False).search
    except regex.error as error:
        raise RefusedPatternError(slow) from error
    return lambda text: search(text, timeout=TIMEOUT)


def _copies(node: Node) -> int:
    """Return how many parts `regex` makes of a part, as it writes out the rounds that must be."""
    inside = 1 + sum(_copies(child) for child in children(node))
    return inside * (node.low + 1) if isinstance(node, Repeat) else inside
