"""ECMAScript regular expressions for `$regex` and its kin, in a bounded time.

A pattern is parsed as ECMAScript does without the `u` flag, Annex B included, and written anew as
a Python pattern over UTF-16 code units that needs no flags.

No search takes long, whatever the pattern and the text:

- a pattern has at most 1,000 units (what it takes to compile its sets is bounded as well);
- a text of more than 512 units is not searched;
- what a search costs at most is estimated from the pattern. One that might take more than some
  25 ms is refused; or run by the module `regex`, if that is installed, and given up after 5 ms.

`cut_offs` counts the searches that were not made or given up.

Differences that stay: a group in a repeated group keeps what an earlier or empty round captured;
back-references that ignore case compare lower case; a `PatternError` is raised for escapes and
the rarest letters in group names, back-references in a look-behind, look-behinds with an
alternative of varying length and nesting deeper than 100.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from abmiddleware.evaluation.patterns.cost import search_cost
from abmiddleware.evaluation.patterns.parser import Parser
from abmiddleware.evaluation.patterns.tree import (
    TEXT_LIMIT,
    Node,
    RefusedPatternError,
    Repeat,
    children,
)
from abmiddleware.evaluation.patterns.trim import trim
from abmiddleware.evaluation.patterns.writer import write

#: The longest pattern, in UTF-16 code units.
PATTERN_LIMIT: Final = 1_000
#: What an unlimited search may cost by the estimate, in nanoseconds.
COST_LIMIT: Final = 25e6
#: When the module `regex` gives up, in seconds.
TIMEOUT: Final = 0.005
#: How many copies of its parts `regex` may make of a pattern.
_COPIES: Final = 2_000

_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")

#: How many texts were not searched to the end, by reason: "value too long", "timeout", "memory".
#: Counts may be lost when threads count at once.
cut_offs: Counter[str] = Counter()


def compile_pattern(
    pattern: str, *, ignore_case: bool = False, allow_slow: bool = False, untested: bool = False
) -> Callable[[str], bool]:
    """Return a function that tells whether the ECMAScript `pattern` is found anywhere in a text.

    Args:
        pattern: at most 1,000 UTF-16 code units.
        ignore_case: as the flag `i` does.
        allow_slow: run the pattern however long that may take.
        untested: the answer for a text that cannot be tested, because it has more than 512 units
            or takes too long; `cut_offs` counts these.

    Raises:
        PatternError: for what is no ECMAScript or cannot be translated.
        RefusedPatternError: for a valid pattern that might take too long.
    """
    source = _utf16(pattern)
    if len(source) > PATTERN_LIMIT:
        raise RefusedPatternError(f"longer than {PATTERN_LIMIT:,} characters")
    parser = Parser(source, ignore_case=ignore_case)
    try:
        tree = trim(parser.parse())
        search: Callable[[str], object] = re.compile(write(tree)).search
        if not allow_slow and (cost := search_cost(tree)) > COST_LIMIT:
            search = _limited(tree, cost)
    except (re.error, OverflowError, MemoryError, RecursionError) as error:
        raise parser.error(f"cannot be translated ({error})") from error
    return _finder(search, untested=untested)


def _finder(search: Callable[[str], object], *, untested: bool) -> Callable[[str], bool]:
    def found(text: str) -> bool:
        if not text.isascii() and len(text) <= TEXT_LIMIT:
            text = _utf16(text)
        if len(text) > TEXT_LIMIT:
            cut_offs["value too long"] += 1
            return untested
        try:
            return search(text) is not None
        except TimeoutError:
            cut_offs["timeout"] += 1
        except (MemoryError, RecursionError):
            cut_offs["memory"] += 1
        return untested

    return found


def _limited(tree: Node, cost: float) -> Callable[[str], object]:
    """Return the search of the module `regex`, which gives up in time."""
    slow = (
        f"might take {_duration(cost)} for one text, because repeats or alternatives that match"
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


def _duration(cost: float) -> str:
    if cost >= 60e9:
        return "minutes or longer"
    return f"{cost / 1e9:.1f} s" if cost >= 1e9 else f"{cost / 1e6:.0f} ms"


def _copies(node: Node) -> int:
    """Return how many parts `regex` makes of a part, as it writes out the rounds that must be."""
    inside = 1 + sum(_copies(child) for child in children(node))
    return inside * (node.low + 1) if isinstance(node, Repeat) else inside


def _utf16(text: str) -> str:
    """Split characters above U+FFFF into the two surrogates that ECMAScript sees."""
    if text.isascii():
        return text
    return _ASTRAL.sub(
        lambda match: chr(0xD7C0 + (ord(match[0]) >> 10)) + chr(0xDC00 + ord(match[0]) % 0x400),
        text,
    )
