"""JSON values, conditions and definitions for the property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from abmiddleware.evaluation.conditions import LOGICAL
from abmiddleware.evaluation.operators import OPERATORS, PATTERN_OPERATORS

#: The same examples in every run, so that a failure is no matter of luck.
thorough = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
NAMES = st.sampled_from(["id", "a", "b", "a.b", "a.0", "b.length", "user.id", "$groups", ""])
WORDS = st.sampled_from(
    ["", "1", "1.0", "v1.2.3", "a", "B", "^a.*$", "(", "[", "null", "0x1F", "é"]
)

NUMBERS = (
    st.integers(-3, 3)
    | st.integers()
    | st.floats()
    | st.sampled_from([0.5, 1e21, 10**30, 10**400, -(10**400)])
)

SCALARS = st.none() | st.booleans() | NUMBERS | WORDS | ANY_TEXT

JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | ANY_TEXT, inner, max_size=4)
    ),
    max_leaves=12,
)

ATTRIBUTES = st.dictionaries(NAMES | ANY_TEXT, JSON, max_size=6)

OPERATOR_NAMES = st.sampled_from(
    [
        *OPERATORS,
        *PATTERN_OPERATORS,
        "$not",
        "$size",
        "$all",
        "$alli",
        "$elemMatch",
        "$or",
        "$unknown",
        "$",
    ]
)

VALUE_CONDITIONS = st.recursive(
    JSON,
    lambda inner: (
        st.dictionaries(OPERATOR_NAMES, inner | st.lists(inner, max_size=3), max_size=3)
        | st.dictionaries(NAMES, inner, max_size=2)
    ),
    max_leaves=8,
)


def _conditions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(
        st.sampled_from(LOGICAL) | NAMES,
        inner | st.lists(inner, max_size=3) | VALUE_CONDITIONS,
        max_size=3,
    )


#: Mostly well-formed, by the vocabulary of section 6.
CONDITIONS = st.recursive(
    st.dictionaries(NAMES, VALUE_CONDITIONS, max_size=3), _conditions, max_leaves=8
)

_ARGUMENTS = SCALARS | st.lists(SCALARS, max_size=3)

#: Without literal objects, whose order of keys counts.
PLAIN_CONDITIONS = st.recursive(
    st.dictionaries(
        NAMES,
        _ARGUMENTS | st.dictionaries(OPERATOR_NAMES, _ARGUMENTS, max_size=3),
        max_size=3,
    ),
    lambda inner: (
        st.dictionaries(st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, max_size=3))
        | st.dictionaries(st.just("$not"), inner)
    ),
    max_leaves=6,
)
