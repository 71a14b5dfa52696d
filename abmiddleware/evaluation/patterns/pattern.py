"""A pattern that is ready to be searched for, and the count of searches that were cut off."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from sys import byteorder
from typing import Final, TypeAlias

from abmiddleware.evaluation.patterns.tree import SURE_LENGTH

#: Returns None where nothing is found.
Search: TypeAlias = Callable[[str], object]

_NATIVE: Final = f"utf-16-{byteorder[0]}e"
_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")

#: How many texts were not searched to the end, by reason: "value too long", "timeout", "memory";
#: and "list too long" for lists. Counts may be lost when threads count at once.
cut_offs: Counter[str] = Counter()


class Pattern:
    """Tells whether a pattern is found in a text.

    Attributes:
        limit: the longest text that it is searched in, in UTF-16 code units; its budget sets it.
    """

    __slots__ = ("_search", "_untested", "limit")

    def __init__(self, search: Search, *, untested: bool) -> None:
        self._search = search
        self._untested = untested
        self.limit = SURE_LENGTH

    def found(self, text: str) -> bool:
        """Tell whether the pattern is found anywhere in a text."""
        if not text.isascii() and len(text) <= self.limit:
            text = utf16(text)
        if len(text) > self.limit:
            cut_offs["value too long"] += 1
            return self._untested
        try:
            return self._search(text) is not None
        except TimeoutError:
            cut_offs["timeout"] += 1
        except (MemoryError, RecursionError):
            cut_offs["memory"] += 1
        return self._untested


def utf16(text: str) -> str:
    """Split characters above U+FFFF into the two surrogates that ECMAScript sees."""
    if text.isascii() or not _ASTRAL.search(text):
        return text
    units = memoryview(text.encode(_NATIVE, "surrogatepass")).cast("H")
    return "".join(map(chr, units))
