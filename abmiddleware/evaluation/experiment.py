"""The definition of an experiment in code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Generic

from abmiddleware.evaluation.checks import check_definition
from abmiddleware.evaluation.digest import definition_hash
from abmiddleware.evaluation.plan import Filter, Plan, VariationMeta, compile_plan
from abmiddleware.evaluation.result import T


@dataclass(frozen=True, slots=True, eq=False)
class Experiment(Generic[T]):
    """An experiment: a key, its variations, and who takes part.

    It is checked and compiled when it is built; a mistake raises at once.

        CHECKOUT = Experiment("checkout-button", ["control", "one-click"], coverage=0.2)

    Raises:
        DefinitionError: the definition is wrong; the message names the place and the mend.
    """

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
    #: The compiled form.
    plan: Plan = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_definition(self)
        plan = compile_plan(
            self.key,
            self.variations,
            weights=self.weights,
            coverage=self.coverage,
            ranges=self.ranges,
            hash_attribute=self.hash_attribute,
            hash_version=self.hash_version,
            seed=self.seed,
            namespace=self.namespace,
            filters=self.filters,
            condition=self.condition,
            meta=self.meta,
            force=self.force,
            active=self.active,
            phase=self.phase,
            config_hash=definition_hash(self),
            path=self.key,
        )
        plan.raise_problems()
        object.__setattr__(self, "plan", plan)

    @classmethod
    def fields(cls) -> list[str]:
        """Return the names of what makes up a definition."""
        return [part.name for part in fields(cls) if part.init]
