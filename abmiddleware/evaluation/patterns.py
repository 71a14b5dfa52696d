"""ECMAScript regular expressions for `$regex` and its kin, run by Python's `re`.

A pattern is parsed as ECMAScript does without the `u` flag, Annex B included, and written anew as
a Python pattern over UTF-16 code units that needs no flags.

Differences that stay: a group in a repeated group keeps what an earlier or empty round captured;
back-references that ignore case compare lower case; a `PatternError` is raised for escapes and
the rarest letters in group names, back-references in a look-behind, look-behinds with an
alternative of varying length, nesting deeper than 100 and counts that demand over 1,000,000 rounds.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

_MAX_LENGTH: Final = 10_000
_MAX_DEPTH: Final = 100
_MAX_ROUNDS: Final = 1_000_000
_INFINITE: Final = 2**31 - 1
_ASCII: Final = 0x80
_UNITS: Final = 0x10000

_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")
_GROUP: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*|(\()(?:(?!\?)|(\?)(?=<(?![=!])))", re.DOTALL)
_OPENER: Final = re.compile(r"\((?:\?(?:[:=!]|<[=!]))?")
_NAME: Final = re.compile(r"<([^>]*)>")
_NAME_SIGN: Final = re.compile("[$]|(?<!^)[\u200c\u200d]")
_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{([0-9]+)(?:(,)([0-9]*))?\})(\??)")
_ASSERTION: Final = re.compile(r"[$^]|\\[bB]")
_DECIMAL: Final = re.compile(r"\\([1-9][0-9]*)")
_NUMERIC: Final = re.compile(r"([0-3]?[0-7]{1,2})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})")
_CONTROL: Final = re.compile(r"c([A-Za-z])")
_CONTROL_IN_CLASS: Final = re.compile(r"c([A-Za-z0-9_])")

_NAMED_UNITS: Final = {"b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_SETS: Final = {
    "d": r"0-9",
    "D": r"\x00-/:-\uffff",
    "w": r"0-9A-Z_a-z",
    "W": r"\x00-/:-@\[-\^`{-\uffff",
    "s": r"\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff",
    "S": r"\x00-\x08\x0e-\x1f!-\x9f\xa1-\u167f\u1681-\u1fff\u200b-\u2027"
    r"\u202a-\u202e\u2030-\u205e\u2060-\u2fff\u3001-\ufefe\uff00-\uffff",
}
_ASSERTIONS: Final = {"^": "^", "$": r"\Z", r"\b": r"(?a:\b)", r"\B": r"(?!(?a:\b))"}
_LOOK_BEHIND_BARS: Final = {"(?<=": ")|(?<=", "(?<!": ")(?<!"}


class PatternError(ValueError):
    """A pattern that ECMAScript refuses or that Python's `re` has no counterpart for."""


def compile_pattern(pattern: str, *, ignore_case: bool = False) -> Callable[[str], bool]:
    """Return a function that tells whether the ECMAScript `pattern` is found anywhere in a text."""
    if len(pattern) > _MAX_LENGTH:
        raise PatternError(f"longer than {_MAX_LENGTH} characters")
    translator = _Translator(_utf16(pattern), ignore_case=ignore_case)
    try:
        search = re.compile(translator.translate()).search
    except (re.error, OverflowError, MemoryError, RecursionError) as error:
        raise translator.error(f"cannot be translated ({error})") from error

    def found(text: str) -> bool:
        try:
            return search(_utf16(text)) is not None
        except (MemoryError, RecursionError):
            return False

    return found


def _utf16(text: str) -> str:
    """Split characters above U+FFFF into the two surrogates that ECMAScript sees."""
    if text.isascii():
        return text
    return _ASTRAL.sub(
        lambda match: chr(0xD7C0 + (ord(match[0]) >> 10)) + chr(0xDC00 + ord(match[0]) % 0x400),
        text,
    )


