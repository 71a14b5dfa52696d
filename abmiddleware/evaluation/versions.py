"""Version strings in a form that compares as text (specification, section 6.6)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from abmiddleware.evaluation.values import is_number, number_text, string_order

_SEPARATOR = re.compile(r"[-.]")
#: Versions that are remembered: their number, and the length in characters that they may have.
_REMEMBERED: Final = 1024
_SHORT: Final = 64


def padded_version(value: object) -> bytes:
    """Return a key that sorts versions: numbers by value, a release after its pre-releases."""
    if type(value) is str and len(value) <= _SHORT:
        return _remembered(value)
    if is_number(value):
        value = number_text(value)  # type: ignore[arg-type]  # is_number said so
    return _padded_version(value if isinstance(value, str) else "")


def _padded_version(value: str) -> bytes:
    plain = (value or "0").removeprefix("v").partition("+")[0]
    segments = _SEPARATOR.split(plain)
    if len(segments) == 3:
        segments.append("~")  # sorts behind every pre-release
    return string_order("-".join(map(_padded, segments)))


#: An application's users have few versions.
_remembered = lru_cache(_REMEMBERED)(_padded_version)


def _padded(segment: str) -> str:
    return segment.rjust(5) if segment.isascii() and segment.isdigit() else segment
