"""Contexts, experiments, features and conditions for the property tests.

The vocabularies are small, so that names collide and values match. `mostly` gives what is
well-formed, and now and then something else.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

Json = Any
Strategy = st.SearchStrategy[Any]

_EXAMPLES = os.environ.get("SPEC_EXAMPLES")

#: The same examples in every run; `SPEC_EXAMPLES=5000` looks for others.
steady = settings(
    max_examples=int(_EXAMPLES or 150),
    deadline=None,
    derandomize=_EXAMPLES is None,
    database=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)

ATTRIBUTES = ["id", "user", "country", "age", "tags", "home", "version", "$groups"]
PATHS = [
    *ATTRIBUTES,
    "home.city",
    "home.0",
    "tags.0",
    "tags.length",
    "tags.1.x",
    "none",
    "age.x",
    "",
]
EXPERIMENTS = ["exp", "other", "f"]
FEATURES = ["f", "g", "h", "$holdout:h"]
GROUPS = ["list", "typed", "rule", "self", "odd", "unknown"]
TEXTS = [
    "user-1",
    "NL",
    "nl",
    "DE",
    "",
    " ",
    "1",
    "8",
    "abc",
    "v1.2.3",
    "1.2.3-rc.1",
    "\u00e9",
    "0x1F",
]
NUMBERS = [0, 1, 2, 3, 8, 42, -1, 1.5, 0.5, 1e21, -0.0, 123456789.125]

TEXT = st.sampled_from(TEXTS)
NUMBER = st.sampled_from(NUMBERS)
SCALAR = st.none() | st.booleans() | NUMBER | TEXT
VALUE = st.recursive(
    SCALAR,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["x", "city", "0", "10", "9"]), inner, max_size=3)
    ),
    max_leaves=5,
)
#: Any JSON at all, for the laws.
JUNK = st.recursive(
    SCALAR | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*PATHS, "$or", "$not", "$in"]) | st.text(max_size=4), inner
        )
    ),
    max_leaves=12,
)


def mostly(usual: Strategy, odd: Strategy) -> Strategy:
    """Draw what is usual, nine times of ten."""
    return st.integers(0, 9).flatmap(lambda dice: odd if dice == 7 else usual)


def some(fields: dict[str, Strategy], most: int = 4) -> Strategy:
    """Draw an object with a few of these fields."""
    names = st.lists(st.sampled_from(sorted(fields)), max_size=most, unique=True)
    return names.flatmap(
        lambda chosen: st.fixed_dictionaries({name: fields[name] for name in chosen})
    )


def together(*parts: Strategy) -> Strategy:
    """Merge objects, the later over the earlier."""
    return st.tuples(*parts).map(lambda drawn: {k: v for part in drawn for k, v in part.items()})


# Section 6: conditions.

PATTERNS = [
    "^a",
    "b",
    "[a-c]+$",
    r"^\d+$",
    r"\w",
    "(",
    "(?i)A",
    ".",
    "^.$",
    "null",
    r"^1\.5$",
    "(?<n>N)L",
]
LISTED = st.lists(SCALAR, max_size=4)
VERSIONS = st.sampled_from(
    ["1.2.3", "v1.2.3", "1.2.3-rc.2", "1.10.0", "1", "2.0", "1.2.3+b", 1, 1.5]
)


def _operators(inner: Strategy) -> Strategy:
    arguments: dict[str, Strategy] = {
        **dict.fromkeys(["$eq", "$ne"], SCALAR | VALUE),
        **dict.fromkeys(["$lt", "$lte", "$gt", "$gte"], SCALAR | VALUE),
        **dict.fromkeys(["$veq", "$vne", "$vlt", "$vlte", "$vgt", "$vgte"], VERSIONS | SCALAR),
        **dict.fromkeys(["$in", "$nin", "$ini", "$nini"], mostly(LISTED, VALUE)),
        **dict.fromkeys(["$inGroup", "$notInGroup"], st.sampled_from(GROUPS)),
        **dict.fromkeys(
            ["$regex", "$regexi", "$notRegex", "$notRegexi"], st.sampled_from(PATTERNS)
        ),
        "$exists": mostly(st.booleans(), VALUE),
        "$type": st.sampled_from(["string", "number", "boolean", "array", "object", "null", "x"]),
        "$size": st.integers(0, 3) | inner,
        "$all": mostly(st.lists(SCALAR | inner, max_size=2), VALUE),
        "$alli": mostly(st.lists(TEXT | inner, max_size=2), VALUE),
        "$elemMatch": mostly(some({"x": inner, "0": inner, "city": inner}, 1) | inner, SCALAR),
        "$not": inner,
        "$or": st.just([{}]),
        "$unknown": SCALAR,
    }
    return some(arguments, most=2)


#: 6.3: what stands behind a path.
VALUE_CONDITION = st.recursive(SCALAR | VALUE | _operators(SCALAR), _operators, max_leaves=4)

REFERENCE = mostly(
    st.fixed_dictionaries(
        {"id": st.sampled_from(["typed", "rule", "self", "unknown"])},
        optional={"attributeKey": st.sampled_from(ATTRIBUTES)},
    ),
    SCALAR,
)


def _logic(inner: Strategy) -> Strategy:
    conditions = mostly(st.lists(inner, max_size=3), SCALAR.filter(lambda each: each is not None))
    return together(
        some(dict.fromkeys(PATHS, VALUE_CONDITION), most=1),
        some(
            {"$or": conditions, "$and": conditions, "$nor": conditions, "$not": inner}
            | {"$savedGroup": REFERENCE},
            most=2,
        ),
    )


CONDITION = st.recursive(some(dict.fromkeys(PATHS, VALUE_CONDITION), most=2), _logic, max_leaves=5)
#: Conditions that often pass.
EASY = st.sampled_from(
    [
        *({}, {"country": "NL"}, {"id": {"$ne": "x"}}, {"id": {"$inGroup": "list"}}),
        *({"age": {"$gte": 1}}, {"$not": {"country": "DE"}}, {"country": {"$in": ["NL", "DE"]}}),
    ]
)
TARGETING = mostly(EASY, CONDITION)

SAVED_GROUPS = some(
    {
        "list": st.lists(TEXT | NUMBER, max_size=4),
        "typed": st.fixed_dictionaries(
            {"type": st.just("list"), "values": st.lists(TEXT | NUMBER, max_size=4)},
            optional={"attributeKey": st.sampled_from(ATTRIBUTES)},
        ),
        "rule": st.fixed_dictionaries({"type": st.just("condition"), "condition": EASY}),
        "self": st.just({"type": "condition", "condition": {"$savedGroup": {"id": "self"}}}),
        "odd": st.sampled_from(["user-1", 1, {}, {"type": "x", "values": ["NL"]}]),
    },
    most=5,
)

# Section 2: attributes.

UNIT = st.sampled_from(["user-1", "user-2", 42, 1.5, True, "\u00e9"]) | VALUE
ATTRIBUTE_FIELDS: dict[str, Strategy] = {
    "id": UNIT,
    "user": UNIT,
    "country": st.sampled_from(["NL", "DE", "nl", 1, None]),
    "age": SCALAR,
    "tags": st.lists(VALUE, max_size=3),
    "home": VALUE,
    "version": VERSIONS,
    "$groups": st.lists(TEXT, max_size=2),
}
ATTRIBUTE_VALUES = together(
    mostly(st.fixed_dictionaries({"id": st.sampled_from(["user-1", "user-2", 42])}), st.just({})),
    some(ATTRIBUTE_FIELDS),
)
