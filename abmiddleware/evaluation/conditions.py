"""Targeting conditions, compiled once into functions (specification, section 6).

A condition is compiled when its experiment is built; testing it walks no document. What cannot be
used becomes a part that fails, and is listed as a problem, so that the definition's author hears
of it while a request never does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from abmiddleware.evaluation.membership import SavedGroups
from abmiddleware.evaluation.operators import OPERATORS, PATTERN_OPERATORS, Compiled
from abmiddleware.evaluation.patterns import Budget, paid
from abmiddleware.evaluation.values import array_index, deeply_equal, same, shown

Matcher = Callable[[object], bool]

#: Conditions nested deeper than this are refused.
MAX_DEPTH: Final = 64
#: References to saved groups that one condition may hold, those of the groups included.
_MAX_REFERENCES: Final = 1000

_GROUP_OPERATORS: Final = ("$inGroup", "$notInGroup")
_LISTS: Final = (list, tuple, set, frozenset)

LOGICAL: Final = ("$and", "$or", "$nor", "$not")


@dataclass(frozen=True, slots=True)
class Problem:
    """A part of a definition that cannot be used: where, what, and the mend."""

    path: str
    problem: str


@dataclass(slots=True)
class Condition:
    """A compiled condition; `problems` lists what in it cannot be used."""

    matches: Matcher
    problems: list[Problem] = field(default_factory=list)


class _MalformedError(Exception):
    """The condition cannot be read, so it fails as a whole (section 19)."""


def compile_condition(
    condition: object, saved_groups: SavedGroups | None = None, path: str = "condition"
) -> Condition:
    """Compile a condition; never raises.

    Args:
        condition: the condition's JSON value.
        saved_groups: the lists that `$inGroup` and `$notInGroup` name.
        path: where the condition stands, for its problems.
    """
    compiler = _Compiler(saved_groups)
    try:
        matches = compiler.condition(condition, path, 0, _root_value)
    except _MalformedError:
        matches = _never
    compiler.budget.settle()
    if compiler.budget.is_used:
        matches = paid(matches)
    return Condition(matches, compiler.problems)


def _never(_: object) -> bool:
    return False


def _always(_: object) -> bool:
    return True


def _every(matchers: list[Matcher]) -> Matcher:
    if not matchers:
        return _always
    if len(matchers) == 1:
        return matchers[0]

    if len(matchers) == 2:
        first, second = matchers
        return lambda value: first(value) and second(value)

    def every(value: object) -> bool:
        for matches in matchers:  # noqa: SIM110  # twice as quick as all()
            if not matches(value):
                return False
        return True

    return every


def _some(matchers: list[Matcher]) -> Matcher:
    return lambda value: any(matches(value) for matches in matchers)


def _opposite(matches: Matcher) -> Matcher:
    return lambda value: not matches(value)


def step(value: object, key: str, index: int | None) -> object:
    """Enter an object by key, an array by index or `length`; None where nothing is there (6.2)."""
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(value, list):
        if index is not None:
            return value[index] if index < len(value) else None
        return len(value) if key == "length" else None
    return None


Access = Callable[[str], Callable[[object], object]]


def _any_value(path: str) -> Callable[[object], object]:
    """Return a function that reads a path in any JSON value."""
    steps = [(key, array_index(key)) for key in path.split(".")]

    def read(value: object) -> object:
        for key, index in steps:
            value = step(value, key, index)
        return value

    return read


def _root_value(path: str) -> Callable[[object], object]:
    """Return a function that reads a path in attributes: their own lookup, then plain steps."""
    if "." not in path:
        return lambda attributes: attributes[path]  # type: ignore[index]  # roots are Attributes
    first, rest = path.split(".", 1)
    deeper = _any_value(rest)
    if "." in rest:
        return lambda attributes: deeper(attributes[first])  # type: ignore[index]

    def read(attributes: object) -> object:
        value = attributes[first]  # type: ignore[index]
        return value.get(rest) if type(value) is dict else deeper(value)

    return read


def _is_operators(condition: Mapping[str, object]) -> bool:
    return all(key.startswith("$") for key in condition)


class _Compiler:
    """Compiles one condition and gathers its problems."""

    def __init__(self, saved_groups: SavedGroups | None) -> None:
        self.has_no_groups = saved_groups is None
        self.saved_groups = SavedGroups.of(saved_groups)
        #: The saved groups that are being compiled, and how many references were.
        self.resolving: list[str] = []
        self.references = 0
        self.budget = Budget()
        self.problems: list[Problem] = []

    def refuse(self, path: str, problem: str) -> Matcher:
        """Note a problem; the part it is in fails."""
        self.problems.append(Problem(path, problem))
        return _never

    def malformed(self, path: str, problem: str) -> _MalformedError:
        self.refuse(path, problem)
        return _MalformedError()

    def condition(self, condition: object, path: str, depth: int, access: Access) -> Matcher:
        """Compile a condition on an object, read through `access` (6.1)."""
        if depth > MAX_DEPTH:
            raise self.malformed(path, f"nested deeper than {MAX_DEPTH} levels, must be flatter")
        if not isinstance(condition, Mapping) or not all(isinstance(k, str) for k in condition):
            raise self.malformed(path, f"is {shown(condition)}, must be an object")
        return _every(
            [
                self.entry(key, value, f"{path}.{key}", depth + 1, access)
                for key, value in condition.items()
            ]
        )

    def entry(self, key: str, value: object, path: str, depth: int, access: Access) -> Matcher:
        if key in LOGICAL:
            return self.logical(key, value, path, depth, access)
        if key == "$savedGroup" and not self.has_no_groups:
            return self.saved_group(value, path, depth, access)
        if key.startswith("$"):
            # By the specification a path; from a person most likely a slip, so they are told.
            self.refuse(path, f"is no logical operator, must be one of {', '.join(LOGICAL)}")
        matches = self.value(value, path, depth)
        if access is _root_value and "." not in key:
            return lambda attributes: matches(attributes[key])  # type: ignore[index]
        read = access(key)
        return lambda root: matches(read(root))

    def saved_group(self, reference: object, path: str, depth: int, access: Access) -> Matcher:
        """Compile a reference to a typed saved group (23)."""
        self.references += 1
        if self.references > _MAX_REFERENCES:
            raise self.malformed(path, f"is reference {self.references}, must be at most 1,000")
        identifier = reference.get("id") if isinstance(reference, Mapping) else None
        if not isinstance(identifier, str) or not isinstance(reference, Mapping):
            return self.refuse(path, f"is {shown(reference)}, must be an object with a group's id")
        group = self.saved_groups.get(identifier)
        kind = group.get("type") if isinstance(group, Mapping) else None
        if not isinstance(group, Mapping) or kind not in ("list", "condition"):
            return self.refuse(path, f"names {identifier!r}, must name a typed saved group")
        if identifier in self.resolving:
            return self.refuse(path, f"names {identifier!r}, whose condition leads back to it")
        if kind == "list":
            return self.listed(identifier, reference, path, access)
        self.resolving.append(identifier)
        try:
            place = f"savedGroups.{identifier}.condition"
            return self.condition(group.get("condition"), place, depth, access)
        except _MalformedError:  # the group fails, not all that names it
            return _never
        finally:
            self.resolving.pop()

    def listed(
        self, identifier: str, reference: Mapping[str, object], path: str, access: Access
    ) -> Matcher:
        """Compile the membership in a typed saved group that is a list."""
        group = cast(Mapping[str, object], self.saved_groups[identifier])
        key = reference.get("attributeKey") or group.get("attributeKey")
        test = self.saved_groups.listed(identifier)
        if not isinstance(key, str) or test is None:
            return self.refuse(path, "names a list without values or an attribute, must have both")
        read = access(key)
        return lambda root: test(read(root))

    def logical(self, key: str, value: object, path: str, depth: int, access: Access) -> Matcher:
        if key == "$not":
            return _opposite(self.condition(value, path, depth, access))
        if not isinstance(value, (list, tuple)):
            raise self.malformed(path, f"is {shown(value)}, must be a list of conditions")
        parts = [
            self.condition(part, f"{path}[{index}]", depth, access)
            for index, part in enumerate(value)
        ]
        if key == "$and":
            return _every(parts)
        some = _some(parts) if parts else _always
        return some if key == "$or" else _opposite(some)

    def value(self, condition: object, path: str, depth: int) -> Matcher:
        """Compile what a path's condition says of the value there (6.3)."""
        if depth > MAX_DEPTH:
            raise self.malformed(path, f"nested deeper than {MAX_DEPTH} levels, must be flatter")
        if isinstance(condition, Mapping):
            if not all(isinstance(key, str) for key in condition):
                raise self.malformed(path, f"is {shown(condition)}, keys must be strings")
            if _is_operators(condition):
                return self.operators(condition, path, depth)
            self.hint_mixed(condition, path)
        if isinstance(condition, (Mapping, list, tuple)):
            literal = self.literal(condition, path, depth)
            return lambda value: deeply_equal(value, literal)
        self.hint_foreign(condition, path)
        if type(condition) is str:
            return lambda value: value == condition
        return lambda value: same(value, condition)

    def hint_foreign(self, value: object, path: str) -> None:
        """Tell of a value that no attribute can ever equal, such as a UUID."""
        if value is not None and not isinstance(value, (str, bool, int, float)):
            self.refuse(path, f"is {shown(value)}, must be a JSON value such as its text")

    def literal(self, value: object, path: str, depth: int) -> object:
        """Return a literal as plain JSON, no deeper than a comparison may follow it."""
        if depth > MAX_DEPTH:
            raise self.malformed(path, f"nested deeper than {MAX_DEPTH} levels, must be flatter")
        if isinstance(value, Mapping):
            return {key: self.literal(item, path, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.literal(item, path, depth + 1) for item in value]
        self.hint_foreign(value, path)
        return value

    def hint_mixed(self, literal: Mapping[str, object], path: str) -> None:
        mixed = [key for key in literal if key.startswith("$")]
        if mixed:
            self.refuse(
                path,
                f"mixes the operator {mixed[0]} with plain keys and so is compared as a literal, "
                "must have one kind only",
            )

    def operators(self, condition: Mapping[str, object], path: str, depth: int) -> Matcher:
        return _every(
            [
                self.operator(name, argument, f"{path}.{name}", depth + 1)
                for name, argument in condition.items()
            ]
        )

    def operator(self, name: str, argument: object, path: str, depth: int) -> Matcher:
        """Compile one operator: those that hold conditions here, the others by their table."""
        if name == "$not":
            return _opposite(self.value(argument, path, depth))
        if name == "$size":
            return self.size(argument, path, depth)
        if name in ("$all", "$alli"):
            ignore_case = name == "$alli"
            return self.budget.per_element(
                lambda: self.all(argument, path, depth, ignore_case=ignore_case)
            )
        if name == "$elemMatch":
            return self.budget.per_element(lambda: self.element(argument, path, depth))
        compiled = self.listed_operator(name, argument)
        if compiled is None:
            return self.refuse(path, f"is no operator, must be one of {', '.join(_names())}")
        for item in argument if isinstance(argument, _LISTS) else (argument,):
            if not isinstance(item, (Mapping, list, tuple)):
                self.hint_foreign(item, path)
        matcher, problem = compiled
        if name in _GROUP_OPERATORS and self.has_no_groups and not problem:
            problem = "needs saved groups, which code has none of; must be $in or $nin"
        if problem:
            self.refuse(path, problem)
        return matcher

    def listed_operator(self, name: str, argument: object) -> Compiled | None:
        if name in PATTERN_OPERATORS:
            return PATTERN_OPERATORS[name](argument, self.budget)
        make = OPERATORS.get(name)
        return None if make is None else make(argument, self.saved_groups)

    def size(self, argument: object, path: str, depth: int) -> Matcher:
        matches = self.value(argument, path, depth)
        return lambda value: isinstance(value, list) and matches(len(value))

    def all(self, argument: object, path: str, depth: int, *, ignore_case: bool) -> Matcher:
        if not isinstance(argument, (list, tuple)):
            return self.refuse(path, f"is {shown(argument)}, must be a list")
        parts = [
            self.folded(part)
            if ignore_case and isinstance(part, str)
            else self.value(part, f"{path}[{index}]", depth)
            for index, part in enumerate(argument)
        ]
        return lambda value: (
            isinstance(value, list) and all(any(map(matches, value)) for matches in parts)
        )

    @staticmethod
    def folded(wanted: str) -> Matcher:
        lower = wanted.lower()
        return lambda value: isinstance(value, str) and value.lower() == lower

    def element(self, argument: object, path: str, depth: int) -> Matcher:
        if not isinstance(argument, Mapping):
            return self.refuse(path, f"is {shown(argument)}, must be an object")
        if _is_operators(argument):
            matches = self.value(argument, path, depth)
        else:
            matches = self.condition(argument, path, depth, _any_value)
        return lambda value: (
            isinstance(value, list) and any(matches(item) for item in value if item is not None)
        )


def _names() -> Iterable[str]:
    return sorted([*OPERATORS, *PATTERN_OPERATORS, "$not", "$size", "$all", "$alli", "$elemMatch"])
