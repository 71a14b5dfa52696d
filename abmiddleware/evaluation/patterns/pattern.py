"""A pattern that is ready to be searched for, and the count of searches that were cut off."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from sys import byteorder
from typing import Final, TypeAlias

from abmiddleware.evaluation.patterns import allowance
from abmiddleware.evaluation.patterns.tree import SURE_LENGTH

#: Returns None where nothing is found.
Search: TypeAlias = Callable[[str], object]

_NATIVE: Final = f"utf-16-{byteorder[0]}e"
_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")

#: How many texts were not searched to the end, by reason: "value too long", "timeout", "memory";
#: and "list too long" for lists; "request" where the searches before it have cost all that those
#: of a request may. Counts may be lost when threads count at once.
cut_offs: Counter[str] = Counter()


class Pattern:
    """Tells whether a pattern is found in a text.

    Attributes:
        limit: the longest text that it is searched in, in UTF-16 code units; its budget sets it.
        uncounted: the longest for which the request does not pay.
    """

    __slots__ = ("_cost", "_search", "_untested", "limit", "uncounted")

    def __init__(self, search: Search, cost: Callable[[int], float], *, untested: bool) -> None:
        self._search = search
        self._cost = cost
        self._untested = untested
        self.limit = self.uncounted = SURE_LENGTH

    def found(self, text: str) -> bool:
        """Tell whether the pattern is found anywhere in a text."""
        if not text.isascii() and len(text) <= self.limit:
            text = utf16(text)
        if len(text) > self.uncounted and not self._is_paid(len(text)):
            return self._untested
        try:
            return self._search(text) is not None
        except TimeoutError:
            cut_offs["timeout"] += 1
        except (MemoryError, RecursionError):
            cut_offs["memory"] += 1
        return self._untested

    def _is_paid(self, length: int) -> bool:
        """Tell whether a long text may be searched, and take what that costs from the request."""
        if length > self.limit:
            cut_offs["value too long"] += 1
            return False
        cost = self._cost(length)
        if cost > allowance.left():
            cut_offs["request"] += 1
            return False
        allowance.pay(cost)
        return True


def utf16(text: str) -> str:
    """Split characters above U+FFFF into the two surrogates that ECMAScript sees."""
    if text.isascii() or not _ASTRAL.search(text):
        return text
    units = memoryview(text.encode(_NATIVE, "surrogatepass")).cast("H")
    return "".join(map(chr, units))
