"""6.8: regular expressions, as far as the constructs that are named there.

A pattern is translated to Python's dialect, and text and pattern are taken as UTF-16 code units.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

from .coercion import SPACE
from .values import units

LINE_ENDS = "\\n\\r\\u2028\\u2029"
#: The escapes that differ, outside and inside of a class.
ESCAPES = {
    "d": "0-9",
    "w": "A-Za-z0-9_",
    "s": "".join(f"\\u{ord(letter):04x}" for letter in SPACE),
}
GROUPS = re.compile(r"\(\?(?::|=|!|<=|<!|<[A-Za-z_]\w*>)")
REPEATS = re.compile(r"[*+?]|\{[0-9]+(?:,[0-9]*)?\}")
#: Escapes that mean the same in both dialects.
PLAIN_ESCAPES = set("bBnrtfv/\\.*+?^$()[]{}|-123456789")


class InvalidPatternError(ValueError):
    """The pattern is none of ECMAScript, or has a construct that is not named."""


def exploded(string: str) -> str:
    """Return a string with each UTF-16 code unit as a character."""
    return "".join(map(chr, units(string)))


def found(pattern: object, subject: str, *, ignore_case: bool = False) -> bool | None:
    """Tell whether a pattern is found in a text; null for an invalid pattern."""
    if not isinstance(pattern, str):
        return None
    try:
        translated = _translate(exploded(pattern))
        compiled = re.compile(translated, re.IGNORECASE if ignore_case else 0)
    except (re.error, InvalidPatternError, OverflowError, RecursionError):
        return None
    return compiled.search(exploded(subject)) is not None


def _translate(pattern: str) -> str:
    result, at, repeatable = "", 0, False
    while at < len(pattern):
        piece, taken, quantifier = _piece(pattern, at)
        if quantifier:
            if not repeatable:
                raise InvalidPatternError("nothing to repeat")
            if pattern.startswith("?", at + taken):
                piece, taken = piece + "?", taken + 1
        boundary = pattern[at : at + 2].lower() == r"\b"
        repeatable = not quantifier and not boundary and pattern[at] not in "(|^"
        result, at = result + piece, at + taken
    return result


def _piece(pattern: str, at: int) -> tuple[str, int, bool]:
    """Translate one piece: what it becomes, how long it is, whether it is a quantifier."""
    repeat = REPEATS.match(pattern, at)
    if repeat:
        return repeat[0], len(repeat[0]), True
    letter = pattern[at]
    if letter == "\\":
        return _escape(pattern[at + 1 : at + 2], inside=False), 2, False
    if letter == "[":
        return *_class(pattern, at), False
    if pattern.startswith("(?", at):
        return *_group(pattern, at), False
    return {".": f"[^{LINE_ENDS}]", "$": r"\Z"}.get(letter, letter), 1, False


def _group(pattern: str, at: int) -> tuple[str, int]:
    opening = GROUPS.match(pattern, at)
    if not opening:
        raise InvalidPatternError("no such group")
    named = opening[0].startswith("(?<") and opening[0][3] not in "=!"
    return opening[0].replace("(?<", "(?P<") if named else opening[0], len(opening[0])


def _escape(letter: str, *, inside: bool) -> str:
    if letter in ESCAPES:
        return ESCAPES[letter] if inside else f"[{ESCAPES[letter]}]"
    if letter.lower() in ESCAPES:
        return _others(letter.lower()) if inside else f"[^{ESCAPES[letter.lower()]}]"
    if letter in {"b", "B"} and not inside:
        return rf"(?a:\{letter})"
    if letter == "" or letter not in PLAIN_ESCAPES:
        raise InvalidPatternError("an escape that is not named")
    return letter if letter == "/" else f"\\{letter}"


@cache
def _others(letter: str) -> str:
    """Return the ranges of the code units that an escape does not stand for."""
    own = re.compile(f"[{ESCAPES[letter]}]")
    codes = [-1, *(code for code in range(0x10000) if own.match(chr(code))), 0x10000]
    return "".join(
        f"\\u{before + 1:04x}-\\u{after - 1:04x}"
        for before, after in pairwise(codes)
        if after - before > 1
    )


def _class(pattern: str, start: int) -> tuple[str, int]:
    at = start + 1
    result = "["
    if pattern.startswith("^", at):
        result, at = "[^", at + 1
    if pattern.startswith("]", at):
        # ECMAScript: nothing, or anything.
        return ("(?!)" if result == "[" else r"[\s\S]"), at + 1 - start
    while at < len(pattern) and pattern[at] != "]":
        if pattern[at] == "\\":
            result, at = result + _escape(pattern[at + 1 : at + 2], inside=True), at + 2
        else:
            letter = pattern[at]
            result, at = result + (f"\\{letter}" if letter in "[&~|" else letter), at + 1
    if at == len(pattern):
        raise InvalidPatternError("a class without an end")
    return result + "]", at + 1 - start