@cache
def _cased(limit: int) -> dict[int, list[int]]:
    """Map each unit below `limit` that has case variants to itself and these."""
    families: dict[int, list[int]] = {}
    for unit in range(limit):
        upper = chr(unit).upper()
        stays = len(upper) > 1 or (unit >= _ASCII and upper.isascii())
        families.setdefault(unit if stays else ord(upper), []).append(unit)
    return {unit: family for family in families.values() if len(family) > 1 for unit in family}


def _variants(span: range) -> set[int]:
    """Return what a set that holds `span` holds beyond it when case is ignored."""
    cased = _cased(_ASCII if span.stop <= _ASCII else _UNITS)
    units = span if len(span) < len(cased) else [unit for unit in cased if unit in span]
    return {other for unit in units for other in cased.get(unit, ()) if other not in span}


def _count(digits: str) -> int:
    """Read a decimal number of any length, all from 2**31 - 1 on being infinite."""
    digits = digits.lstrip("0") or "0"
    return _INFINITE if len(digits) > len(str(_INFINITE)) else min(int(digits), _INFINITE)


class _Frame(NamedTuple):
    """A group that is being read: how it opened, groups before it, what was written inside."""

    opener: str
    before: int
    terms: list[str]


class _Translator:
    """Reads one ECMAScript pattern from left to right and writes the Python one."""

    def __init__(self, source: str, *, ignore_case: bool) -> None:
        self._source = source
        self._ignore_case = ignore_case
        self._at = 0
        self._frames = [_Frame("", 0, [])]
        self._groups = self._opened = 0
        self._closed: set[int] = set()
        self._names: dict[str, int] = {}

    def translate(self) -> str:
        self._scan()
        while self._at < len(self._source):
            self._term()
        if len(self._frames) > 1:
            raise self.error("unterminated group")
        return "".join(self._frames[0].terms)

    def error(self, what: str) -> PatternError:
        return PatternError(f"{what} at position {self._at}")

    def _match(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        """Step over what `expression` matches at the present position."""
        match = expression.match(self._source, self._at)
        self._at = match.end() if match else self._at
        return match

    def _skip(self, text: str) -> bool:
        found = self._source.startswith(text, self._at)
        self._at += len(text) if found else 0
        return found

    def _scan(self) -> None:
        """Count the groups and learn their names, on which the meaning of escapes depends."""
        for match in _GROUP.finditer(self._source):
            self._groups += match[1] is not None
            if match[2]:
                self._at = match.end()
                if self._names.setdefault(self._name(), self._groups) != self._groups:
                    raise self.error("second group of that name")
        self._at = 0

    def _name(self) -> str:
        match = self._match(_NAME)
        units = match[1] if match else ""
        name = units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if not _NAME_SIGN.sub("_", name).isidentifier():
            raise self.error("invalid group name")
        return name

    def _term(self) -> None:
        if self._quantifier():
            raise self.error("nothing to repeat")
        if match := self._match(_OPENER):
            self._open(match[0])
        elif match := self._match(_ASSERTION):
            self._emit(_ASSERTIONS[match[0]])
        elif self._skip("|"):
            self._emit(_LOOK_BEHIND_BARS.get(self._frames[-1].opener, "|"))
        elif self._skip(")"):
            self._close()
        elif self._skip("."):
            self._atom(r"[^\n\r\u2028\u2029]")
        elif self._skip("["):
            self._atom(self._class())
        elif reference := self._reference():
            self._atom(reference)
        else:
            self._atom(f"[{self._inside(self._unit(_CONTROL))}]")

    def _emit(self, text: str) -> None:
        self._frames[-1].terms.append(text)

    def _atom(self, text: str) -> None:
        self._emit(text + self._quantifier())

    def _quantifier(self) -> str:
        """Read a quantifier, if there is one, and write the Python one."""
        match = self._match(_QUANTIFIER)
        if match is None or match[1] is None:
            return match[0] if match else ""
        low = high = _count(match[1])
        if match[2]:
            high = _count(match[3]) if match[3] else _INFINITE
        if low > min(high, _MAX_ROUNDS):
            raise self.error("repeat counts out of order or too large")
        return f"{{{low},{'' if high == _INFINITE else high}}}{match[4]}"

    def _open(self, opener: str) -> None:
        if len(self._frames) > _MAX_DEPTH:
            raise self.error("nested too deep")
        before = self._opened
        if opener == "(":
            if self._skip("?") and not self._match(_NAME):
                raise self.error("invalid group")
            self._opened += 1
            opener = f"(?P<g{self._opened}>"
        self._frames.append(_Frame(opener, before, []))

    def _close(self) -> None:
        if len(self._frames) == 1:
            raise self.error("unmatched )")
        opener, before, terms = self._frames.pop()
        text = f"{opener}{''.join(terms)})"
        if opener.endswith("!"):
            self._closed.difference_update(range(before + 1, self._opened + 1))
        if opener in _LOOK_BEHIND_BARS:
            re.compile(text)
            self._emit(f"(?:{text})")
        elif opener in {"(?=", "(?!"}:
            optional = self._quantifier().startswith(("*", "?", "{0,"))
            self._emit(f"(?:{text}){{0}}" if optional else text)
        else:
            self._closed.update(() if opener == "(?:" else (before + 1,))
            self._atom(text)

    def _class(self) -> str:
        """Read a character class behind its bracket."""
        negation = "^" if self._skip("^") else ""
        inside = ""
        while not self._skip("]"):
            low = self._unit(_CONTROL_IN_CLASS)
            if self._source.startswith("-]", self._at) or not self._skip("-"):
                inside += self._inside(low)
                continue
            high = self._unit(_CONTROL_IN_CLASS)
            if isinstance(low, str) or isinstance(high, str):
                inside += rf"{self._inside(low)}\-{self._inside(high)}"
            elif low > high:
                raise self.error("range out of order")
            else:
                inside += self._inside(low, high)
        everything = r"[\x00-\uffff]" if negation else r"[^\x00-\uffff]"
        return f"[{negation}{inside}]" if inside else everything

    def _inside(self, low: int | str, high: int = 0) -> str:
        """Write the inside of a set: a set as it is, one unit, or the units from low to high."""
        if isinstance(low, str):
            return low
        span = range(low, (high or low) + 1)
        variants = _variants(span) if self._ignore_case else ()
        return f"\\u{low:04x}-\\u{span[-1]:04x}" + "".join(f"\\u{unit:04x}" for unit in variants)

    def _unit(self, control: re.Pattern[str]) -> int | str:
        """Read a character, or an escape that stands for a unit or for the inside of a set."""
        if self._at == len(self._source):
            raise self.error("unterminated character class")
        if not self._skip("\\"):
            self._at += 1
            return ord(self._source[self._at - 1])
        if match := self._match(_NUMERIC):
            return int(match[1], 8) if match[1] else int(match[2] or match[3], 16)
        if match := self._match(control):
            return ord(match[1]) % 32
        char = self._source[self._at : self._at + 1]
        if not char or (char == "k" and self._names):
            raise self.error("invalid escape")
        if char == "c":
            return ord("\\")
        self._at += 1
        return _SETS.get(char) or _NAMED_UNITS.get(char, ord(char))

    def _reference(self) -> str:
        """Read a back-reference, which matches nothing unless its group took part before."""
        match = _DECIMAL.match(self._source, self._at)
        if match and _count(match[1]) <= self._groups:
            self._at, group = match.end(), _count(match[1])
        elif self._names and self._skip(r"\k"):
            group = self._names.get(self._name(), 0)
        else:
            return ""
        if group == 0:
            raise self.error("reference to an unknown group")
        if any(frame.opener in _LOOK_BEHIND_BARS for frame in self._frames):
            raise self.error("back-reference in a look-behind")
        same = f"(?i:(?P=g{group}))" if self._ignore_case else f"(?P=g{group})"
        return f"(?(g{group}){same})" if group in self._closed else "(?:)"
