"""Version strings in a form that compares as text (specification, section 6.6)."""

from __future__ import annotations

import re

from abmiddleware.evaluation.values import is_number, number_text, string_order

_SEPARATOR = re.compile(r"[-.]")


def padded_version(value: object) -> bytes:
    """Return a key that sorts versions: numbers by value, a release after its pre-releases."""
    if is_number(value):
        value = number_text(value)  # type: ignore[arg-type]  # is_number said so
    if not isinstance(value, str) or not value:
        value = "0"
    plain = value.removeprefix("v").partition("+")[0]
    segments = _SEPARATOR.split(plain)
    if len(segments) == 3:
        segments.append("~")  # sorts behind every pre-release
    return string_order("-".join(map(_padded, segments)))


def _padded(segment: str) -> str:
    return segment.rjust(5) if segment.isascii() and segment.isdigit() else segment
