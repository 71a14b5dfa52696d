"""Reads ECMAScript regular expressions, as ECMAScript does without the `u` flag, Annex B included.

The tree tells units of UTF-16. What ignoring case means is in its sets and references already.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from abmiddleware.evaluation.patterns.sets import (
    DOT,
    ESCAPED,
    merged,
    others,
    variants,
    weight,
    with_variants,
)
from abmiddleware.evaluation.patterns.tree import (
    ENDLESS,
    Chain,
    Choice,
    Edge,
    Group,
    Look,
    Node,
    PatternError,
    Ranges,
    Reference,
    RefusedPatternError,
    Repeat,
    Units,
)

_MAX_DEPTH: Final = 100
#: What all sets of a pattern may weigh: it takes Python about 25 ns to compile one unit of that.
_MAX_WEIGHT: Final = 500_000
#: What looking up one unit's case variants weighs.
_VARIANT: Final = 25

_GROUP: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*|(\()(?:(?!\?)|(\?)(?=<(?![=!])))", re.DOTALL)
_OPENER: Final = re.compile(r"\((?:\?(?:[:=!]|<[=!]))?")
_NAME: Final = re.compile(r"<([^>]*)>")
_NAME_SIGN: Final = re.compile("[$]|(?<!^)[\u200c\u200d]")
_QUANTIFIER: Final = re.compile(r"(?:([*+?])|\{([0-9]+)(?:(,)([0-9]*))?\})(\??)")
_SIGNS: Final = {"*": (0, ENDLESS), "+": (1, ENDLESS), "?": (0, 1)}
_EDGE: Final = re.compile(r"[$^]|\\[bB]")
_DECIMAL: Final = re.compile(r"\\([1-9][0-9]*)")
_NUMERIC: Final = re.compile(r"([0-3]?[0-7]{1,2})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})")
_CONTROL: Final = re.compile(r"c([A-Za-z])")
_CONTROL_IN_CLASS: Final = re.compile(r"c([A-Za-z0-9_])")
_NAMED_UNITS: Final = {"b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13}


class _Frame:
    """A group that is being read: how it opened, its number, groups before it, what is inside."""

    def __init__(self, opener: str, number: int, before: int) -> None:
        self.opener = opener
        self.number = number
        self.before = before
        self.options: list[list[Node]] = [[]]

    def body(self) -> Node:
        chains = tuple(Chain(tuple(option)) for option in self.options)
        return chains[0] if len(chains) == 1 else Choice(chains)


class _Rounds(NamedTuple):
    low: int
    high: int
    lazy: bool


def _count(digits: str) -> int:
    """Read a decimal number of any length, all from `ENDLESS` on being that."""
    digits = digits.lstrip("0") or "0"
    return ENDLESS if len(digits) > len(str(ENDLESS)) else min(int(digits), ENDLESS)


def _out_of_order(low: str, high: str) -> bool:
    low, high = low.lstrip("0"), high.lstrip("0")
    return (len(low), low) > (len(high), high)


class Parser:
    """Reads one pattern, given as UTF-16 code units, from left to right."""

    def __init__(self, source: str, *, ignore_case: bool) -> None:
        self._source = source
        self._ignore_case = ignore_case
        self._at = 0
        self._weight = 0
        self._frames = [_Frame("", 0, 0)]
        self._groups = self._opened = 0
        self._closed: set[int] = set()
        self._names: dict[str, int] = {}

    def parse(self) -> Node:
        """Return the tree of the pattern, or raise `PatternError`."""
        self._scan()
        while self._at < len(self._source):
            self._term()
        if len(self._frames) > 1:
            raise self.error("unterminated group")
        return self._frames[0].body()

    def error(self, what: str) -> PatternError:
        """Return the error of what is wrong at the present position."""
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
        elif match := self._match(_EDGE):
            self._emit(Edge(match[0]))
        elif self._skip("|"):
            self._frames[-1].options.append([])
        elif self._skip(")"):
            self._close()
        elif self._skip("."):
            self._set(DOT)
        elif self._skip("["):
            self._set(self._class())
        elif reference := self._reference():
            self._atom(reference)
        else:
            unit = self._unit(_CONTROL)
            self._set(unit if isinstance(unit, tuple) else self._cased([(unit, unit)]))

    def _emit(self, node: Node) -> None:
        self._frames[-1].options[-1].append(node)

    def _atom(self, node: Node) -> None:
        rounds = self._quantifier()
        self._emit(Repeat(node, *rounds) if rounds else node)

    def _set(self, ranges: Ranges) -> None:
        self._weigh(weight(ranges))
        self._atom(Units(ranges))

    def _weigh(self, more: int) -> None:
        self._weight += more
        if self._weight > _MAX_WEIGHT:
            raise RefusedPatternError(
                f"too many or too large sets of characters beyond Latin-1 at position {self._at}"
            )

    def _cased(self, units: list[tuple[int, int]]) -> Ranges:
        ranges = merged(units)
        if not self._ignore_case:
            return ranges
        self._weigh(_VARIANT * variants(ranges))
        return with_variants(ranges)

    def _quantifier(self) -> _Rounds | None:
        """Read a quantifier, if there is one."""
        match = self._match(_QUANTIFIER)
        if match is None:
            return None
        sign, low, comma, high, lazy = match.groups()
        if sign:
            return _Rounds(*_SIGNS[sign], bool(lazy))
        if high and _out_of_order(low, high):
            raise self.error("repeat counts out of order")
        least = _count(low)
        return _Rounds(least, _count(high) if high else ENDLESS if comma else least, bool(lazy))

    def _open(self, opener: str) -> None:
        if len(self._frames) > _MAX_DEPTH:
            raise self.error("nested too deep")
        before, number = self._opened, 0
        if opener == "(":
            if self._skip("?") and not self._match(_NAME):
                raise self.error("invalid group")
            self._opened += 1
            number = self._opened
        self._frames.append(_Frame(opener, number, before))

    def _close(self) -> None:
        if len(self._frames) == 1:
            raise self.error("unmatched )")
        frame = self._frames.pop()
        if frame.opener.endswith("!"):
            self._closed.difference_update(range(frame.before + 1, self._opened + 1))
        if frame.opener in {"(", "(?:"}:
            self._closed.update([frame.number] if frame.number else [])
            self._atom(Group(frame.number, frame.body()))
            return
        look = Look(frame.opener, frame.body())
        rounds = None if look.behind else self._quantifier()
        # Optional look-arounds take nothing and so count for nothing, but their groups exist.
        self._emit(Repeat(look, 0, 0, lazy=False) if rounds and not rounds.low else look)

    def _class(self) -> Ranges:
        """Read a character class behind its bracket."""
        negated = self._skip("^")
        inside: list[tuple[int, int]] = []
        escaped: list[tuple[int, int]] = []
        while not self._skip("]"):
            ends = [self._unit(_CONTROL_IN_CLASS)]
            if not self._source.startswith("-]", self._at) and self._skip("-"):
                ends.append(self._unit(_CONTROL_IN_CLASS))
            low, high = ends[0], ends[-1]
            if isinstance(low, int) and isinstance(high, int):
                if low > high:
                    raise self.error("range out of order")
                inside.append((low, high))
                continue
            ends.extend([ord("-")] if len(ends) > 1 else [])
            for end in ends:
                escaped.extend(end if isinstance(end, tuple) else [])
                inside.extend([(end, end)] if isinstance(end, int) else [])
        ranges = merged((*self._cased(inside), *escaped))
        return others(ranges) if negated else ranges

    def _unit(self, control: re.Pattern[str]) -> int | Ranges:
        """Read a character, or an escape that stands for a unit or for a set."""
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
        return ESCAPED.get(char) or _NAMED_UNITS.get(char, ord(char))

    def _reference(self) -> Node | None:
        """Read a back-reference, which matches nothing unless its group took part before."""
        match = _DECIMAL.match(self._source, self._at)
        if match and int(match[1]) <= self._groups:
            self._at, group = match.end(), int(match[1])
        elif self._names and self._skip(r"\k"):
            group = self._names.get(self._name(), 0)
        else:
            return None
        if group == 0:
            raise self.error("reference to an unknown group")
        if any(frame.opener in {"(?<=", "(?<!"} for frame in self._frames):
            raise self.error("back-reference in a look-behind")
        return Reference(group, self._ignore_case) if group in self._closed else Chain(())
