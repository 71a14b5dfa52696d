"""The operators on a value, each compiled from its argument (specification, sections 6.4 to 6.8).

An entry of `OPERATORS` takes the argument and the saved groups and returns the test together with
what is wrong with the argument: an empty string where nothing is. One of `PATTERN_OPERATORS` takes
the budget of the condition's patterns in place of the groups.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Final

from abmiddleware.evaluation.coercion import Comparison, compare
from abmiddleware.evaluation.membership import SavedGroups, Test, list_test
from abmiddleware.evaluation.patterns import (
    Budget,
    PatternError,
    RefusedPatternError,
    compile_pattern,
)
from abmiddleware.evaluation.values import is_number, is_truthy, same, shown, text
from abmiddleware.evaluation.versions import padded_version

Compiled = tuple[Test, str]
Operator = Callable[[object, SavedGroups], Compiled]
PatternOperator = Callable[[object, Budget], Compiled]

TYPES: Final = ("string", "number", "boolean", "array", "object", "null")


def _fails(_: object) -> bool:
    return False


def _passes(_: object) -> bool:
    return True


def _opposite(test: Test) -> Test:
    return lambda value: not test(value)


def _equal(argument: object, _: SavedGroups) -> Compiled:
    return lambda value: same(value, argument), ""


def _not_equal(argument: object, _: SavedGroups) -> Compiled:
    return lambda value: not same(value, argument), ""


def _exists(argument: object, _: SavedGroups) -> Compiled:
    wanted = is_truthy(argument)
    return lambda value: (value is not None) is wanted, ""


def type_name(value: object) -> str:
    """Return the JSON type name of a value; a missing one is `null`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "number"
    return "array" if isinstance(value, list) else "object"


def _type(argument: object, _: SavedGroups) -> Compiled:
    problem = (
        "" if argument in TYPES else f"is {shown(argument)}, must be one of {', '.join(TYPES)}"
    )
    return lambda value: type_name(value) == argument, problem


def _order(holds: Comparison) -> Operator:
    def make(argument: object, _: SavedGroups) -> Compiled:
        if not is_number(argument):
            return lambda value: compare(value, argument, holds), ""

        def test(value: object) -> bool:
            if type(value) is int or type(value) is float:
                return holds(value, argument)
            return compare(value, argument, holds)

        return test, ""

    return make


def _version(holds: Comparison) -> Operator:
    def make(argument: object, _: SavedGroups) -> Compiled:
        wanted = padded_version(argument)
        return lambda value: holds(padded_version(value), wanted), ""

    return make


def _membership(*, ignore_case: bool = False, negated: bool = False) -> Operator:
    def make(argument: object, _: SavedGroups) -> Compiled:
        if isinstance(argument, (set, frozenset)):
            argument = list(argument)
        if not isinstance(argument, (list, tuple)):
            return _fails, f"is {shown(argument)}, must be a list"
        test = list_test(argument, ignore_case=ignore_case)
        return (_opposite(test) if negated else test), ""

    return make


def _group(*, negated: bool = False) -> Operator:
    def make(argument: object, groups: SavedGroups) -> Compiled:
        if not isinstance(argument, str):
            return _fails, f"is {shown(argument)}, must be the id of a saved group"
        test = groups.listed(argument)
        if test is None:
            return _fails, f"names the saved group {argument!r}, which must be a list"
        return (_opposite(test) if negated else test), ""

    return make


def _pattern(*, ignore_case: bool = False, negated: bool = False) -> PatternOperator:
    """Make `$regex` or one of its kin.

    What cannot be tested in time passes neither an operator nor its negation: a pattern that might
    be slow, a text that is too long. Who wants to be let in could otherwise send such a text.
    """

    def make(argument: object, budget: Budget) -> Compiled:
        try:
            if not isinstance(argument, str):
                raise PatternError("not a string")  # noqa: TRY301
            found = compile_pattern(
                argument, ignore_case=ignore_case, untested=negated, budget=budget
            ).found
        except RefusedPatternError as error:
            return _fails, f"is {shown(argument)}, {error}"
        except PatternError as error:
            problem = f"is {shown(argument)}, {error}; must be an ECMAScript regular expression"
            return (_passes if negated else _fails), problem
        if negated:
            return lambda value: not (isinstance(value, str) and found(value)), ""
        return lambda value: found(_text(value)), ""

    return make


def _text(value: object) -> str:
    try:
        return text(value)
    except RecursionError:
        return ""


OPERATORS: Final[Mapping[str, Operator]] = {
    "$eq": _equal,
    "$ne": _not_equal,
    "$exists": _exists,
    "$type": _type,
    "$lt": _order(operator.lt),
    "$lte": _order(operator.le),
    "$gt": _order(operator.gt),
    "$gte": _order(operator.ge),
    "$veq": _version(operator.eq),
    "$vne": _version(operator.ne),
    "$vlt": _version(operator.lt),
    "$vlte": _version(operator.le),
    "$vgt": _version(operator.gt),
    "$vgte": _version(operator.ge),
    "$in": _membership(),
    "$nin": _membership(negated=True),
    "$ini": _membership(ignore_case=True),
    "$nini": _membership(ignore_case=True, negated=True),
    "$inGroup": _group(),
    "$notInGroup": _group(negated=True),
}

PATTERN_OPERATORS: Final[Mapping[str, PatternOperator]] = {
    "$regex": _pattern(),
    "$regexi": _pattern(ignore_case=True),
    "$notRegex": _pattern(negated=True),
    "$notRegexi": _pattern(ignore_case=True, negated=True),
}
