"""What an experiment's definition holds, checked or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic

from abmiddleware.evaluation.result import T


@dataclass(frozen=True, slots=True)
class VariationMeta:
    """Names of one variation: `key` stands in the records, by default its index as text."""

    key: str = ""
    name: str = ""
    #: For holdouts: the unit counts as exposed, and evaluation goes on behind it.
    passthrough: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """Admits the units whose bucket by `seed` lies in one of `ranges` (specification, 5.2)."""

    seed: str
    ranges: Sequence[tuple[float, float]]
    attribute: str = "id"
    hash_version: int = 2


@dataclass(frozen=True, slots=True, eq=False)
class Definition(Generic[T]):
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
    #: 1 (GrowthBook's default for inline experiments) or 2 (less bias, ten times the buckets).
    hash_version: int = field(default=1, kw_only=True)
    seed: str = field(default="", kw_only=True)
    #: `(id, start, end)`: experiments with disjoint parts of one namespace share no unit.
    namespace: tuple[str, float, float] | None = field(default=None, kw_only=True)
    #: The bucket range of each variation; replaces `weights` and `coverage`.
    ranges: Sequence[tuple[float, float]] | None = field(default=None, kw_only=True)
    #: All must admit the unit; they replace `namespace`.
    filters: Sequence[Filter] | None = field(default=None, kw_only=True)
    #: Who takes part, by attributes, such as `{"country": {"$in": ["NL", "BE"]}}`.
    condition: Mapping[str, object] | None = field(default=None, kw_only=True)
    #: Names for the variations, in their order.
    meta: Sequence[VariationMeta] | None = field(default=None, kw_only=True)
    #: The variation index that everybody gets who would take part; not counted.
    force: int | None = field(default=None, kw_only=True)
    active: bool = field(default=True, kw_only=True)
    name: str = field(default="", kw_only=True)
    #: Rises when seed or weights change: phases are never analysed together.
    phase: int = field(default=0, kw_only=True)
