"""What definitions of experiments and features hold, checked or not.

The fields are those of GrowthBook in snake_case; `growthbook.py` reads and writes its JSON form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Generic, Literal

from abmiddleware.evaluation.result import T


class Missing(Enum):
    """The type of `MISSING`: no value, where None would be one."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """What a JSON form held beyond the fields: unknown keys, and defaults that were written out."""

    #: Never evaluated; written out again.
    extra: Mapping[str, object] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class VariationMeta(Extra):
    """Names of one variation: `key` stands in the records, by default its index as text."""

    key: str = ""
    name: str = ""
    #: For holdouts: the unit counts as exposed, and evaluation goes on behind it.
    passthrough: bool = False


@dataclass(frozen=True, slots=True)
class Filter(Extra):
    """Admits the units whose bucket by `seed` lies in one of `ranges` (specification, 5.2)."""

    seed: str = ""
    ranges: Sequence[tuple[float, float]] = ()
    attribute: str = "id"
    hash_version: int = 2


@dataclass(frozen=True, slots=True)
class Prerequisite(Extra):
    """Asks another feature first (specification, section 7).

    Prerequisite("new-checkout", {"value": True})
    """

    #: The key of the feature that is asked.
    feature: str = field(metadata={"json": "id"})
    #: What its `value` must be; nothing lets every value pass.
    condition: Mapping[str, object] | None = None
    #: Where it fails, end the whole feature rather than skip the rule.
    gate: bool = False


@dataclass(frozen=True, slots=True)
class UrlPattern(Extra):
    """Pages that an experiment runs on, or with `include=False` does not (12.1).

    UrlPattern("/checkout/*")
    """

    pattern: str
    #: `simple` has * for any run of characters; `regex` is an ECMAScript expression.
    type: Literal["simple", "regex"] = field(default="simple", metadata={"told": True})
    include: bool = True


@dataclass(frozen=True, eq=False)
class Definition(Extra, Generic[T]):
    """The fields of an experiment as somebody wrote them down; they may be wrong."""

    #: Its identity, and the hash seed unless `seed` is given: 1 to 64 of A-Z a-z 0-9 _ . and -.
    key: str
    #: Two or more values of any one type; the first is the control.
    variations: Sequence[T]
    #: The share of each variation, adding up to 1; equal shares where absent.
    weights: Sequence[float] | None = field(default=None, kw_only=True)
    #: The share of units that take part, 0 to 1. Raising it moves nobody who is in.
    coverage: float = field(default=1.0, kw_only=True)
    #: The attribute that is randomised by: `id` is the visitor.
    hash_attribute: str = field(default="id", kw_only=True)
    #: Randomised by where the hash attribute has no value, under sticky bucketing only.
    fallback_attribute: str = field(default="", kw_only=True)
    #: 1 (GrowthBook's default for inline experiments) or 2 (less bias, ten times the buckets).
    hash_version: int = field(default=1, kw_only=True)
    seed: str = field(default="", kw_only=True)
    #: `(id, start, end)`: experiments with disjoint parts of one namespace share no unit.
    namespace: tuple[str, float, float] | None = field(default=None, kw_only=True)
    #: The bucket range of each variation; replaces `weights` and `coverage`.
    ranges: Sequence[tuple[float, float]] | None = field(default=None, kw_only=True)
    #: All must admit the unit; they replace `namespace`.
    filters: Sequence[Filter] | None = field(
        default=None, kw_only=True, metadata={"entries": Filter}
    )
    #: Who takes part, by attributes, such as `{"country": {"$in": ["NL", "BE"]}}`.
    condition: Mapping[str, object] | None = field(default=None, kw_only=True)
    #: Features whose values decide who takes part.
    prerequisites: Sequence[Prerequisite] | None = field(
        default=None, kw_only=True, metadata={"json": "parentConditions", "entries": Prerequisite}
    )
    #: The pages it runs on.
    url_patterns: Sequence[UrlPattern] | None = field(
        default=None, kw_only=True, metadata={"entries": UrlPattern}
    )
    #: Names for the variations, in their order.
    meta: Sequence[VariationMeta] | None = field(
        default=None, kw_only=True, metadata={"entries": VariationMeta}
    )
    #: The variation index that everybody gets who would take part; not counted.
    force: int | None = field(default=None, kw_only=True)
    active: bool = field(default=True, kw_only=True)
    #: A `draft` is off; `stopped` serves the control to all but forced units.
    status: str = field(default="running", kw_only=True)
    name: str = field(default="", kw_only=True)
    #: Rises when seed or weights change: phases are never analysed together.
    phase: int = field(default=0, kw_only=True)
    #: Never keep a unit in the variation that it had before.
    disable_sticky_bucketing: bool = field(default=False, kw_only=True)
    #: A new one buckets every unit anew.
    bucket_version: int = field(default=0, kw_only=True)
    #: Units that were bucketed under an older version are kept out.
    min_bucket_version: int = field(default=0, kw_only=True)
    #: For redirects: keep the query of the page.
    persist_query_string: bool = field(default=False, kw_only=True)
    #: For redirects: what switches this version of it off.
    change_id: str = field(default="", kw_only=True)
    #: For redirects: run only when asked for by key.
    manual: bool = field(default=False, kw_only=True)
    #: Of old payloads: an expression that the page's URL must match (12.2).
    url: str = field(default="", kw_only=True)
    #: Of old payloads: names of groups, of which the unit must be in one.
    groups: Sequence[str] | None = field(default=None, kw_only=True)
    #: Of old code: asked whether the unit takes part; false or an exception says no.
    include: Callable[[], object] | None = field(default=None, kw_only=True, metadata={"json": ""})


@dataclass(frozen=True, eq=False, kw_only=True)
class Rule(Extra, Generic[T]):
    """One rule of a feature: it forces a value, or runs an experiment.

        Rule(force=True, condition={"country": "NL"}, coverage=0.2)
        Rule(key="dark-mode-test", variations=[False, True], hash_version=2)

    The first rule of a feature that yields a value decides. Fields that both kinds have mean what
    they mean for an `Experiment`.
    """

    id: str = ""
    condition: Mapping[str, object] | None = None
    prerequisites: Sequence[Prerequisite] | None = field(
        default=None, metadata={"json": "parentConditions", "entries": Prerequisite}
    )
    filters: Sequence[Filter] | None = field(default=None, metadata={"entries": Filter})
    #: The value that the rule gives; None is a value.
    force: T | Missing | None = MISSING
    #: The values of an experiment.
    variations: Sequence[T] | None = None
    #: The experiment's key; by default that of the feature.
    key: str = ""
    weights: Sequence[float] | None = None
    #: Of a rule that forces, the share of units that get the value.
    coverage: float | None = None
    #: Of a rule that forces, the buckets that get the value; replaces `coverage`.
    range: tuple[float, float] | None = None
    hash_attribute: str = "id"
    fallback_attribute: str = ""
    hash_version: int = 1
    seed: str = ""
    namespace: tuple[str, float, float] | None = None
    ranges: Sequence[tuple[float, float]] | None = None
    meta: Sequence[VariationMeta] | None = field(default=None, metadata={"entries": VariationMeta})
    name: str = ""
    phase: int = 0
    disable_sticky_bucketing: bool = False
    bucket_version: int = 0
    min_bucket_version: int = 0
    #: The values of a contextual bandit's experiment, and the bandit that weighs them.
    contextual_variations: Sequence[T] | None = None
    contextual_bandit_ref: str = ""
    #: Exposures that a remote evaluation found (17.4).
    tracks: Sequence[Mapping[str, object]] | None = None


@dataclass(frozen=True, eq=False)
class FeatureDefinition(Extra, Generic[T]):
    """The fields of a feature as somebody wrote them down; they may be wrong."""

    key: str
    #: The value where no rule decides.
    default: T | None = field(default=None, metadata={"json": "defaultValue"})
    rules: Sequence[Rule[T]] = field(default=(), kw_only=True, metadata={"entries": Rule})


#: The fields of a rule that make up its experiment; no others are copied (10.3).
COPIED: Final = (
    "weights",
    "hash_attribute",
    "fallback_attribute",
    "disable_sticky_bucketing",
    "bucket_version",
    "min_bucket_version",
    "namespace",
    "meta",
    "ranges",
    "name",
    "phase",
    "seed",
    "hash_version",
    "filters",
    "condition",
)


def experiment_of(rule: Rule[Any], feature_key: str, **replaced: Any) -> Definition[Any] | None:
    """Return the experiment that a rule runs; None where it has no variations (10.3)."""
    variations = rule.variations
    if rule.contextual_variations is not None:
        variations = rule.contextual_variations
    if variations is None:
        return None
    fields: dict[str, Any] = {name: getattr(rule, name) for name in COPIED}
    if rule.coverage is not None:
        fields["coverage"] = rule.coverage
    key = rule.key if isinstance(rule.key, str) and rule.key else feature_key
    return Definition(key, variations, **{**fields, **replaced})
