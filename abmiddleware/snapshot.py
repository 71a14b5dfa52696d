"""One immutable configuration; a request keeps the one it began with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, Generic, Self, TypeVar

import msgspec

from abmiddleware.evaluation.document import Document
from abmiddleware.evaluation.features import FeaturePlan, ShortFeature
from abmiddleware.evaluation.naming import Wanted
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.scope import NEUTRAL, EvaluationOptions

C = TypeVar("C")

#: The attribute of visitors, whom most experiments randomise by.
VISITOR: Final = "id"
#: The ids where experiments randomise by visitors only.
VISITORS: Final = (VISITOR, "user_id")


class Table(dict[str, C], Generic[C]):
    """Compiled parts by key, each compiled when it is first asked for.

    Threads that ask at the same time may compile a part twice; one of the two stays.
    """

    __slots__ = ("_make",)

    def __init__(self, make: Mapping[str, Callable[[str], C]]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: str) -> C:
        """Compile a part.

        Raises:
            KeyError: no configuration has it.
        """
        return self.setdefault(key, self._make[key](key))

    def __contains__(self, key: object) -> bool:
        return key in self._make

    def known(self) -> Collection[str]:
        """Return all keys, of parts compiled or not."""
        return self._make.keys()


class Snapshot(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """The experiments and features of one configuration, compiled when they are first asked for."""

    plans: Table[Plan]
    features: Table[FeaturePlan]
    #: Experiments that run by themselves, in their order.
    redirects: tuple[Plan, ...]
    #: None where nothing but the definitions decides.
    options: EvaluationOptions | None
    #: The attributes that units are made of: the visitor's, and what experiments randomise by.
    units: tuple[str, ...]
    #: The attributes that may identify somebody: all units, and `user_id`.
    ids: tuple[str, ...]
    #: The keys that name a feature and no experiment.
    flags: Collection[str]
    #: By what a view asks for, the experiments of which nothing but the definition decides; filled
    #: in when they are first asked for.
    short: dict[object, Plan] = {}
    #: The same of features.
    short_features: dict[str, ShortFeature] = {}
    #: What it was made of, in their order.
    documents: tuple[Document, ...] = ()
    #: Plans of feature objects that are known to be the only ones of their key, with any value.
    settled_features: dict[FeaturePlan, None] = {}
    #: The same configuration, once it was asked for, with experiments off.
    _off: list[Snapshot] = []

    @classmethod
    def of(cls, documents: Sequence[Document], options: EvaluationOptions | None = None) -> Self:
        """Return the snapshot of documents; of several with one key the first serves it."""
        plans: dict[str, Callable[[str], Plan]] = {}
        features: dict[str, Callable[[str], FeaturePlan]] = {}
        for document in reversed(documents):
            plans.update(dict.fromkeys(document.experiments, document.experiment))
            features.update(dict.fromkeys(document.features, document.feature))
        units = set[str]().union(*(document.units for document in documents))
        ordered = (VISITOR, *sorted(units - {VISITOR}))
        return cls(
            Table(plans),
            Table(features),
            tuple(_redirects(documents)),
            None if options == NEUTRAL else options,
            ordered,
            VISITORS if units <= {VISITOR} else (*ordered, *({"user_id"} - units)),
            features.keys() - plans.keys() if plans else features.keys(),
            documents=tuple(documents),
        )

    def switched_off(self) -> Snapshot:
        """Return the same configuration with all experiments off: each serves its control."""
        if not self._off:
            options = msgspec.structs.replace(self.options or NEUTRAL, enabled=False)
            made = msgspec.structs.replace(self, options=options, short={}, short_features={})
            self._off.append(made)
        return self._off[0]

    def overridden(
        self,
        values: Mapping[str, object],
        read: Callable[[object], object] = lambda value: value,
        *,
        alone: bool = False,
    ) -> Snapshot:
        """Return the same configuration with variations and values that somebody asked for.

        Args:
            values: by the key of an experiment its variation, or of a feature its value.
            read: makes the value of a feature of what was asked for.
            alone: whether all other experiments are off.
        """
        options = self.options or NEUTRAL
        features = {key: read(value) for key, value in values.items() if key in self.flags}
        variations = {key: Wanted(value) for key, value in values.items() if key not in features}
        options = msgspec.structs.replace(
            options,
            qa_mode=options.qa_mode or alone,
            forced_variations={**options.forced_variations, **variations},
            forced_features={**options.forced_features, **features},
        )
        return msgspec.structs.replace(self, options=options, short={}, short_features={}, _off=[])

    def rule_keys(self) -> set[str]:
        """Return the keys of the experiments that features run, which need not be listed."""
        found: set[str] = set()
        for document in self.documents:
            for key, feature in document.features.items():
                rules: object = (
                    feature.get("rules") if isinstance(feature, Mapping) else feature.rules
                )
                for rule in rules if isinstance(rules, (list, tuple)) else ():
                    own = rule.get("key") if isinstance(rule, Mapping) else getattr(rule, "key", "")
                    found.add(own if isinstance(own, str) and own else key)
        return found

    def changed_since(self, before: Snapshot) -> list[str] | None:
        """Return the keys whose definitions are new, gone or other than before, in order.

        Returns:
            None where what definitions share, such as a saved group, changed: any may mean more.
        """
        if _shared(self.documents) != _shared(before.documents):
            return None
        old, new = _definitions(before.documents), _definitions(self.documents)
        return sorted({name[1] for name in {*old, *new} if old.get(name) != new.get(name)})


def _definitions(documents: Sequence[Document]) -> dict[tuple[str, str], object]:
    """Return the definitions that serve, by kind and key."""
    found: dict[tuple[str, str], object] = {}
    for document in reversed(documents):
        found.update({("experiment", key): one for key, one in document.experiments.items()})
        found.update({("feature", key): one for key, one in document.features.items()})
    return found


def _shared(documents: Sequence[Document]) -> list[tuple[object, object]]:
    return [(one.saved_groups, one.contextual_bandits) for one in documents]


def _redirects(documents: Sequence[Document]) -> Iterator[Plan]:
    """Yield the experiments that run by themselves, but for keys that an earlier document has."""
    taken: set[str] = set()
    for document in documents:
        yield from (plan for plan in document.redirects() if plan.key not in taken)
        taken.update(document.experiments)
